"""The official account: who follows it, found by the keyed hash of the unionid that both accounts share.

No table is written anew: a default that is constant is not, and unionids come with the next log-in of each user.
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("wechat_users", sa.Column("unionid_hash", sa.LargeBinary(32)))
    op.create_index("ix_wechat_users_unionid_hash", "wechat_users", ["unionid_hash"])
    account = sa.Column("account", sa.String(12), nullable=False, server_default="miniprogram")
    op.add_column("wechat_callbacks", account)
    by_account = sa.text("channel = 'official'")
    op.create_index("ix_notices_official", "notices", ["msgid"], postgresql_where=by_account)
    op.create_table(
        "official_followers",
        sa.Column("openid_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("openid_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("unionid_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("openid_hash", name="pk_official_followers"),
        sa.UniqueConstraint("unionid_hash", name="uq_official_followers_unionid_hash"),
    )
    op.create_table(
        "account_messages",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("about", sa.BigInteger, nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(12)),
        sa.Column("error", sa.String(40)),
        sa.Column("msgid", sa.String(64)),
        sa.Column("updated_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_account_messages"),
        sa.UniqueConstraint("kind", "about", "serial", "user_id", name="uq_account_messages_kind_about_serial_user_id"),
    )
    for column in ("serial", "user_id", "created_at"):
        op.create_index(f"ix_account_messages_{column}", "account_messages", [column])
    op.create_index("ix_account_messages_official", "account_messages", ["msgid"], postgresql_where=by_account)
