"""JSON by one encoder is the JSON of the standard library: digests of rows depend on each letter."""

import json
from datetime import UTC, datetime

import pytest

from app.core.json_text import make_encoder

MOMENT = datetime(2020, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        ["evidence", "示例〔2020〕1号", None, True, 6, 38.1, []],
        {"b": {"z": [1, {}], "a": '\x7f\x00\\"/\u2028\U0001f600'}, "a": ""},
        "\udc80",
        [MOMENT, {"at": MOMENT}],
    ],
)
def test_every_letter_is_that_of_json_dumps(value: object) -> None:
    assert make_encoder(str)(value) == json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def test_what_has_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        make_encoder()([MOMENT])
