"""Make tests/vectors/papers.json, which tests any reader of cards on paper: `python -m tools.make_paper_vectors`.

Everything in it is invented, the keys too, and it comes out the same each time. The expected answers are written down
here from docs/reference/token.md.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import base45
import cbor2

from app.codes.tokens import PAPER_PREFIX, CodeTokens, Paper, PaperTokens
from app.codes.tokens.revocation import pack_list
from app.core.clock import rfc3339
from tools.make_vectors import HANDOVER, LIFE, NOW, ROOT, SECOND, SKEW, invented_keys

FILE = ROOT / "tests" / "vectors" / "papers.json"
ENDS = NOW + timedelta(days=180)

Vector = dict[str, Any]


def content() -> dict[str, Any]:
    """Return the content of the file."""
    key_set = CodeTokens(invented_keys(), LIFE, SKEW, timedelta(days=181)).key_set(NOW)
    vectors = [*_read(), *_forged(), *_malformed()]
    note = "Invented cards and how docs/reference/token.md has them read; made by tools/make_paper_vectors.py"
    known = {"note": note, "skew_seconds": int(SKEW.total_seconds()), "key_set": key_set}
    return {**known, "vectors": vectors, "lists": list(_lists())}


def _lists() -> Iterator[Vector]:
    """Yield revocation lists, each with numbers that it must hit, and must not; or why it must not be used."""
    listed, others = ([_number(kind, n) for n in range(20)] for kind in ("lost", "found"))
    version = int(NOW.timestamp())
    key, stranger = (invented_keys(system).signing[0] for system in ("ours", "other"))
    good, other = (pack_list(listed, len(listed), one, version) for one in (key, stranger))
    numbers = {"hits": [f"{one:016x}" for one in listed], "misses": [f"{one:016x}" for one in others]}
    yield {"name": "a good list of 20", "content": good.hex(), "expect": {"version": version, **numbers}}
    yield _unusable("a signature that was changed", good[:-1] + b"\0", "forged")
    yield _unusable("cut", good[:-1], "malformed")
    yield _unusable("of another system", other, "unknown-key")
    size = len(good) - LIST_START - 66
    noise = b"".join(sha256(b"%d" % n).digest() for n in range(size // 32 + 1))[:size]
    for name, bits in (("all ones", b"\xff" * size), ("all zeros", bytes(size)), ("half of the bits by chance", noise)):
        payload = good[22:LIST_START] + bits
        signed = cbor2.dumps(["Signature1", good[3:16], b"", payload])
        content = good[:22] + payload + good[-66:-64] + key.private.sign(signed)
        yield _unusable(f"a filter of {name}", content, "broken")


def _unusable(name: str, content: bytes, fault: str) -> Vector:
    return {"name": name, "content": content.hex(), "expect": {"refused": fault}}


LIST_START = 43  # bytes of a list before its filter


def _number(kind: str, n: int) -> int:
    return int.from_bytes(sha256(f"invented: {kind} {n}".encode()).digest()[:8])


def _read() -> Iterator[Vector]:
    token, retired = _mint(), _mint(HANDOVER - SECOND)
    number = _papers().number_of(Paper(1, NOW, ENDS)) % 2**64
    good = {"issued_at": rfc3339(NOW), "ends_at": rfc3339(ENDS), "number": f"{number:016x}"}
    yield {"name": "a good card", "text": token, "at": rfc3339(NOW + SECOND), "expect": good}
    yield {"name": "just valid", "text": token, "at": rfc3339(NOW - SKEW), "expect": good}
    yield {"name": "just not expired", "text": token, "at": rfc3339(ENDS + SKEW), "expect": good}
    last = Paper(1, HANDOVER - SECOND, ENDS)
    number = _papers().number_of(last) % 2**64
    old = {"issued_at": rfc3339(last.issued_at), "ends_at": rfc3339(ENDS), "number": f"{number:016x}"}
    yield {"name": "the last card of a retired key", "text": retired, "at": rfc3339(ENDS), "expect": old}
    yield _refused("not yet valid, by a second", token, "not-yet-valid", NOW - SKEW - SECOND)
    yield _refused("expired, by a second", token, "expired", ENDS + SKEW + SECOND)


def _forged() -> Iterator[Vector]:
    data = _message(_mint())
    places = {"exp": 25, "iat": 31, "the first byte of cti": 35, "the last byte of cti": 58, "the signature": 61}
    for name, at in places.items():
        yield _refused(f"changed: {name}", _spell(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]), "forged")
    yield _refused("the card of another system", _mint(system="other"), "unknown-key")
    late = Paper(1, HANDOVER, ENDS)
    yield _refused("a key that retired before the issue", _papers("before").mint(late), "unknown-key", HANDOVER)


def _malformed() -> Iterator[Vector]:
    token = _mint()
    data = _message(token)
    for at in (0, 7, 16, 18, 19, 26, 32, 34, 59):
        changed = _spell(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
        yield _refused(f"changed: fixed byte {at}", changed, "malformed")
    spoilt = {
        "the prefix of a code": "JX1:" + token[4:],
        "no prefix": token[4:],
        "small letters": token.lower(),
        "a space behind": token + " ",
        "one character less": token[:-1],
        "a trailing byte": _spell(data + b"\0"),
        "bytes that three characters cannot hold": token[:4] + ":::" + token[7:],
        "a kid that is not ASCII": _spell(data[:8] + b"\xe9" + data[9:]),
        "empty": "",
    }
    for name, text in spoilt.items():
        yield _refused(name, text, "malformed")


def _refused(name: str, text: str, outcome: str, at: Any = NOW) -> Vector:
    return {"name": name, "text": text, "at": rfc3339(at), "expect": {"refused": outcome}}


def _papers(system: str = "ours") -> PaperTokens:
    return PaperTokens(invented_keys(system), SKEW)


def _mint(issued: Any = NOW, system: str = "ours") -> str:
    return _papers(system).mint(Paper(1, issued, ENDS))


def _message(token: str) -> bytes:
    return bytes(base45.b45decode(token.removeprefix(PAPER_PREFIX)))


def _spell(data: bytes) -> str:
    return f"{PAPER_PREFIX}{base45.b45encode(data).decode()}"


def main() -> None:
    FILE.write_text(json.dumps(content(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
