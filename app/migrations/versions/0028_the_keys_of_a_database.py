"""A database remembers the keys that it was filled with, so that nobody goes on with others by mistake."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installation", sa.Column("key_fingerprint", sa.String))
