"""Parsing of a saved key set: read whole, or refused with one line that says why.

The models are the form that docs/reference/token.md gives to the set; `CodeTokens.key_set` makes one.
"""

import base64
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.core.keys import thumbprint


class KeySetError(ValueError):
    """A text that is no published key set; the message names the place and the fault, in one line."""


class _Key(BaseModel):
    model_config = ConfigDict(frozen=True)

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
    kid: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    x: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime | None

    @model_validator(mode="after")
    def the_kid_is_that_of_the_key(self) -> "_Key":
        if thumbprint(base64.urlsafe_b64decode(self.x + "="))[:8] != self.kid:
            raise ValueError("kid is not that of the key x")
        return self


class _KeySet(BaseModel):
    model_config = ConfigDict(frozen=True)

    keys: tuple[_Key, ...]
    retired: tuple[_Key, ...] = ()

    @model_validator(mode="after")
    def each_key_is_there_once(self) -> "_KeySet":
        known = self.keys + self.retired
        if len({key.kid for key in known}) < len(known):
            raise ValueError("a kid occurs twice")
        return self


def parse_key_set(content: bytes) -> dict[str, Any]:
    """Return the key set in a JSON text, as `verify` takes it. Raises KeySetError."""
    try:
        return _KeySet.model_validate_json(content).model_dump(mode="json", by_alias=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise KeySetError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from None
