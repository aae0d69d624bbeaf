"""The table of trust lists. No person is in it: issuers and their public keys alone."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class ImportedList(Base):
    """A trust list that was taken into use, imported by two or fetched, as signed. The greatest version counts."""

    __tablename__ = "trust_lists"

    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    imported_at: Mapped[datetime]
    imported_by: Mapped[str] = mapped_column(String(80))
    content: Mapped[str]
