"""WeChat's callbacks: what arrived, and the accepts that make credits; citizens who had themselves erased."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wechat_callbacks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("message_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_callbacks")),
        sa.UniqueConstraint("event_key", name=op.f("uq_wechat_callbacks_event_key")),
    )
    op.create_index(op.f("ix_wechat_callbacks_received_at"), "wechat_callbacks", ["received_at"], unique=False)
    op.create_table(
        "subscription_accepts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("wechat_user_id", sa.BigInteger(), nullable=False),
        sa.Column("template_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=6), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("matched_with", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["matched_with"],
            ["subscription_accepts.id"],
            name=op.f("fk_subscription_accepts_matched_with"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["wechat_user_id"], ["wechat_users.id"], name=op.f("fk_subscription_accepts_wechat_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_accepts")),
        sa.UniqueConstraint("matched_with", name=op.f("uq_subscription_accepts_matched_with")),
    )
    op.create_index(op.f("ix_subscription_accepts_at"), "subscription_accepts", ["at"], unique=False)
    op.create_index(
        "ix_subscription_accepts_ledger", "subscription_accepts", ["wechat_user_id", "template_id", "at"], unique=False
    )
    op.alter_column("citizens", "document_sealed", existing_type=sa.LargeBinary(), nullable=True)
    op.add_column("citizens", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
