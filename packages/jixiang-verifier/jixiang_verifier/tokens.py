"""The three forms of a token, and the checks in their order: form, key, signature, times."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import base45
import cbor2

from jixiang_verifier.keys import KeySet

SKEW: Final = timedelta(seconds=10)
"""The permitted difference of clocks."""

Check = Literal[
    "malformed", "unknown-key", "forged", "not-yet-valid", "expired", "broken",
    "older", "from-future", "list-expired", "issuer-suspended", "key-revoked",
]  # fmt: skip
_SAYS: Final[Mapping[str, str]] = {
    "malformed": "This is no Jixiang code. 这不是吉祥码。",
    "unknown-key": "No published key has signed this: fetch the keys again. 不是由已公布的密钥签发，请更新密钥。",
    "forged": "The signature is wrong. 签名不正确。",
    "not-yet-valid": "This is not valid yet: compare the clocks. 尚未生效，请核对时钟。",
    "expired": "This is over: ask for a new one. 已过期，请对方重新出示。",
    "broken": "This list is wrong as a whole: keep the one before. 此名单有误，请继续使用上一份。",
    "older": "This list is not newer than the one before: keep that. 此名单不比上一份新，请继续使用上一份。",
    "from-future": "This list is from the future: compare the clocks. 此名单的时间在未来，请核对时钟。",
    "list-expired": "The trust list is over: fetch another. 互认名单已过期，请重新取得。",
    "issuer-suspended": "The codes of this issuer are not recognised now. 发码地暂停互认。",
    "key-revoked": "The key that signed this is revoked: do not believe it. 签发此码的密钥已被作废。",
}
_STATES: Final = {2: "UNVERIFIED", 3: "GREEN", 4: "YELLOW", 5: "ORANGE", 6: "RED"}
_EXPIRES, _BEGINS, _ISSUED, _PSEUDONYM, _STATE = 4, 5, 6, 7, -65537  # claims


class Refused(Exception):
    """A token or a list that must not be used; `check` names the first check that it does not pass."""

    def __init__(self, check: Check) -> None:
        super().__init__(f"{check}: {_SAYS[check]}")
        self.check = check


@dataclass(frozen=True)
class Code:
    """What a phone shows: the state at `issued_at`. From a strip it is valid from `begins_at`, with an older state."""

    form: Literal["JX1", "JX3"]
    state: str
    issued_at: datetime
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Card:
    """A card on paper: no state, and nothing without the document of its holder. `number` is that of the list."""

    number: str
    issued_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class _Form:
    """Bytes in all, and what must be at an offset: a token has one spelling."""

    size: int
    fixed: Mapping[int, str]
    lasts: bool  # so long that its key may have retired


_HEAD, _SIGNATURE = "d2844da201270448", "5840"
_FORMS: Final = {
    "JX1:": _Form(
        139,
        {0: _HEAD, 16: "a05836a4041a", 26: "061a", 32: "075820", 67: "3a00010000", 73: _SIGNATURE},
        lasts=False,
    ),
    "JX2:": _Form(125, {0: _HEAD, 16: "a05828a3041a", 26: "061a", 32: "075818", 59: _SIGNATURE}, lasts=True),
    "JX3:": _Form(
        141,
        {0: _HEAD, 16: "a05838a5041a", 26: "051a", 32: "061a", 38: "07581c", 69: "3a00010000", 75: _SIGNATURE},
        lasts=True,
    ),
}


def verify(text: str, keys: KeySet, at: datetime | None = None, skew: timedelta = SKEW) -> Code | Card:
    """Return what a code says at a moment (now, unless another is given). Raises Refused.

    `text` is that of the QR code, from which only what a scanner has added at the end (CR, LF, TAB) was cut.
    """
    if at is not None and at.tzinfo is None:
        raise ValueError("The moment needs a time zone.")
    now = (at or datetime.now(UTC)).timestamp()
    form = _FORMS.get(text[:4])
    if form is None:
        raise Refused("malformed")
    claims = _verified(text, form, keys)
    if max(claims[_ISSUED], claims.get(_BEGINS, 0)) > now + skew.total_seconds():
        raise Refused("not-yet-valid")
    if claims[_EXPIRES] < now - skew.total_seconds():
        raise Refused("expired")
    issued_at, begins_at, ends_at = (
        datetime.fromtimestamp(claims[claim], UTC)
        for claim in (_ISSUED, _BEGINS if _BEGINS in claims else _ISSUED, _EXPIRES)
    )
    if text.startswith("JX2:"):
        return Card(claims[_PSEUDONYM][:8].hex(), issued_at, ends_at)
    return Code("JX3" if _BEGINS in claims else "JX1", _STATES[claims[_STATE]], issued_at, begins_at, ends_at)


def kid_of(text: str) -> str:
    """Return the kid in a code with a state, nothing checked but its form. Raises Refused `malformed`."""
    form = _FORMS.get(text[:4])
    if form is None or text.startswith("JX2:"):
        raise Refused("malformed")
    header, payload, _ = _parts(text, form)
    kid: bytes = cbor2.loads(header)[4]
    if cbor2.loads(payload)[_STATE] not in _STATES or not kid.isascii():
        raise Refused("malformed")
    return kid.decode("ascii")


def _verified(text: str, form: _Form, keys: KeySet) -> dict[int, Any]:
    """Return the claims of a text whose form, key and signature are good. Raises Refused."""
    header, payload, signature = _parts(text, form)
    protected, claims = cbor2.loads(header), cbor2.loads(payload)
    if claims.get(_STATE, 3) not in _STATES or not protected[4].isascii():
        raise Refused("malformed")
    key = keys.find(protected[4].decode("ascii"), claims[_ISSUED], retired=form.lasts)
    if key is None:
        raise Refused("unknown-key")
    if not key.signed(to_sign(header, payload), signature):
        raise Refused("forged")
    return dict(claims)


def _parts(text: str, form: _Form) -> tuple[bytes, bytes, bytes]:
    """Return protected header, payload and signature of a text in the one spelling of its form. Raises Refused."""
    if len(text) != 4 + form.size // 2 * 3 + 2 * (form.size % 2):
        raise Refused("malformed")
    try:
        data = base45.b45decode(text[4:])
    except ValueError:
        raise Refused("malformed") from None
    if len(data) != form.size or any(not data[at:].startswith(bytes.fromhex(is_)) for at, is_ in form.fixed.items()):
        raise Refused("malformed")
    header, _, payload, signature = cbor2.loads(data).value
    return header, payload, signature


def to_sign(header: bytes, payload: bytes) -> bytes:
    """Return COSE's Sig_structure, which is what is signed."""
    return cbor2.dumps(["Signature1", header, b"", payload])
