"""Each contact of a list may have a last day of contact of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("proposal_people", sa.Column("exposed_on", sa.Date()))
