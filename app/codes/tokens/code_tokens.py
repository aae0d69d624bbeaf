"""Tokens for a minute: minted and read with our keys, or verified by the published key set alone.

A token is signed and names nobody: the serial of the code is in its pseudonym, which only our keys decrypt.
Any text is either read or refused with TokenRefused.
"""

import base64
import hmac
import os
import struct
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from nacl.bindings import crypto_sign, crypto_sign_BYTES

from app.codes.states import State
from app.codes.tokens import layout
from app.codes.tokens.checking import check_time, published_key, require_signed, signing_key
from app.codes.tokens.layout import STATES_WITH_TOKEN, ReadToken, TokenParts, TokenRefused
from app.core.clock import rfc3339
from app.core.keys import Keys, SigningKey, signing_key_at

NO_GRACE = timedelta(0)

KeyState = Literal["signing", "next", "retired", "gone"]

_INNER = struct.Struct(">Q8s")  # the content of the pseudonym: the serial, and randomness


class RecognisedToken(NamedTuple):
    """The serial in a token; its `number`, as in `ReadToken`, and when it was issued, in seconds since 1970."""

    serial: int
    number: int
    issued: int


class CodeTokens:
    """Mints and reads tokens with our keys, which also give the serial.

    `longest` is the life of the longest form of token, a card on paper: so long a retired key is published for those.
    """

    def __init__(self, keys: Keys, life: timedelta, skew: timedelta, longest: timedelta = NO_GRACE) -> None:
        self._signing = keys.signing
        self._by_kid = {key.kid: key for key in keys.signing}
        self._sign = {key.kid: _signer(key) for key in keys.signing}
        self._cipher = AESSIV(keys.pseudonym)
        self._life = life
        self._life_seconds = int(life.total_seconds())
        self._longest = longest
        self._skew = skew

    @property
    def kids(self) -> frozenset[str]:
        """The kids of all our keys, whether they sign now or not."""
        return frozenset(self._by_kid)

    def mint(self, serial: int, state: State, now: datetime) -> str:
        """Return a fresh token of a code, 213 characters of QR's alphanumeric alphabet."""
        if state not in STATES_WITH_TOKEN:
            raise ValueError(f"a code that is {state.name} has no token")
        key = signing_key_at(self._signing, now)
        issued = int(now.timestamp())
        start = layout.pack_start(key.kid, issued, issued + self._life_seconds)
        pseudonym = self._cipher.encrypt(_INNER.pack(serial, os.urandom(8)), [start, bytes((state,))])
        unsigned = layout.pack_unsigned(start, pseudonym, state)
        return layout.pack_token(unsigned, self._sign[key.kid](layout.signed_bytes(unsigned)))

    def read(self, token: str, now: datetime, grace: timedelta = NO_GRACE) -> ReadToken:
        """Return the content of a token with its serial; it may have ended `grace` ago. Raises TokenRefused.

        Ed25519 is deterministic, so signing again and comparing does the same as verifying, at half the cost.
        """
        parts = layout.parse(token)
        serial = self._serial(parts)
        signature = self._sign[parts.kid](parts.signed)
        if not hmac.compare_digest(signature, parts.signature):
            raise TokenRefused("forged")
        check_time(parts.issued, parts.ends, now, self._skew, grace)
        return parts.to_read_token(serial)

    def recognise(self, token: str, now: datetime) -> RecognisedToken:
        """Return what is in a token as `read` does, without checking the signature: three times as fast.

        The pseudonym authenticates every field, because only our keys can encrypt one: of a token that we minted
        nothing but the signature can have been changed. Raises TokenRefused.
        """
        parts = layout.parse(token)
        serial = self._serial(parts)
        check_time(parts.issued, parts.ends, now, self._skew, NO_GRACE)
        return RecognisedToken(serial, parts.number, parts.issued)

    def key_set(self, now: datetime) -> dict[str, Any]:
        """Return the public keys (a JWK set) of every token that may be valid now, and of the keys to come.

        Under `retired` are those by which only longer forms are still verified: a stolen one makes no code of today.
        """
        gone = [key for key in self._signing if self._is_gone(key, now)]
        longer = [_published(key) for key in gone if key.until is not None and key.until > now - self._longest]
        keys = [_published(key) for key in self._signing if key not in gone]
        return {"keys": keys, **({"retired": longer} if longer else {})}

    def key_states(self, now: datetime) -> list[tuple[SigningKey, KeyState]]:
        """Return each signing key with its state, the oldest first; all but those that are gone are published."""
        signer = signing_key_at(self._signing, now)
        return [(key, self._key_state(key, signer, now)) for key in self._signing]

    def _key_state(self, key: SigningKey, signer: SigningKey, now: datetime) -> KeyState:
        if key is signer:
            return "signing"
        if key.since > now:
            return "next"
        return "gone" if self._is_gone(key, now) else "retired"

    def _is_gone(self, key: SigningKey, now: datetime) -> bool:
        """Return whether the last token of a retired key has ended, by any clock."""
        return key.until is not None and key.until <= now - self._life - 2 * self._skew

    def _serial(self, parts: TokenParts) -> int:
        signing_key(self._by_kid, parts.kid, parts.issued)
        try:
            inner = self._cipher.decrypt(parts.pseudonym, [parts.start, bytes((parts.state,))])
        except InvalidTag:
            raise TokenRefused("forged") from None
        serial: int = _INNER.unpack(inner)[0]
        return serial


def verify(
    token: str, key_set: Mapping[str, Any], now: datetime, skew: timedelta, grace: timedelta = NO_GRACE
) -> ReadToken:
    """Return the content of a token, read by the published key set alone, without the serial. Raises TokenRefused."""
    parts = layout.parse(token)
    require_signed(published_key(key_set, parts.kid), parts.issued, parts.signed, parts.signature)
    check_time(parts.issued, parts.ends, now, skew, grace)
    return parts.to_read_token(None)


def _signer(key: SigningKey) -> Callable[[bytes], bytes]:
    """Return what signs with a key. libsodium makes the same signatures as OpenSSL, in half the time."""
    secret = key.private.private_bytes_raw() + key.public
    return lambda signed: crypto_sign(signed, secret)[:crypto_sign_BYTES]


def _published(key: SigningKey) -> dict[str, Any]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": key.kid,
        "x": base64.urlsafe_b64encode(key.public).rstrip(b"=").decode(),
        "from": rfc3339(key.since),
        "until": None if key.until is None else rfc3339(key.until),
    }
