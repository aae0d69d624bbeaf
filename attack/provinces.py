"""Other provinces, invented, with keys of their own; and the root that signs the lists of whom we recognise."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.codes.states import State
from app.codes.tokens import CodeTokens
from app.core.keys import Keys, SigningKey, thumbprint
from app.trust.drafts import make_content
from app.trust.root_key import public_text
from app.trust.signed_list import sign_list

_LIFE, _SKEW = timedelta(seconds=60), timedelta(seconds=10)
_BEGAN: Final = datetime(2020, 1, 1, tzinfo=UTC)
OUR_ISSUER: Final = "jilin"


def private_key(name: str) -> Ed25519PrivateKey:
    """A key that is the same in each run: there is nothing to protect."""
    return Ed25519PrivateKey.from_private_bytes(sha256(f"an invented key: {name}".encode()).digest())


_ROOT: Final = private_key("root of the attack")
ROOT: Final = public_text(_ROOT)


@dataclass(frozen=True)
class Province:
    """A province that issues codes with one key."""

    id: str
    region: str

    @property
    def key(self) -> SigningKey:
        private = private_key(self.id)
        kid = thumbprint(private.public_key().public_bytes_raw())[:8]
        return SigningKey(kid, _BEGAN, None, private)

    @property
    def _tokens(self) -> CodeTokens:
        return CodeTokens(Keys(b"s" * 32, b"l" * 32, b"e" * 64, b"p" * 64, (self.key,)), _LIFE, _SKEW)

    def code(self, state: State, now: datetime, serial: int = 7) -> str:
        """A code in this state, by whatever it says about whom."""
        return self._tokens.mint(serial, state, now)

    def issuer(self, status: str = "active", **key: Any) -> dict[str, Any]:
        """The province as a list names it; `key` changes what is said of its key."""
        [published] = self._tokens.key_set(_BEGAN)["keys"]
        listed = {name: published[name] for name in ("kid", "x", "from", "until")}
        names = {"zh": f"示例省 {self.id}", "en": f"Province {self.id}", "ko": f"{self.id} 성"}
        return {"id": self.id, "region": self.region, "names": names, "status": status, "keys": [{**listed, **key}]}


def make_list(*issuers: dict[str, Any], at: datetime, root: str = "root of the attack") -> str:
    """A list of a moment, signed with the root key, or by somebody who has another."""
    return sign_list(make_content(issuers, at, 14), private_key(root))
