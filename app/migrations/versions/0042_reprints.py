"""Cards on paper that were scanned very often: an auditor asks for another print."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("paper_cards", sa.Column("reprint_asked_at", sa.DateTime(timezone=True)))
