"""PasswordSettings of officers that somebody else has given them, to be changed at the first log-in."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "officers", sa.Column("password_given", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.alter_column("officers", "password_given", server_default=None)
