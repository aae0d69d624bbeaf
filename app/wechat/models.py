"""Tables of WeChat: its users, their subscriptions, and the receipts of callbacks.

An openid is personal data: it is encrypted, and found by a keyed hash. WeChat's session_key is not stored.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class WeChatUser(Base):
    """One openid; `serial` is the code it is bound to, if any. A new `epoch` ends its sessions without a code.

    `unionid_hash` is where WeChat has given a unionid: by its keyed hash the same person is found among the followers
    of the official account.
    """

    __tablename__ = "wechat_users"
    __table_args__ = (Index("ix_wechat_users_visitors", "last_login_at", postgresql_where="serial IS NULL"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    openid_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    openid_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    unionid_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    serial: Mapped[int | None] = mapped_column(ForeignKey("codes.serial"), index=True)
    language: Mapped[str] = mapped_column(String(2), default="zh")
    epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime]


class Subscription(Base):
    """The ledger of one user and one template: how many messages WeChat will still accept from us.

    WeChat has no call that returns the balance, so it is computed from accepts, sent messages and refusals.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (CheckConstraint("credits >= 0", name="credits_not_negative"),)

    wechat_user_id: Mapped[int] = mapped_column(ForeignKey("wechat_users.id"), primary_key=True)
    template_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    credits: Mapped[int] = mapped_column(default=0)
    last_answer: Mapped[str] = mapped_column(String(10))
    changed_at: Mapped[datetime]


class SubscriptionAccept(Base):
    """One accept as it was reported to us: by the mini-program (`client`) or by WeChat (`event`).

    Both report the same tap: the later row refers to the earlier one by `matched_with`, and gives no credit.
    """

    __tablename__ = "subscription_accepts"
    __table_args__ = (Index("ix_subscription_accepts_ledger", "wechat_user_id", "template_id", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    wechat_user_id: Mapped[int] = mapped_column(ForeignKey("wechat_users.id"))
    template_id: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(6))
    at: Mapped[datetime] = mapped_column(index=True)
    matched_with: Mapped[int | None] = mapped_column(
        ForeignKey("subscription_accepts.id", ondelete="CASCADE"), unique=True
    )


class OfficialFollower(Base):
    """Who follows the official account, by the keyed hashes of openid and unionid; deleted when they unfollow.

    `followed_at` is WeChat's time; `seen_at` is when WeChat has last named them as a follower.
    """

    __tablename__ = "official_followers"

    openid_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    openid_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    unionid_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    followed_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class CallbackReceipt(Base):
    """One callback of WeChat, with `event_key`, a keyed hash, to recognize its retries; `account` is whose it is.

    The message is stored, encrypted, until it is applied; then `outcome` says in a few words what that changed.
    """

    __tablename__ = "wechat_callbacks"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_key: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account: Mapped[str] = mapped_column(String(12), default="miniprogram", server_default="miniprogram")
    name: Mapped[str] = mapped_column(String(64))
    message_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(index=True)
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(200))
