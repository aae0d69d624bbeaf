"""Make tests/vectors/foreign.json, which tests any reader of trust lists: `python -m tools.make_foreign_vectors`.

Everything in it is invented, and comes out the same each time. The expected answers are written down here from
docs/reference/trust-list.md; the tests of the packages, of the mini-program and of ours hold the readers to them.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from app.codes.states import State
from app.codes.tokens import CodeTokens, StripHolder, StripTokens, StripWindow
from app.core.clock import rfc3339
from app.core.keys import Keys, SigningKey
from tools.make_vectors import LIFE, NOW, ROOT, SECOND, SKEW, seeded

FILE = ROOT / "tests" / "vectors" / "foreign.json"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MADE = NOW - DAY

Issuers = list[dict[str, Any]]


def content() -> dict[str, Any]:
    """Return the content of the file."""
    note = "Invented trust lists and codes, and how docs/reference/trust-list.md has them read"
    made = {name: _signed(_content(issuers)) for name, issuers in _lists().items()}
    return {
        "note": f"{note}; made by tools/make_foreign_vectors.py",
        "skew_seconds": int(SKEW.total_seconds()),
        "root": _text(_seeded("root").public),
        "lists": [*_good(), *_refused()],
        "used": made,
        "vectors": list(_codes()),
    }


# --- lists ------------------------------------------------------------------------------------------------------


def _good() -> Iterator[dict[str, Any]]:
    both, version = _content(_lists()["both"]), int(MADE.timestamp())
    yield _list("two issuers", _signed(both), {"version": version})
    yield _list("newer by a second", _signed(both), {"version": version}, known=version - 1)
    yield _list("nobody", _signed(_content([])), {"version": version})
    yield _list("half of the keys revoked", _signed(_content(_lists()["revoked"])), {"version": version})
    yield _list("over, and sound", _signed(both), {"version": version}, at=NOW + 30 * DAY)
    decimals = {**both, "expires_at": "2020-04-01T04:00:00.5Z"}
    yield _list("a moment with decimals and Z", _signed(decimals), {"version": version})


def _refused() -> Iterator[dict[str, Any]]:
    both, version = _content(_lists()["both"]), int(MADE.timestamp())
    good = _signed(both)
    yield _list("the same again", good, {"refused": "older"}, known=version)
    yield _list("an older one, in which a key is valid again", good, {"refused": "older"}, known=version + 1)
    yield _list("from the future", good, {"refused": "from-future"}, at=MADE - 6 * MINUTE)
    for name, text in _malformed(good).items():
        yield _list(name, text, {"refused": "malformed"})
    for member in ("alg", "typ"):
        yield _list(f"another {member}", _signed(both, **{member: "none"}), {"refused": "malformed"})
    yield _list("crit in the header", _signed(both, crit=["exp"]), {"refused": "malformed"})
    yield _list("another root key", _signed(both, root="another root"), {"refused": "unknown-key"})
    root_kid = _seeded("root").kid
    yield _list(
        "the kid of the root, and another key", _signed(both, "another root", kid=root_kid), {"refused": "forged"}
    )
    yield _list("one character of the payload changed", _swapped(good, "payload"), {"refused": "forged"})
    yield _list("one character of the signature changed", _swapped(good, "signature"), {"refused": "forged"})
    for name, broken in _broken(both).items():
        yield _list(name, _signed(broken), {"refused": "broken"})


def _malformed(good: str) -> dict[str, str]:
    members = json.loads(good)
    return {
        "empty": "",
        "no JSON": good[:-1],
        "a list": f"[{good}]",
        "one member more": json.dumps({**members, "header": {}}),
        "one member less": json.dumps({name: members[name] for name in ("payload", "protected")}),
        "padding": json.dumps({**members, "signature": members["signature"] + "=="}),
        "standard base64": json.dumps({**members, "payload": "+/" + members["payload"]}),
        "a number for a member": json.dumps({**members, "signature": 7}),
        "the compact form": ".".join(members[name] for name in ("protected", "payload", "signature")),
    }


def _broken(both: dict[str, Any]) -> dict[str, dict[str, Any]]:
    example, other = both["issuers"]
    [key] = example["keys"]
    changed: dict[str, dict[str, object]] = {
        "an unknown member of a key": {"more": 1},
        "a kid that is not that of the key": {"kid": "00000000"},
        "a key of 31 bytes": {"x": key["x"][:42]},
        "until before from": {"until": rfc3339(MADE - 90 * DAY)},
        "a moment that is a number": {"from": 0},
        "revoked as a text": {"revoked": "true"},
    }
    of_keys = {name: _with(both, [{**example, "keys": [{**key, **change}]}, other]) for name, change in changed.items()}
    issuers: dict[str, dict[str, object]] = {
        "an unknown status": {"status": "closed"},
        "a region of five digits": {"region": "99000"},
        "an id in capitals": {"id": "Example"},
        "a name that is empty": {"names": {**example["names"], "zh": ""}},
        "no name in Korean": {"names": {"zh": "示例省", "en": "Example"}},
        "no key": {"keys": []},
    }
    of_issuers = {name: _with(both, [{**example, **change}, other]) for name, change in issuers.items()}
    return {
        **of_keys,
        **of_issuers,
        "every key is revoked": _with(both, [_revoked(example), _revoked(other)]),
        "every issuer is suspended": _with(both, [{**one, "status": "suspended"} for one in (example, other)]),
        "an id twice": _with(both, [example, {**other, "id": "example"}]),
        "a region twice": _with(both, [example, {**other, "region": example["region"]}]),
        "a kid twice": _with(both, [example, {**other, "keys": example["keys"]}]),
        "the root key of an issuer": _with(both, [example, _issuer("other", "980000", "root")]),
        "an unknown member": {**both, "next": 1},
        "a version that is a text": {**both, "version": str(both["version"])},
        "version 0": {**both, "version": 0},
        "longer than 31 days": {**both, "expires_at": rfc3339(MADE + 31 * DAY + SECOND)},
        "over before it was made": {**both, "expires_at": rfc3339(MADE)},
        "an end without an offset": {**both, "expires_at": "2020-04-01T04:00:00"},
        "no list of issuers": {**both, "issuers": None},
    }


def _list(name: str, text: str, expect: dict[str, Any], known: int = 0, at: Any = NOW) -> dict[str, Any]:
    return {"name": name, "text": text, "known": known, "at": rfc3339(at), "expect": expect}


# --- codes ------------------------------------------------------------------------------------------------------


def _codes() -> Iterator[dict[str, Any]]:
    for state in (State.UNVERIFIED, State.GREEN, State.YELLOW, State.ORANGE, State.RED):
        yield _code(f"a code of an issuer, {state.name}", _mint(state), "both", _stated(state))
    strip_issued = NOW - 5 * HOUR
    strip = _strip(strip_issued)
    said = {
        "issuer": "example",
        "state": "GREEN",
        "issued_at": rfc3339(strip_issued),
        "ends_at": rfc3339(NOW + 5 * MINUTE),
    }
    yield _code("a code of a strip", strip, "both", said)
    yield _code("an issuer that is in no list", _mint(who="stranger"), "both", {"refused": "unknown-key"})
    yield _code("nobody is in the list", _mint(), "nobody", {"refused": "unknown-key"})
    yield _code("left out of the list", _mint(), "other", {"refused": "unknown-key"})
    yield _code("a revoked key", _mint(), "revoked", {"refused": "key-revoked"})
    yield _code(
        "a revoked key, and a code of long before", _mint(at=NOW - 30 * DAY), "revoked", {"refused": "key-revoked"}
    )
    yield _code("a suspended issuer", _mint(), "suspended", {"refused": "issuer-suspended"})
    yield _code("a key that ends at the second of issue", _mint(), "ends", {"refused": "unknown-key"})
    yield _code("a key that begins a second after the issue", _mint(), "begins", {"refused": "unknown-key"})
    yield _code("revoked by mistake, and not by the next list", _mint(), "both", _stated(State.GREEN))
    late = NOW + 13 * DAY
    yield _code(
        "the last second of the list", _mint(at=late - SECOND), "both", _stated(at=late - SECOND), at=late - SECOND
    )
    yield _code("the list is over", _mint(at=late), "both", {"refused": "list-expired"}, at=late)
    yield _code("expired", _mint(at=NOW - 2 * MINUTE), "both", {"refused": "expired"})
    yield _code("not yet valid", _mint(at=NOW + MINUTE), "both", {"refused": "not-yet-valid"})
    text = _mint()
    changed = text[:150] + ("0" if text[150] != "0" else "1") + text[151:]
    yield _code("a signature that was changed", changed, "both", {"refused": "forged"})
    yield _code("no code", "https://example.com/", "both", {"refused": "malformed"})
    yield _code("small letters", text.lower(), "both", {"refused": "malformed"})


def _code(name: str, text: str, used: str, expect: dict[str, str], at: Any = NOW) -> dict[str, Any]:
    return {"name": name, "text": text, "list": used, "at": rfc3339(at), "expect": expect}


def _stated(state: State = State.GREEN, at: Any = NOW) -> dict[str, str]:
    return {"issuer": "example", "state": state.name, "issued_at": rfc3339(at), "ends_at": rfc3339(at + LIFE)}


# --- invented issuers -------------------------------------------------------------------------------------------


def _issuer(id_: str, region: str, key: str = "", **changes: Any) -> dict[str, Any]:
    signing = _seeded(key or id_)
    listed = {"kid": signing.kid, "x": _text(signing.public), "from": rfc3339(MADE - 60 * DAY), "until": None}
    names = {"zh": {"example": "示例省"}.get(id_, "样例省"), "en": id_.title(), "ko": f"{id_} 성"}
    return {"id": id_, "region": region, "names": names, "status": "active", "keys": [{**listed, **changes}]}


def _revoked(issuer: dict[str, Any]) -> dict[str, Any]:
    return {**issuer, "keys": [{**key, "revoked": True} for key in issuer["keys"]]}


def _lists() -> dict[str, Issuers]:
    """Return the issuers of each list by which a code is read."""
    example, other = _issuer("example", "990000"), _issuer("other", "980000")
    return {
        "both": [example, other],
        "nobody": [],
        "other": [other],
        "revoked": [_revoked(example), other],
        "suspended": [{**example, "status": "suspended"}, other],
        "ends": [_issuer("example", "990000", until=rfc3339(NOW)), other],
        "begins": [_issuer("example", "990000", **{"from": rfc3339(NOW + SECOND)}), other],
    }


def _content(issuers: Issuers) -> dict[str, Any]:
    return {"version": int(MADE.timestamp()), "expires_at": rfc3339(MADE + 14 * DAY), "issuers": issuers}


def _with(content: dict[str, Any], issuers: Issuers) -> dict[str, Any]:
    return {**content, "issuers": issuers}


def _signed(content: dict[str, Any], root: str = "root", **header: Any) -> str:
    """Return a list with any content, signed as the format says: not by our own code, which refuses what is wrong."""
    key = _seeded(root)
    protected = {"alg": "EdDSA", "kid": key.kid, "typ": "jixiang-trust", **header}
    parts = [_text(json.dumps(one).encode()) for one in (protected, content)]
    signature = _text(key.private.sign(".".join(parts).encode()))
    return json.dumps({"payload": parts[1], "protected": parts[0], "signature": signature})


def _swapped(signed: str, name: str) -> str:
    """Return a list with one bit of a member changed."""
    members = json.loads(signed)
    data = bytearray(urlsafe_b64decode(members[name] + "=="))
    data[10] ^= 1
    return json.dumps({**members, name: _text(bytes(data))})


def _mint(state: State = State.GREEN, at: Any = NOW, who: str = "example") -> str:
    with patch("app.codes.tokens.code_tokens.os.urandom", lambda size: hashlib.sha256(b"fixed").digest()[:size]):
        return CodeTokens(_keys(who), LIFE, SKEW).mint(1, state, at)


def _strip(issued: Any) -> str:
    with patch("app.codes.tokens.strip_tokens.os.urandom", lambda size: bytes(size)):
        window = StripWindow(NOW, NOW + 5 * MINUTE)
        return StripTokens(_keys("example"), SKEW).mint(StripHolder(1, 1, State.GREEN), issued, window)


def _keys(who: str) -> Keys:
    pseudonym = hashlib.sha512(b"invented: pseudonym of " + who.encode()).digest()
    return Keys(bytes(32), bytes(32), bytes(32), pseudonym, (_seeded(who),))


def _seeded(name: str) -> SigningKey:
    return seeded(f"issuer {name}", MADE - 60 * DAY)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def main() -> None:
    FILE.write_text(json.dumps(content(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
