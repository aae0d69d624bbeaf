"""Asking what the code of another province says now: its issuer, or the national platform, in the envelope of that.

Which issuer is asked, and where, is a file of the installation. That this interface exists with any of them is an
inference: published are three ways in which provinces recognise each other, and no format of any (decision 62).
"""

import json
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from app.core.errors import ConfigError
from app.core.settings import read_secret
from app.platform.exchange import Exchange
from app.platform.messages import require_fresh
from app.platform.national_wire import NationalAccess, NationalWire
from app.platform.secret_exchange import FixedSecret

RECOGNITION: Final = "recognition"


class RecognitionWay(BaseModel):
    """How the codes of an issuer are recognised: `way` says who is asked. Without a way they are shown as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    way: Literal["issuer", "platform"]
    base_url: Annotated[str, Field(pattern="^https?://")]
    requester_id: Annotated[str, Field(min_length=1)]
    service_id: Annotated[str, Field(min_length=1)]
    path: Annotated[str, Field(pattern="^/")]
    secret_file: Path
    signs_bodies: bool = False  # where another installation of ours is asked
    timeout_seconds: float = Field(default=2.0, gt=0, le=10)
    circuit_open_seconds: int = Field(default=5, ge=1, le=300)


@dataclass(frozen=True, slots=True)
class StateQuestion:
    """What a code says now; `reference` is our own id of the question. The code itself says whose it is."""

    reference: str
    issuer: str
    region: str
    token: str = field(repr=False)

    def to_json(self) -> bytes:
        """Return the body of the request."""
        asked = {"reference": self.reference, "issuer": self.issuer, "region": self.region, "token": self.token}
        return json.dumps(asked).encode()


class StateAnswer(BaseModel):
    """The state of now. A word that is not known here makes the answer unusable: it is no color."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)

    state: Literal["UNVERIFIED", "GREEN", "YELLOW", "ORANGE", "RED"]
    reference: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\P{Cc}+$")]
    checked_at: AwareDatetime


class StateClient:
    """Asks about the codes of one issuer; one object serves all threads."""

    def __init__(self, way: RecognitionWay, secret: str, *, seconds: Callable[[], float] = time.time) -> None:
        self.way, self._seconds = way, seconds
        self._exchange = Exchange(way.base_url, way.timeout_seconds)
        services = {RECOGNITION: (way.service_id, way.path)}
        access = NationalAccess(way.base_url, way.requester_id, services, FixedSecret(secret), way.signs_bodies)
        self._wire = NationalWire(access, self._exchange)

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()

    def ask(self, question: StateQuestion) -> StateAnswer:
        """Return the state of now. Raises PlatformUnavailable, PlatformRefused."""
        answer = self._wire.ask(RECOGNITION, question, self._seconds(), StateAnswer)
        require_fresh(answer, datetime.fromtimestamp(self._seconds(), UTC))
        return answer


def load_ways(file: Path | None) -> Mapping[str, RecognitionWay]:
    """Return the ways in a TOML file, by issuer; none without a file. Raises ConfigError with every mistake."""
    if file is None:
        return {}
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read ({type(error).__name__}); correct it, or trust.ways_file.") from None
    ways, mistakes = dict[str, RecognitionWay](), list[str]()
    for issuer, table in content.items():
        try:
            ways[issuer] = RecognitionWay.model_validate(table)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            mistakes += [f"trust.ways_file: {'.'.join(map(str, (issuer, *one['loc'])))}: {one['msg']}" for one in found]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return ways


def check_ways(file: Path | None, *, is_production: bool) -> None:
    """Raise ConfigError with every mistake of a file of ways, and of the secrets that it names."""
    mistakes = []
    for issuer, way in load_ways(file).items():
        if is_production and way.base_url.startswith("http://"):
            mistakes.append(f"trust.ways_file: {issuer}: base_url must begin with https:// in production")
        try:
            read_secret(way.secret_file, f"trust.ways_file: {issuer}")
        except ConfigError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ConfigError("\n".join(mistakes))


def connect_ways(file: Path | None) -> Mapping[str, StateClient]:
    """Return who is asked about the codes of each issuer. Raises ConfigError."""
    ways = load_ways(file)
    return {id_: StateClient(way, read_secret(way.secret_file, f"trust.ways_file: {id_}")) for id_, way in ways.items()}
