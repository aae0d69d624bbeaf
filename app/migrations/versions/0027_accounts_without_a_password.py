"""An account may have no user name and password: who registers with WeChat chooses them later, or never."""

from alembic import op

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("accounts", "username", nullable=True)
    op.alter_column("accounts", "password_hash", nullable=True)
    op.create_check_constraint(
        op.f("ck_accounts_credentials"), "accounts", "(username is null) = (password_hash is null)"
    )
