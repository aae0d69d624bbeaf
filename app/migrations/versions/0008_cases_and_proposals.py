"""Cases, and what officers propose until it counts."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    when = sa.DateTime(timezone=True)
    op.create_table(
        "cases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("number", sa.String(100), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("district", sa.String(40)),
        sa.Column("opened_at", when, nullable=False),
        sa.Column("ended_at", when),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("number", name="uq_cases_number"),
        sa.ForeignKeyConstraint(["serial"], ["codes.serial"], name="fk_cases_serial"),
    )
    op.create_table(
        "proposals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("authority", sa.String(80), nullable=False),
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("exposed_on", sa.Date()),
        sa.Column("first_day", sa.Date()),
        sa.Column("last_day", sa.Date()),
        sa.Column("place", sa.String(80)),
        sa.Column("case_id", sa.BigInteger()),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("district", sa.String(40)),
        sa.Column("recorder_id", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", when, nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("alarm", sa.String(40)),
        sa.Column("released_by", sa.BigInteger()),
        sa.Column("released_for", sa.String(40)),
        sa.Column("settled_by", sa.BigInteger()),
        sa.Column("settled_at", when),
        sa.Column("settled_for", sa.String(40)),
        sa.Column("approve_until", when),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_proposals_case_id"),
        sa.ForeignKeyConstraint(["recorder_id"], ["officers.id"], name="fk_proposals_recorder_id"),
        sa.ForeignKeyConstraint(["released_by"], ["officers.id"], name="fk_proposals_released_by"),
        sa.ForeignKeyConstraint(["settled_by"], ["officers.id"], name="fk_proposals_settled_by"),
    )
    op.create_foreign_key("fk_cases_proposal_id", "cases", "proposals", ["proposal_id"], ["id"])
    op.create_table(
        "proposal_people",
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("evidence_id", sa.Uuid()),
        sa.PrimaryKeyConstraint("proposal_id", "serial", name="pk_proposal_people"),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposals.id"], name="fk_proposal_people_proposal_id"),
        sa.ForeignKeyConstraint(["serial"], ["codes.serial"], name="fk_proposal_people_serial"),
    )
    op.create_index("ix_cases_serial", "cases", ["serial"])
    op.create_index("ix_cases_proposal_id", "cases", ["proposal_id"])
    op.create_index("ix_proposals_case_id", "proposals", ["case_id"])
    op.create_index("ix_proposals_recorder", "proposals", ["recorder_id", "recorded_at"])
    op.create_index("ix_proposals_state", "proposals", ["state", "recorded_at"])
    op.create_index("ix_proposal_people_serial", "proposal_people", ["serial"])
    op.create_index("ix_proposal_people_evidence_id", "proposal_people", ["evidence_id"])
