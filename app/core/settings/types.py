"""Types of settings: the base of a section, and texts of a certain form.

A wrong text may contain a password, so an error says what is expected and never repeats the text.
"""

import re
from collections.abc import Callable
from typing import Annotated

from limits import parse_many
from pydantic import AfterValidator, BaseModel, ConfigDict

from app.core.settings import database_url, redis_url

# the types of the fields of a subscribe message; app/wechat/templates.py has the limits of each
FIELD_TYPES = frozenset(
    {"thing", "phrase", "character_string", "number", "letter", "symbol", "time", "date", "name", "amount"}
    | {"phone_number", "car_number", "enum"}
)
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_WEB_ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(/[^\s?#]*)?", re.ASCII)


def _checked(read: Callable[[str], object], expected: str) -> AfterValidator:
    """Return a validator that keeps a text which `read` accepts, and otherwise says what is expected."""

    def check(text: str) -> str:
        try:
            accepted = read(text)
        except ValueError:
            accepted = None
        if not accepted:
            raise ValueError(expected)
        return text

    return AfterValidator(check)


def _is_web_address(url: str) -> bool:
    return not url or _WEB_ADDRESS.fullmatch(url) is not None


def _is_field_key(key: str) -> bool:
    match = re.fullmatch(r"([a-z_]+?)[0-9]*", key)
    return match is not None and match[1] in FIELD_TYPES


Url = Annotated[
    str,
    AfterValidator(lambda url: url.rstrip("/")),
    _checked(_is_web_address, "must be an address such as https://example.com"),
]
Rate = Annotated[str, _checked(parse_many, "must be a rate such as 20 per hour")]
FieldKey = Annotated[str, _checked(_is_field_key, "must be a key of a template, such as thing2")]
PostgresUrl = Annotated[str, AfterValidator(database_url.check_url)]
RedisUrl = Annotated[str, AfterValidator(redis_url.check_url)]


class SettingsSection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
