"""Make tests/vectors/strips.json, which tests any reader of strips: `python -m tools.make_strip_vectors`.

Everything in it is invented, the keys too, and it comes out the same each time. The expected answers are written down
here from docs/reference/token.md.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import base45

from app.codes.states import State
from app.codes.tokens import STATES_WITH_TOKEN, STRIP_PREFIX, CodeTokens, StripHolder, StripTokens, StripWindow
from app.core.clock import rfc3339
from tools.make_vectors import HANDOVER, LIFE, NOW, ROOT, SECOND, SKEW, invented_keys

FILE = ROOT / "tests" / "vectors" / "strips.json"
WINDOW = StripWindow(NOW + timedelta(hours=2), NOW + timedelta(hours=2, minutes=5))

Vector = dict[str, Any]


def content() -> dict[str, Any]:
    """Return the content of the file."""
    key_set = CodeTokens(invented_keys(), LIFE, SKEW, timedelta(days=181)).key_set(NOW + timedelta(hours=2))
    note = "Invented strips and how docs/reference/token.md has them read; made by tools/make_strip_vectors.py"
    vectors = [*_read(), *_refused()]
    return {"note": note, "skew_seconds": int(SKEW.total_seconds()), "key_set": key_set, "vectors": vectors}


def _read() -> Iterator[Vector]:
    times = {"issued_at": rfc3339(NOW), "begins_at": rfc3339(WINDOW[0]), "ends_at": rfc3339(WINDOW[1])}
    for state in STATES_WITH_TOKEN:
        expect = {"state": state.name, **times}
        yield {"name": f"a good token, {state.name}", "text": _mint(state), "at": rfc3339(WINDOW[0]), "expect": expect}
    good = {"state": "GREEN", **times}
    yield {"name": "just begun", "text": _mint(), "at": rfc3339(WINDOW[0] - SKEW), "expect": good}
    yield {"name": "just not over", "text": _mint(), "at": rfc3339(WINDOW[1] + SKEW), "expect": good}


def _refused() -> Iterator[Vector]:
    token = _mint()
    data = bytes(base45.b45decode(token.removeprefix(STRIP_PREFIX)))
    yield _vector("before its window, by a second", token, "not-yet-valid", WINDOW[0] - SKEW - SECOND)
    yield _vector("at its issue, before its window", token, "not-yet-valid", NOW)
    yield _vector("after its window, by a second", token, "expired", WINDOW[1] + SKEW + SECOND)
    places = {"exp": 25, "nbf": 31, "iat": 37, "the first byte of cti": 41, "the signature": 77}
    for name, at in places.items():
        yield _vector(f"changed: {name}", _spell(data, at), "forged")
    green = bytes(base45.b45decode(_mint(State.RED).removeprefix(STRIP_PREFIX)))
    turned = green[:74] + bytes((State.GREEN,)) + green[75:]
    yield _vector("red turned green", STRIP_PREFIX + base45.b45encode(turned).decode(), "forged")
    yield _vector("of another system", _mint(system="other"), "unknown-key")
    yield _vector("a key that retired before the issue", _mint(system="before", at=HANDOVER), "unknown-key")
    for at in (0, 18, 26, 32, 38, 40, 69, 73, 75):
        yield _vector(f"changed: fixed byte {at}", _spell(data, at), "malformed")
    spoilt = {"no prefix": token[4:], "of a code": "JX1:" + token[4:], "small": token.lower(), "cut": token[:-1]}
    for name, text in spoilt.items():
        yield _vector(name, text, "malformed")


def _vector(name: str, text: str, outcome: str, at: datetime = WINDOW[0]) -> Vector:
    return {"name": name, "text": text, "at": rfc3339(at), "expect": {"refused": outcome}}


def _mint(state: State = State.GREEN, system: str = "ours", at: datetime = NOW) -> str:
    """Return a token whose random bytes are fixed, so that the file is reproducible."""
    with patch("app.codes.tokens.strip_tokens.os.urandom", lambda size: bytes(size)):
        return StripTokens(invented_keys(system), SKEW).mint(StripHolder(1, 1, state), at, WINDOW)


def _spell(data: bytes, at: int) -> str:
    changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
    return f"{STRIP_PREFIX}{base45.b45encode(changed).decode()}"


def main() -> None:
    FILE.write_text(json.dumps(content(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
