"""Tables of WeChat: its users as we know them, and the ledger of what they subscribed to.

An openid is personal data: sealed, and found by a keyed hash. WeChat's session_key is not kept.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class WeChatUser(Base):
    """One openid; `serial` is the code it is bound to, if any, and `epoch` ends its unbound sessions."""

    __tablename__ = "wechat_users"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    openid_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    openid_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    serial: Mapped[int | None] = mapped_column(ForeignKey("codes.serial"), index=True)
    language: Mapped[str] = mapped_column(String(2), default="zh")
    epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime]


class Subscription(Base):
    """The ledger of one user and one template: how many messages WeChat will still accept from us.

    WeChat has no call that tells the balance, so it is kept by what was accepted, sent and refused.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (CheckConstraint("credits >= 0", name="credits_not_negative"),)

    wechat_user_id: Mapped[int] = mapped_column(ForeignKey("wechat_users.id"), primary_key=True)
    template_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    credits: Mapped[int] = mapped_column(default=0)
    last_answer: Mapped[str] = mapped_column(String(10))
    changed_at: Mapped[datetime]
