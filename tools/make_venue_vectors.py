"""Make tests/vectors/venues.json, of venue codes and receipts: `python -m tools.make_venue_vectors`.

Everything in it is invented, the keys too, and it comes out the same each time. The expected answers are written down
here from docs/reference/token.md.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import base45

from app.codes.tokens import CodeTokens, VenuePrint, VenueTokens
from app.core.clock import rfc3339
from tools.make_vectors import LIFE, NOW, ROOT, SECOND, SKEW, invented_keys

FILE = ROOT / "tests" / "vectors" / "venues.json"
PLACE, MARK, ENDS = 7, bytes(range(7)), NOW + timedelta(days=30)

Vector = dict[str, Any]


def content() -> dict[str, Any]:
    """Return the content of the file."""
    note = "Invented venue codes and receipts, and how docs/reference/token.md has them read; "
    return {
        "note": f"{note}made by tools/make_venue_vectors.py",
        "skew_seconds": int(SKEW.total_seconds()),
        "key_set": CodeTokens(invented_keys(), LIFE, SKEW, timedelta(days=181)).key_set(NOW),
        "vectors": [*_good(), *_refused(mint_venue_code(), ENDS, 53), *_refused(mint_receipt(), NOW + LIFE, 79)],
    }


def _good() -> Iterator[Vector]:
    code = {"place": PLACE, "mark": MARK.hex(), "issued_at": rfc3339(NOW), "ends_at": rfc3339(ENDS)}
    receipt = {"place": PLACE, "issued_at": rfc3339(NOW), "ends_at": rfc3339(NOW + LIFE)}
    yield _vector("a venue code", mint_venue_code(), NOW, code)
    yield _vector("a venue code, just not over", mint_venue_code(), ENDS + SKEW, code)
    yield _vector("a receipt", mint_receipt(), NOW, receipt)
    yield _vector("a receipt, just not over", mint_receipt(), NOW + LIFE + SKEW, receipt)


def _refused(token: str, ends: datetime, signature: int) -> Iterator[Vector]:
    """Yield what is wrong with a token; `signature` is where that begins."""
    prefix, data = token[:4], bytes(base45.b45decode(token[4:]))
    yield _vector(f"{prefix} too early", token, NOW - SKEW - SECOND, {"refused": "not-yet-valid"})
    yield _vector(f"{prefix} over", token, ends + SKEW + SECOND, {"refused": "expired"})
    changed = {"exp": 25, "iat": 31, "cti": 36, "the place": signature - 3, "the signature": signature + 5}
    for name, at in changed.items():
        yield _vector(f"{prefix} changed: {name}", _spell(prefix, data, at), NOW, {"refused": "forged"})
    yield _vector(f"{prefix} of an unknown key", _spell(prefix, data, 15), NOW, {"refused": "unknown-key"})
    for at in (0, 18, 26, 32, signature - 7, signature - 2):
        yield _vector(f"{prefix} changed: fixed byte {at}", _spell(prefix, data, at), NOW, {"refused": "malformed"})
    for name, text in {"small": token.lower(), "cut": token[:-1], "of a code": "JX1:" + token[4:]}.items():
        yield _vector(f"{prefix} {name}", text, NOW, {"refused": "malformed"})


def _vector(name: str, text: str, at: datetime, expect: dict[str, Any]) -> Vector:
    return {"name": name, "text": text, "at": rfc3339(at), "expect": expect}


def mint_venue_code() -> str:
    return _tokens().mint_venue_code(VenuePrint(PLACE, MARK, NOW, ENDS))


def mint_receipt() -> str:
    """Return a receipt whose random bytes are fixed, so that the file is reproducible."""
    with patch("app.codes.tokens.venue_tokens.os.urandom", lambda size: bytes(size)):
        return _tokens().mint_receipt(1, PLACE, NOW)


def _tokens() -> VenueTokens:
    return VenueTokens(invented_keys(), LIFE, SKEW)


def _spell(prefix: str, data: bytes, at: int) -> str:
    changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
    return f"{prefix}{base45.b45encode(changed).decode()}"


def main() -> None:
    FILE.write_text(json.dumps(content(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
