"""Encoding of many small values as JSON, by one encoder: `json.dumps` makes a new one for each text."""

from collections.abc import Callable
from json import encoder
from typing import Any


def make_encoder(default: Callable[[Any], Any] | None = None) -> Callable[[Any], str]:
    """Return a function that encodes as `json.dumps` with sorted keys and no spaces; `default` as there."""
    make = encoder.c_make_encoder  # type: ignore[attr-defined]
    settings = (None, default, encoder.encode_basestring_ascii, None, ":", ",", True, False, True)
    encode = make(*settings)
    return lambda value: "".join(encode(value, 0))
