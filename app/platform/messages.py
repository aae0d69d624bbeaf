"""Question and answer of the national platform.

Owns their format and its checks: an invalid answer never becomes evidence. A kind of finding that is not known here
does not make the answer invalid: the other findings are evidence all the same. No error contains a person's data or the
answer.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal, Protocol, Self, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from app.core.clock import BEIJING

FindingKind = Literal["contact", "quarantine", "suspected", "confirmed"]
CONSISTENT: Final = "consistent"
RESULTS: Final = frozenset({CONSISTENT, "identity-mismatch"})
_KINDS: Final = frozenset(get_args(FindingKind))

_FIRST_DAY: Final = date(2019, 1, 1)  # nothing that is found about an epidemic in these years is older
_FAR: Final = timedelta(days=366)  # no order reaches further
_SKEW: Final = timedelta(minutes=5)  # between the platform's clock and ours
_OLDEST_CHECK: Final = timedelta(days=1)

_Word = Annotated[str, StringConstraints(pattern=r"^\P{Cc}{1,64}$")]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\P{Cc}+$")]


class PlatformUnavailable(Exception):
    """The platform did not answer, or its answer cannot be used; `reason` is a word of ours, such as "timeout"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PlatformAnswerUnusable(PlatformUnavailable):
    """The platform answered about one person what cannot be used; it says nothing of the platform as a whole."""


class PlatformRefused(Exception):
    """The platform refuses the question itself, with its code, or the HTTP status where it gives none."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class PlatformQuestion:
    """One question about a declaration; `reference` is our own id of it.

    Without a phone the platform goes by name and document alone; without `declared_at` it is asked about the identity
    alone, and no declaration is sent. Raises ValueError when `declared_at` has no time zone.
    """

    reference: str
    name: str = field(repr=False)
    document_type: str
    document_number: str = field(repr=False)
    phone: str | None = field(repr=False)
    symptoms: Sequence[str] = field(default=(), repr=False)
    contact_on: date | None = field(default=None, repr=False)
    declared_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.declared_at is not None and self.declared_at.tzinfo is None:
            raise ValueError("declared_at needs a time zone")

    def to_json(self) -> bytes:
        """Return the body of the request, in ASCII: a text that is not valid Unicode becomes an escape, no error."""
        declaration = None
        if self.declared_at is not None:
            declaration = {
                "symptoms": list(self.symptoms),
                "contact_on": self.contact_on.isoformat() if self.contact_on else None,
                "declared_at": self.declared_at.isoformat(),
            }
        question = {
            "reference": self.reference,
            "name": self.name,
            "document": {"type": self.document_type, "number": self.document_number},
            "phone": self.phone,
            "declaration": declaration,
        }
        return json.dumps(question).encode()


class _Wire(BaseModel):
    """A part of the answer: unknown fields are ignored, known ones must be valid."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


class Finding(_Wire):
    """A record of an authority about the person. Days are Beijing days, the last one included."""

    kind: FindingKind
    authority: _Text
    document: _Text
    since: AwareDatetime
    exposed_on: date | None = Field(default=None, repr=False)
    first_day: date | None = Field(default=None, repr=False)
    last_day: date | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def check_days_of_kind(self) -> Self:
        if self.kind == "contact" and self.exposed_on is None:
            raise ValueError("a contact needs exposed_on")
        days_right = self.first_day and self.last_day and self.first_day <= self.last_day
        if self.kind == "quarantine" and not days_right:
            raise ValueError("a quarantine needs first_day and a last_day not before it")
        return self


class UnknownFinding(_Wire):
    """A record of a kind that is not known here."""

    kind: _Word

    @model_validator(mode="after")
    def check_kind(self) -> Self:
        if self.kind in _KINDS:
            raise ValueError("a finding of this kind is malformed")
        return self


class PlatformAnswer(_Wire):
    """The platform's answer; `reference` is its own id of it, and its words may be ones that are not known here.

    A mismatch may name what differs: name, document, phone.
    """

    result: _Word
    mismatched: tuple[_Word, ...] = Field(default=(), max_length=10)
    reference: _Text
    checked_at: AwareDatetime
    findings: tuple[Finding | UnknownFinding, ...] = Field(default=(), max_length=100, repr=False)

    @property
    def known_findings(self) -> tuple[Finding, ...]:
        """Return the findings that can become evidence."""
        return tuple(finding for finding in self.findings if isinstance(finding, Finding))

    @property
    def unknown_findings(self) -> int:
        """Return the number of the others: with one of them, the answer does not say that nothing else was found."""
        return len(self.findings) - len(self.known_findings)


class Dated(Protocol):
    """An answer with the moment at which the platform checked."""

    @property
    def checked_at(self) -> datetime: ...


def require_fresh(answer: Dated, now: datetime) -> None:
    """Raise PlatformAnswerUnusable when the platform says that it checked long ago, or in the future."""
    if not now - _OLDEST_CHECK <= answer.checked_at <= now + _SKEW:
        raise PlatformAnswerUnusable("malformed")


def require_plausible(answer: PlatformAnswer, now: datetime) -> None:
    """Raise PlatformAnswerUnusable for a finding of days that cannot be: a contact to come, or a year such as 9999."""
    today, latest = ((now + ahead).astimezone(BEIJING).date() for ahead in (_SKEW, _FAR))
    for finding in answer.known_findings:
        days = finding.since.date(), finding.exposed_on, finding.first_day, finding.last_day
        if not all(_FIRST_DAY <= day <= latest for day in days if day is not None):
            raise PlatformAnswerUnusable("malformed")
        if finding.exposed_on is not None and finding.exposed_on > today:
            raise PlatformAnswerUnusable("malformed")
