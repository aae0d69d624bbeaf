"""Table of captures: callbacks stored as they arrived, for operators who investigate a problem."""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class WeChatCapture(Base):
    """One callback as it arrived, encrypted as a whole; `size` is that of its body in bytes."""

    __tablename__ = "wechat_captures"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    size: Mapped[int]
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
