"""The line of the list in which a person of an entry came, for the officer who signs it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entry_subjects", sa.Column("line", sa.Integer()))
