"""What settings are made of: sections, and texts of a certain shape, told by what is expected.

A wrong text may hold a password: no message repeats it.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from limits import parse_many
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from redis.connection import parse_url
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

# the types of the fields of a subscribe message; app/wechat/templates.py has the limits of each
FIELD_TYPES = frozenset(
    {"thing", "phrase", "character_string", "number", "letter", "symbol", "time", "date", "name", "amount"}
    | {"phone_number", "car_number", "enum"}
)
_WEB_ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(/[^\s?#]*)?")


def _checked(read: Callable[[str], object], expected: str) -> AfterValidator:
    """A validator that keeps the text and says what is expected, never what was there: it may hold a password."""

    def check(text: str) -> str:
        try:
            right = read(text)
        except (ValueError, ArgumentError):
            right = None
        if not right:
            raise ValueError(expected)
        return text

    return AfterValidator(check)


def _is_web_address(url: str) -> bool:
    return not url or _WEB_ADDRESS.fullmatch(url) is not None


def _is_field_key(key: str) -> bool:
    match = re.fullmatch(r"([a-z_]+?)[0-9]*", key)
    return match is not None and match[1] in FIELD_TYPES


def _is_postgres(url: str) -> bool:
    return make_url(url).drivername == "postgresql+psycopg"


Url = Annotated[
    str,
    AfterValidator(lambda url: url.rstrip("/")),
    _checked(_is_web_address, "must be an address such as https://example.com"),
]
Rate = Annotated[str, _checked(parse_many, "must be a rate such as 20 per hour")]
FieldKey = Annotated[str, _checked(_is_field_key, "must be a key of a template, such as thing2")]
PostgresUrl = Annotated[str, _checked(_is_postgres, "must begin with postgresql+psycopg:// and be an address")]
RedisUrl = Annotated[str, _checked(parse_url, "must be a redis://, rediss:// or unix:// address")]


class SettingsSection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenSettings(SettingsSection):
    lifetime_seconds: int = Field(default=60, ge=20, le=600)
    skew_seconds: int = Field(default=10, ge=0, le=60)
    renew_before_seconds: int = Field(default=15, ge=5, le=60)
    temperature_grace_seconds: int = Field(default=600, ge=0, le=3600)
    offline_hours: int = Field(default=24, ge=1, le=48)

    @property
    def life(self) -> timedelta:
        return timedelta(seconds=self.lifetime_seconds)

    @property
    def skew(self) -> timedelta:
        return timedelta(seconds=self.skew_seconds)

    @property
    def temperature_grace(self) -> timedelta:
        return timedelta(seconds=self.temperature_grace_seconds)

    @property
    def offline(self) -> timedelta:
        return timedelta(hours=self.offline_hours)

    @model_validator(mode="after")
    def renewal_comes_before_the_end(self) -> "TokenSettings":
        if self.renew_before_seconds >= self.lifetime_seconds:
            raise ValueError("renew_before_seconds must be smaller than lifetime_seconds")
        return self
