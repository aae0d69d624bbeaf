"""The tables of partners: what each may ask and how its requests are verified, and how often it asked in this hour."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Interface(StrEnum):
    """The seven interfaces that GB/T 38963 names; the words are ours."""

    VERIFICATION = "verification"
    QUERY = "query"
    CORRECTION = "correction"
    HEALTH_DECLARATION = "health-declaration"
    TRIP_DECLARATION = "trip-declaration"
    CODE_CALL = "code-call"
    CODE_MAKING = "code-making"

    @property
    def service_id(self) -> str:
        """The sid of this interface in the envelope."""
        return f"jx-{self}"


OFFERED: Final = (Interface.VERIFICATION, Interface.QUERY, Interface.CORRECTION)


class Partner(Base):
    """A partner, until `revoked_at`; its id is never given again. One that is `plain` need not sign bodies."""

    __tablename__ = "partners"

    id: Mapped[str] = mapped_column(String(31), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    interfaces: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    rate: Mapped[str] = mapped_column(String(60))
    plain: Mapped[bool]
    secret_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(80))
    revoked_at: Mapped[datetime | None]


class PartnerCount(Base):
    """How often a partner asked an interface in an hour, by outcome; the audit has it when the hour is over."""

    __tablename__ = "partner_counts"

    partner_id: Mapped[str] = mapped_column(ForeignKey("partners.id"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    interface: Mapped[str] = mapped_column(String(20), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int]
