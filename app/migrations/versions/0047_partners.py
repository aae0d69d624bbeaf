"""Partners of the province, and how often each asked in the hour that is not in the audit yet."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "partners",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("interfaces", postgresql.ARRAY(sa.String(20)), nullable=False),
        sa.Column("rate", sa.String(60), nullable=False),
        sa.Column("plain", sa.Boolean, nullable=False),
        sa.Column("secret_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(80), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_partners"),
    )
    op.create_table(
        "partner_counts",
        sa.Column("partner_id", sa.String(31), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("interface", sa.String(20), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "hour", "interface", "outcome", name="pk_partner_counts"),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name="fk_partner_counts_partner_id"),
    )
