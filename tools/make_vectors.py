"""Make tests/vectors/tokens.json, which tests any reader of tokens: `python -m tools.make_vectors`.

Those of the other forms are made by `make_paper_vectors`.

Everything in it is invented, the keys too, and it comes out the same each time. The expected answers are written down
here from docs/reference/token.md; tests/codes/test_vectors.py and the mini-program's tests hold the readers to them.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import base45
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.codes.states import State
from app.codes.tokens import PREFIX, STATES_WITH_TOKEN, CodeTokens
from app.core.clock import rfc3339
from app.core.keys import Keys, SigningKey, thumbprint

ROOT = Path(__file__).parents[1]
FILE = ROOT / "tests" / "vectors" / "tokens.json"
SECOND = timedelta(seconds=1)
NOW = datetime(2020, 3, 20, 4, 0, tzinfo=UTC)
HANDOVER = NOW + timedelta(hours=1)  # the second key signs from here
LIFE, SKEW = 60 * SECOND, 10 * SECOND
ORDER = 2**252 + 27742317777372353535851937790883648493  # of the curve's group

Vector = dict[str, Any]


def content() -> dict[str, Any]:
    """Return the content of the file."""
    example = _example()
    known = {"two-keys": _tokens().key_set(NOW), "documentation": example["keys"], "no-keys": {"keys": []}}
    vectors = [*_good(), *_times(), *_keys(), *_forged(), *_malformed(), *example["vectors"]]
    note = "Invented tokens and how docs/reference/token.md has them read; made by tools/make_vectors.py"
    return {"note": note, "skew_seconds": int(SKEW.total_seconds()), "key_sets": known, "vectors": vectors}


def _vector(name: str, text: str, at: datetime, expect: dict[str, str], keys: str = "two-keys") -> Vector:
    return {"name": name, "text": text, "keys": keys, "at": rfc3339(at), "expect": expect}


def _read(state: State, issued: datetime = NOW) -> dict[str, str]:
    return {"state": state.name, "issued_at": rfc3339(issued), "ends_at": rfc3339(issued + LIFE)}


def _refused(outcome: str) -> dict[str, str]:
    return {"refused": outcome}


def _good() -> Iterator[Vector]:
    for state in STATES_WITH_TOKEN:
        yield _vector(f"a good token, {state.name}", _mint(state), NOW + 30 * SECOND, _read(state))
    yield _vector("a token of the key that follows", _mint(at=HANDOVER), HANDOVER, _read(State.GREEN, HANDOVER))
    last = HANDOVER - SECOND
    yield _vector("the last token of a retired key", _mint(at=last), HANDOVER, _read(State.GREEN, last))


def _times() -> Iterator[Vector]:
    token, early, late = _mint(), NOW - SKEW, NOW + LIFE + SKEW
    yield _vector("not yet valid, by a second", token, early - SECOND, _refused("not-yet-valid"))
    yield _vector("just valid", token, early, _read(State.GREEN))
    yield _vector("just not expired", token, late, _read(State.GREEN))
    yield _vector("expired, by a second", token, late + SECOND, _refused("expired"))
    yield _vector("expired, by a year", token, late + timedelta(days=365), _refused("expired"))
    tampered = _spell(_changed(_message(token), 138))
    yield _vector("forged and expired is forged", tampered, late + SECOND, _refused("forged"))


def _keys() -> Iterator[Vector]:
    yield _vector("no keys", _mint(), NOW, _refused("unknown-key"), keys="no-keys")
    yield _vector("the token of another system", _mint(system="other"), NOW, _refused("unknown-key"))
    late = _mint(at=HANDOVER, system="before")  # a system without the second key
    yield _vector("a key that retired before the issue", late, HANDOVER, _refused("unknown-key"))
    data = _message(_mint())
    swapped = _spell(data[:8] + seeded("second key").kid.encode() + data[16:])
    yield _vector("the kid of another known key", swapped, NOW, _refused("forged"))


def _forged() -> Iterator[Vector]:
    data = _message(_mint(State.RED))
    regions = {"exp": 25, "iat": 31, "the first byte of cti": 35, "the last byte of cti": 66}
    regions |= {"R of the signature": 75, "S of the signature": 107}
    for name, at in regions.items():
        yield _vector(f"changed: {name}", _spell(_changed(data, at)), NOW, _refused("forged"))
    green = _spell(data[:72] + bytes((State.GREEN,)) + data[73:])
    yield _vector("changed: red turned green", green, NOW, _refused("forged"))
    yield _vector("changed: kid", _spell(_changed(data, 15)), NOW, _refused("unknown-key"))
    s = int.from_bytes(data[107:], "little")
    again = _spell(data[:107] + (s + ORDER).to_bytes(32, "little"))
    yield _vector("a second signature for the same bytes: S is not below the order", again, NOW, _refused("forged"))
    yield _vector("a signature of zeros", _spell(data[:75] + bytes(64)), NOW, _refused("forged"))


def _malformed() -> Iterator[Vector]:
    for name, text in _spoilt(_mint()).items():
        yield _vector(name, text, NOW, _refused("malformed"))


def _spoilt(token: str) -> dict[str, str]:
    data = _message(token)
    fixed = {at: _spell(_changed(data, at)) for at in (0, 7, 16, 21, 26, 27, 32, 34, 67, 71, 73, 74)}
    return {
        **{f"changed: fixed byte {at}": text for at, text in fixed.items()},
        **_retyped(token),
        **_respelled(token, data),
    }


def _retyped(token: str) -> dict[str, str]:
    """Return the token as a person or a program may have copied it."""
    return {
        "empty": "",
        "only the prefix": PREFIX,
        "the prefix of a later form": "JX2:" + token[4:],
        "the prefix of a venue code": "JX4:" + token[4:],
        "the prefix of a receipt": "JX5:" + token[4:],
        "the prefix of another system": "HC1:" + token[4:],
        "no prefix": token[4:],
        "small letters": token.lower(),
        "a space before": " " + token,
        "a space behind": token + " ",
        "a line feed behind": token + "\n",
        "one character less": token[:-1],
        "twice": token + token[4:],
    }


def _respelled(token: str, data: bytes) -> dict[str, str]:
    """Return other bytes, other characters, and what is no token at all."""
    return {
        "a trailing byte": _spell(data + b"\0"),
        "a trailing byte, and the tag left out": _spell(data[1:] + b"\0"),
        "a byte that two characters cannot hold": token[:-2] + "::",
        "bytes that three characters cannot hold": token[:4] + ":::" + token[7:],
        "a character outside the alphabet": token[:100] + "!" + token[101:],
        "a full-width character": token[:100] + "Ａ" + token[101:],
        "a character beyond the first plane": token[:100] + "😷" + token[101:],
        "state 1": _spell(data[:72] + b"\1" + data[73:]),
        "state 7": _spell(data[:72] + b"\7" + data[73:]),
        "a kid that is not ASCII": _spell(data[:8] + b"\xe9" + data[9:]),
        "5,000 characters": PREFIX + "A" * 4996,
        "Chinese": "人人有码、码上行动",
        "213 characters of Chinese": PREFIX + "码" * 209,
        "a web address": "https://example.com/pay?to=someone",
        "a web address of 213 characters": "https://example.com/".ljust(213, "A"),
        "JSON": '{"state": "GREEN"}',
    }


def _example() -> dict[str, Any]:
    """Return the key set and the token of docs/reference/token.md, whose private key is destroyed."""
    text = (ROOT / "docs/reference/token.md").read_text(encoding="utf-8")
    token = re.findall(r"^JX1:.*$", text, re.MULTILINE)[0]
    keys = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    vector = _vector("the example in docs/reference/token.md", token, NOW, _read(State.GREEN), keys="documentation")
    return {"keys": keys, "vectors": [vector]}


# --- invented keys, and tokens without chance -------------------------------------------------------------------


def seeded(name: str, since: datetime = NOW, until: datetime | None = None) -> SigningKey:
    """Return an invented signing key."""
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"invented: {name}".encode()).digest())
    return SigningKey(thumbprint(private.public_key().public_bytes_raw())[:8], since, until, private)


def invented_keys(system: str = "ours") -> Keys:
    """Return the keys of an invented system: ours, ours before it had the second signing key, or another one."""
    signing = {
        "ours": (seeded("first key", NOW - timedelta(days=5), HANDOVER), seeded("second key", HANDOVER)),
        "before": (seeded("first key", NOW - timedelta(days=5)),),
        "other": (seeded("another system's key"),),
    }[system]
    pseudonym = hashlib.sha512(b"invented: pseudonym").digest()
    return Keys(bytes(32), bytes(32), bytes(32), pseudonym, signing)


def _tokens(system: str = "ours") -> CodeTokens:
    return CodeTokens(invented_keys(system), LIFE, SKEW)


def _mint(state: State = State.GREEN, at: datetime = NOW, system: str = "ours") -> str:
    """Return a token whose random bytes are fixed, so that the file is reproducible."""
    with patch(
        "app.codes.tokens.code_tokens.os.urandom", lambda size: hashlib.sha256(state.name.encode()).digest()[:size]
    ):
        return _tokens(system).mint(1, state, at)


def _message(token: str) -> bytes:
    return bytes(base45.b45decode(token.removeprefix(PREFIX)))


def _spell(data: bytes) -> str:
    return f"{PREFIX}{base45.b45encode(data).decode()}"


def _changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def main() -> None:
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(content(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
