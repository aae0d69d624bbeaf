"""Cases know the entry that ended them, and how many contacts it freed."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cases", sa.Column("ended_by", sa.BigInteger(), sa.ForeignKey("entries.id"), nullable=True))
    op.add_column("cases", sa.Column("freed", sa.Integer(), nullable=True))
    op.create_index("ix_cases_ended_by", "cases", ["ended_by"])
