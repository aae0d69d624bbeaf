"""Settings that are texts of a certain shape, told by what is expected and never by what was there.

A wrong text may hold a password: no message repeats it.
"""

import re
from collections.abc import Callable
from typing import Annotated

from limits import parse_many
from pydantic import AfterValidator
from redis.connection import parse_url
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.wechat.templates import FieldError, check_fields

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
    try:
        check_fields({key: ""})
    except FieldError as error:
        return error.reason == "empty"  # a key that WeChat does not know is refused before its value
    return True


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
