"""The content of a trust list: issuers with their names, regions and keys, and until when it may be used.

The form is that of docs/reference/trust-list.md. A list is all that is known: nothing of an earlier one goes on. So
what was revoked by mistake is good again by the next list, and what a later list revokes stays so.
"""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from app.core.keys import thumbprint

LONGEST: Final = timedelta(days=31)  # that a list may be used: what is not renewed comes to its end

_Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\s\p{C}](?:[^\p{C}]*[^\s\p{C}])?$")]
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_PublicKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


def _read_moment(text: object) -> datetime:
    """Read one form of a moment alone, so that every reader takes the same lists."""
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        raise ValueError("a moment is written as 2020-03-20T12:00:00+08:00")
    return datetime.fromisoformat(text)


_Moment = Annotated[AwareDatetime, BeforeValidator(_read_moment)]


class TrustContentError(ValueError):
    """A content that no trust list can have; each line of the message names a place and the fault there."""


class _Part(BaseModel):
    """A part of a list: what is not known here is refused, because its maker meant something by it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class IssuerNames(_Part):
    """The name of an issuer, as pages show it."""

    zh: _Name
    en: _Name
    ko: _Name

    def in_language(self, language: str) -> str:
        return {"en": self.en, "ko": self.ko}.get(language, self.zh)


class IssuerKey(_Part):
    """A public key of an issuer: it signs from `since` up to `until`, unless it is revoked."""

    kid: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    x: _PublicKey
    since: _Moment = Field(alias="from")
    until: _Moment | None
    revoked: bool = False

    @model_validator(mode="after")
    def is_whole(self) -> "IssuerKey":
        if thumbprint(base64.urlsafe_b64decode(self.x + "="))[:8] != self.kid:
            raise ValueError("kid is not that of the key x")
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be later than from")
        return self

    def signs_at(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


class Issuer(_Part):
    """Who issues codes elsewhere. The codes of one that is suspended are not shown."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    region: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    names: IssuerNames
    status: Literal["active", "suspended"]
    keys: tuple[IssuerKey, ...] = Field(min_length=1)


class TrustContent(_Part):
    """What is signed. `version` is the second at which the list was made, from 1970 in UTC, and grows."""

    version: int = Field(ge=1, lt=2**32)
    expires_at: _Moment
    issuers: tuple[Issuer, ...]

    @model_validator(mode="after")
    def is_sound(self) -> "TrustContent":
        """Require that nothing is there twice, and that the list does not shut out everybody whom it names."""
        for what, found in (
            ("id", [one.id for one in self.issuers]),
            ("region", [one.region for one in self.issuers]),
            ("kid", [key.kid for _, key in self.each_key()]),
        ):
            if len(set(found)) < len(found):
                raise ValueError(f"a {what} occurs twice")
        if not timedelta(0) < self.expires_at - self.made_at <= LONGEST:
            raise ValueError("expires_at must be within 31 days after the version")
        if self.issuers and not self.kids_in_force():
            raise ValueError("every key is revoked, ended or suspended; to recognise nobody, name no issuer")
        return self

    @property
    def made_at(self) -> datetime:
        return datetime.fromtimestamp(self.version, UTC)

    def each_key(self) -> Iterator[tuple[Issuer, IssuerKey]]:
        """Yield every key with its issuer."""
        return ((issuer, key) for issuer in self.issuers for key in issuer.keys)

    def require_other_keys(self, root: str) -> None:
        """Raise ValueError where an issuer has the root key: whoever signs codes could then write the list."""
        if any(key.x == root for _, key in self.each_key()):
            raise ValueError("the root key is no key of an issuer")

    def find(self, kid: str) -> tuple[Issuer, IssuerKey] | None:
        """Return the key with a kid, and whose it is."""
        return next(((issuer, key) for issuer, key in self.each_key() if key.kid == kid), None)

    def kids_in_force(self) -> set[str]:
        """Return the kids that sign, or will, as the list was made."""
        return {
            key.kid
            for issuer, key in self.each_key()
            if issuer.status == "active" and not key.revoked and (key.until is None or key.until > self.made_at)
        }


def parse_content(text: bytes | str) -> TrustContent:
    """Return the content in a JSON text. Raises TrustContentError with every mistake."""
    try:
        return TrustContent.model_validate_json(text)
    except ValidationError as error:
        lines = [_describe(found) for found in error.errors(include_input=False, include_url=False)]
        raise TrustContentError("\n".join(lines)) from None


def _describe(found: ErrorDetails) -> str:
    place = ".".join(str(part) for part in found["loc"]) or "the list"
    return f"{place}: {found['msg'].removeprefix('Value error, ')}"
