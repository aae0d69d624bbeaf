"""Invented provinces with keys and codes of their own, and the root that signs trust lists of them."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.codes.states import State
from app.codes.tokens import CodeTokens, StripHolder, StripTokens, StripWindow
from app.core.keys import Keys, SigningKey, thumbprint
from app.core.settings.sections import TrustSettings
from app.runtime import Services
from app.staff import trust_lists
from app.trust.drafts import make_content
from app.trust.lists import ListChange
from app.trust.root_key import public_text
from app.trust.signed_list import sign_list
from tests.support.clock import START
from tests.support.desk import make_officer

LIFE, SKEW = timedelta(seconds=60), timedelta(seconds=10)
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)


def private_key(name: str) -> Ed25519PrivateKey:
    """A key that is the same in each run."""
    return Ed25519PrivateKey.from_private_bytes(sha256(f"an invented key: {name}".encode()).digest())


ROOT = private_key("root")


@dataclass(frozen=True)
class Province:
    """An invented province, which issues codes with one key."""

    id: str = "example"
    region: str = "990000"
    zh: str = "示例省"

    @property
    def keys(self) -> Keys:
        private = private_key(self.id)
        kid = thumbprint(private.public_key().public_bytes_raw())[:8]
        return Keys(b"s" * 32, b"l" * 32, b"e" * 64, b"p" * 64, (SigningKey(kid, BEGAN, None, private),))

    @property
    def kid(self) -> str:
        return self.keys.signing[0].kid

    def key_set(self) -> dict[str, Any]:
        return CodeTokens(self.keys, LIFE, SKEW).key_set(START)

    def code(self, state: State = State.GREEN, at: datetime = START) -> str:
        """What a phone there shows at a moment."""
        return CodeTokens(self.keys, LIFE, SKEW).mint(7, state, at)

    def strip(self, state: State, issued: datetime, window: timedelta = timedelta(minutes=5)) -> str:
        """What a phone without network shows now, of a strip that was issued before."""
        begins = StripWindow(START, START + window)
        return StripTokens(self.keys, SKEW).mint(StripHolder(7, 1, state), issued, begins)

    def issuer(self, status: str = "active", **key: Any) -> dict[str, Any]:
        """The province as an issuer in a list; `key` changes its key."""
        [published] = self.key_set()["keys"]
        listed = {name: published[name] for name in ("kid", "x", "from", "until")}
        return {
            "id": self.id,
            "region": self.region,
            "names": {"zh": self.zh, "en": f"Province {self.id}", "ko": f"{self.id} 성"},
            "status": status,
            "keys": [{**listed, **key}],
        }


EXAMPLE, OTHER = Province(), Province("other", "980000", "样例省")


def make_list(*issuers: dict[str, Any], at: datetime = START, days: int = 14, root: Ed25519PrivateKey = ROOT) -> str:
    """A signed list, made at a moment."""
    return sign_list(make_content(issuers, at, days), root)


def trusting(services: Services, **changes: Any) -> Services:
    """The same services with the root key pinned."""
    trust = TrustSettings(**{"root": public_text(ROOT), "issuer": "jilin", "host": "jixiang.example", **changes})
    return replace(services, settings=services.settings.model_copy(update={"trust": trust}))


class TwoAdministrators:
    """Two administrators of the whole province, who take lists into use."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.both = [make_officer(services, f"admin-{n}", "administrator") for n in (1, 2)]

    def take(self, content: str, *, many: bool = False) -> ListChange:
        return trust_lists.import_list(self.services, self.both, content, many=many)


def resigned(content: dict[str, Any], root: Ed25519PrivateKey = ROOT, **header: Any) -> str:
    """A list with any content, signed as the real ones are; `header` changes the protected header."""
    signed = json.loads(make_list(at=START, root=root))
    protected = {**json.loads(_decoded(signed["protected"])), **header}
    parts = [_encoded(json.dumps(one).encode()) for one in (protected, content)]
    signature = _encoded(root.sign(".".join(parts).encode()))
    return json.dumps({"payload": parts[1], "protected": parts[0], "signature": signature})


def content_of(signed: str) -> dict[str, Any]:
    """What a list says."""
    read: dict[str, Any] = json.loads(_decoded(json.loads(signed)["payload"]))
    return read


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")
