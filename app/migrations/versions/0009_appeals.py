"""Appeals of citizens against decisions, with what they attach."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    when = sa.DateTime(timezone=True)
    op.create_table(
        "appeals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.BigInteger(), nullable=False),
        sa.Column("district", sa.String(40)),
        sa.Column("filed_at", when, nullable=False),
        sa.Column("due_at", when, nullable=False),
        sa.Column("escalated_at", when),
        sa.Column("text_sealed", sa.LargeBinary()),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("settled_by", sa.BigInteger()),
        sa.Column("settled_at", when),
        sa.Column("outcome", sa.String(30)),
        sa.Column("withdrawn", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("added", sa.Uuid()),
        sa.Column("decided", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_appeals"),
        sa.ForeignKeyConstraint(["serial"], ["codes.serial"], name="fk_appeals_serial"),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name="fk_appeals_decision_id"),
        sa.ForeignKeyConstraint(["settled_by"], ["officers.id"], name="fk_appeals_settled_by"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("appeal_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(4), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name="fk_attachments_appeal_id"),
    )
    op.create_index("ix_appeals_serial", "appeals", ["serial", "filed_at"])
    op.create_index("ix_appeals_state", "appeals", ["state", "due_at"])
    open_only = sa.text("state = 'open'")
    op.create_index("uq_appeals_open", "appeals", ["serial"], unique=True, postgresql_where=open_only)
    not_forgotten = sa.text("text_sealed is not null")
    op.create_index("ix_appeals_settled_at", "appeals", ["settled_at"], postgresql_where=not_forgotten)
    op.create_index("ix_attachments_appeal_id", "attachments", ["appeal_id"])
