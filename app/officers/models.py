"""Tables of the health officers: who they are, their sessions, the cases they open, and what they propose."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, String, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Role(StrEnum):
    """What an officer may do; one person may have several. The slugs are permanent."""

    RECORDER = "recorder"
    APPROVER = "approver"
    APPEALS = "appeals"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


# the districts of the province that an officer can be of; an officer without one works for all of it
DISTRICTS = (
    "长春市",
    "吉林市",
    "四平市",
    "辽源市",
    "通化市",
    "白山市",
    "松原市",
    "白城市",
    "延边朝鲜族自治州",
    "长白山保护开发区",
)


class Officer(Base):
    """A health officer; `totp_step` is the last half minute whose code was used, so that a code counts once.

    `password_given`: somebody else knows the password, and nothing can be done with it but to change it.
    """

    __tablename__ = "officers"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    username: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    password_hash: Mapped[str] = mapped_column(String(128))
    password_given: Mapped[bool] = mapped_column(default=False)
    totp_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    roles: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    district: Mapped[str | None] = mapped_column(String(40))
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class OfficerSession(Base):
    """A log-in at the console; the token itself is in the officer's browser alone."""

    __tablename__ = "officer_sessions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officers.id"), index=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Case(Base):
    """A person with a suspected or confirmed infection, to whom the evidence of contacts points.

    `ended_at` is when it was ruled out; then everything that rests on it has fallen.
    """

    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    number: Mapped[str] = mapped_column(String(100), unique=True)
    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"), index=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposals.id", use_alter=True), index=True)
    district: Mapped[str | None] = mapped_column(String(40))
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Proposal(Base):
    """One thing stated of one person or of many, and how far it has come: see proposals.py.

    `alarm` is why it was held; `approve_until` is when an urgent one falls without approval.
    """

    __tablename__ = "proposals"
    __table_args__ = (
        Index("ix_proposals_recorder", "recorder_id", "recorded_at"),
        Index("ix_proposals_state", "state", "recorded_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    authority: Mapped[str] = mapped_column(String(80))
    reference: Mapped[str] = mapped_column(String(80))
    exposed_on: Mapped[date | None]
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    place: Mapped[str | None] = mapped_column(String(80))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    people: Mapped[int]
    district: Mapped[str | None] = mapped_column(String(40))
    recorder_id: Mapped[int] = mapped_column(ForeignKey("officers.id"))
    recorded_at: Mapped[datetime]
    urgent: Mapped[bool]
    state: Mapped[str] = mapped_column(String(12))
    alarm: Mapped[str | None] = mapped_column(String(40))
    released_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    released_for: Mapped[str | None] = mapped_column(String(40))
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    settled_at: Mapped[datetime | None]
    settled_for: Mapped[str | None] = mapped_column(String(40))
    approve_until: Mapped[datetime | None]


class Concerned(Base):
    """A person whom a proposal concerns, and the evidence that came of it once it counted.

    `exposed_on` is the last day of contact of somebody who has one of their own; the proposal has the latest of all.
    """

    __tablename__ = "proposal_people"

    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposals.id"), primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"), primary_key=True, index=True)
    evidence_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), index=True)
    exposed_on: Mapped[date | None]
