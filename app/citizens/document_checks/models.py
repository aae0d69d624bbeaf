"""The table of document checks, which only the person who was checked can read."""

from datetime import date

from sqlalchemy import LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class DocumentCheck(Base):
    """One check of a person by their document: whose it is only a keyed hash says, all else is encrypted.

    So nobody without the keys can find where a person was. `day` is for the retention.
    """

    __tablename__ = "document_checks"

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    person: Mapped[str] = mapped_column(String(20), index=True)  # see `trail.person_of`
    day: Mapped[date] = mapped_column(index=True)
    content_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
