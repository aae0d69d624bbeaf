"""Inspectors can be closed; keyed hashes of callbacks, and locks of their jobs, name nobody after they are applied."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inspectors", sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_wechat_users_visitors", "wechat_users", ["last_login_at"], postgresql_where=sa.text("serial IS NULL")
    )
    # an unkeyed hash contains an openid for whoever guesses it; WeChat has stopped to send these again
    op.execute(
        "update wechat_callbacks set event_key = sha256(convert_to(gen_random_uuid()::text, 'utf8'))"
        " where handled_at is not null"
    )
    op.execute(
        "update procrastinate_jobs set lock = null where lock like 'wechat:%' and status not in ('todo', 'doing')"
    )
