"""The verification contract of the national government service platform, seen from the platform.

Owns the shape of question and answer and the check of the signature. Written from the contract's
text and shared with no client, so that the two check each other. Its messages name fields, never
values: every value is about a person.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from sandbox_kit.reading import Strict, sentence

WINDOW_SECONDS = 300

Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
New = Annotated[str, Field(pattern=r"^new-[a-z]{1,20}$")]  # stands for a word that the platform may add one day


class Document(Strict):
    type: Text
    number: Text = Field(repr=False)


class Declaration(Strict):
    symptoms: list[Text] = Field(max_length=50, repr=False)
    contact_on: date | None
    declared_at: AwareDatetime


class Question(Strict):
    """One citizen's declaration to verify; `reference` is the asker's name for the question.

    The phone is null for a citizen who has withdrawn it, the declaration where the identity alone is in question.
    """

    reference: Text
    name: Text = Field(repr=False)
    document: Document
    phone: Text | None = Field(repr=False)
    declaration: Declaration | None


class Named(Strict):
    """Somebody by name and document."""

    name: Text = Field(repr=False)
    document: Document


class GuardianshipQuestion(Strict):
    """Whether the one is a guardian of the other; `reference` is the asker's name for the question."""

    reference: Text
    guardian: Named
    child: Named


class CodeQuestion(Strict):
    """What the code of a province says now."""

    reference: Text
    issuer: Text
    region: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    token: str = Field(min_length=1, max_length=1024, repr=False)


class Code(Strict):
    """What the codes of an issuer say, here all of them alike."""

    state: Literal["UNVERIFIED", "GREEN", "YELLOW", "ORANGE", "RED"] | New


class Finding(Strict):
    """What an authority has on record about a person."""

    kind: Literal["contact", "quarantine", "suspected", "confirmed"] | New
    authority: Text
    document: Text
    since: AwareDatetime
    exposed_on: date | None = None
    first_day: date | None = None
    last_day: date | None = None

    @model_validator(mode="after")
    def its_kind_decides_its_days(self) -> Self:
        if (self.kind == "contact") != (self.exposed_on is not None):
            raise ValueError("exposed_on belongs to a contact, and to nothing else")
        both = self.first_day is not None and self.last_day is not None
        neither = self.first_day is None and self.last_day is None
        if not (both if self.kind == "quarantine" else neither):
            raise ValueError("first_day and last_day belong to a quarantine, and to nothing else")
        if self.first_day and self.last_day and self.first_day > self.last_day:
            raise ValueError("first_day is after last_day")
        return self


class Person(Strict):
    """What the platform knows of the holder of a document. A name or phone that it does not know is not compared."""

    result: Literal["consistent", "identity-mismatch"] | New = "consistent"
    name: Text | None = Field(default=None, repr=False)
    phone: Text | None = Field(default=None, repr=False)
    findings: list[Finding] = Field(default=[])
    born_on: date | None = Field(default=None, repr=False)
    guardians: list[Text] = Field(default=[], repr=False)  # the document numbers of theirs

    def has_guardian(self, question: GuardianshipQuestion) -> bool:
        """Whether the name is the child's, letter by letter, and the asker one of the guardians on record."""
        named = self.name is None or self.name == question.child.name
        return named and self.born_on is not None and question.guardian.document.number in self.guardians

    def differences(self, question: Question) -> list[str]:
        """The parts of a question that differ from what is known, letter by letter: a blank more is another name."""
        differing = []
        if self.name is not None and self.name != question.name:
            differing.append("name")
        if None not in (self.phone, question.phone) and self.phone != question.phone:
            differing.append("phone")
        return differing


class Denied(Exception):
    """The platform does not answer the question: HTTP status, its own code and one sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def read_question(body: bytes) -> Question:
    """Raises Denied 40001, naming the fields that are missing, unknown or wrong."""
    try:
        return Question.model_validate_json(body)
    except ValidationError as error:
        raise Denied(400, 40001, sentence(error)) from None


def read_guardianship(body: bytes) -> GuardianshipQuestion:
    """Raises Denied 40001 as `read_question` does."""
    try:
        return GuardianshipQuestion.model_validate_json(body)
    except ValidationError as error:
        raise Denied(400, 40001, sentence(error)) from None


def read_code_question(body: bytes) -> CodeQuestion:
    """Raises Denied 40001 as `read_question` does."""
    try:
        return CodeQuestion.model_validate_json(body)
    except ValidationError as error:
        raise Denied(400, 40001, sentence(error)) from None


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it was signed."""

    method: str
    path: str
    app_key: str
    timestamp: str
    nonce: str
    signature: str
    body: bytes = field(repr=False)


def signature(secret: str, call: Call) -> str:
    """Hex HMAC-SHA256 over the five signed parts, one a line."""
    digest = hashlib.sha256(call.body).hexdigest()
    text = "\n".join((call.method, call.path, call.timestamp, call.nonce, digest))
    return hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()


def check_signature(app_key: str, secret: str, call: Call, now: float, first_use: Callable[[str, float], bool]) -> None:
    """Raises Denied 40101 for a wrong key, time or signature, and 40102 for a nonce seen before.

    `now` is unix seconds; `first_use(nonce, until)` remembers a nonce until then and is asked last,
    so that an unsigned request uses up nothing.
    """
    if not _same(call.app_key, app_key):
        raise Denied(401, 40101, "unknown X-App-Key")
    if not re.fullmatch(r"[0-9]{1,12}", call.timestamp):
        raise Denied(401, 40101, "X-Timestamp is not unix seconds")
    if abs(now - int(call.timestamp)) > WINDOW_SECONDS:
        raise Denied(401, 40101, "X-Timestamp is outside the window")
    if not call.nonce or not _same(call.signature, signature(secret, call)):
        raise Denied(401, 40101, "wrong X-Signature")
    if not first_use(call.nonce, int(call.timestamp) + WINDOW_SECONDS):
        raise Denied(401, 40102, "X-Nonce was used before")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
