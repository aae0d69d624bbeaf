"""Passwords that are known to whoever may know the authenticator too end: another person sets a new one."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # one administrator knew password and secret of the officers whom they added, or whose password they reset later
    op.execute("update officers set password_ends_at = created_at where must_change_password")
