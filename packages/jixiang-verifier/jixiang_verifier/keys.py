"""The published keys: `GET /.well-known/jixiang-keys`, a JWK set with two members more."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class KeySetUnusable(ValueError):
    """What was given as published keys cannot be used; it says what is wrong with each."""


@dataclass(frozen=True)
class Key:
    """A public key; it signs until `until`, a second since 1970, or without end."""

    kid: str
    public: Ed25519PublicKey
    until: float | None

    def signed(self, message: bytes, signature: bytes) -> bool:
        try:
            self.public.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class KeySet:
    """The keys that sign, and those retired, whose cards and strips may still be valid."""

    keys: tuple[Key, ...]
    retired: tuple[Key, ...] = ()

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Self:
        """Return the keys of the published JSON. Raises KeySetUnusable with all that is wrong."""
        if not isinstance(content, Mapping) or not isinstance(content.get("keys"), list):
            raise KeySetUnusable("No key set: expected the JSON of /.well-known/jixiang-keys, with a list `keys`.")
        wrong: list[str] = []
        keys, retired = (tuple(_keys(content.get(name, ()), name, wrong)) for name in ("keys", "retired"))
        if wrong:
            raise KeySetUnusable(" ".join(wrong))
        return cls(keys, retired)

    def find(self, kid: str, issued: int, *, retired: bool = False) -> Key | None:
        """Return the key of this kid that could sign at a second; `retired` ones count for what is valid for longer."""
        known = (*self.keys, *self.retired) if retired else self.keys
        key = next((key for key in known if key.kid == kid), None)
        return None if key is None or (key.until is not None and issued >= key.until) else key


def _keys(listed: Any, name: str, wrong: list[str]) -> Iterable[Key]:
    for number, member in enumerate(listed if isinstance(listed, list | tuple) else ()):
        try:
            yield _key(member)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            wrong.append(f"{name}[{number}] is no Ed25519 key with kid, x and until ({type(error).__name__}).")


def _key(member: Mapping[str, Any]) -> Key:
    if (member["kty"], member["crv"]) != ("OKP", "Ed25519"):
        raise ValueError(member["kty"])
    x = base64.urlsafe_b64decode(member["x"] + "=" * (-len(member["x"]) % 4))
    until = None if member["until"] is None else datetime.fromisoformat(member["until"]).timestamp()
    return Key(str(member["kid"]), Ed25519PublicKey.from_public_bytes(x), until)
