"""Passwords that somebody else knows: of officers they end, inspectors have to change theirs when they log in."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # one administrator knew password and secret of the officers whom they added, or whose password they reset later
    op.execute("update officers set password_ends_at = created_at where must_change_password")
    op.add_column(
        "inspectors", sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute("update inspectors set must_change_password = true where password_ends_at is not null")
    op.alter_column("inspectors", "must_change_password", server_default=None)
