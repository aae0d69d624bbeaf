"""The signature of Tencent Cloud's API 3.0, TC3-HMAC-SHA256: what is signed, and with which key.

A server recomputes it from the request, so a clock that is more than five minutes off is refused.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

ALGORITHM: Final = "TC3-HMAC-SHA256"
CONTENT_TYPE: Final = "application/json; charset=utf-8"
_SIGNED: Final = "content-type;host;x-tc-action"
_END: Final = "tc3_request"


@dataclass(frozen=True, slots=True)
class SmsCredentials:
    """The key of an account at the gateway, by its id."""

    secret_id: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedCall:
    """What is signed of a request."""

    service: str
    host: str
    action: str
    body: bytes = field(repr=False)
    timestamp: int

    @property
    def scope(self) -> str:
        """Return the day of UTC and the service for which the derived key is good."""
        return f"{datetime.fromtimestamp(self.timestamp, UTC):%Y-%m-%d}/{self.service}/{_END}"

    @property
    def text(self) -> str:
        """Return the lines over which the signature is computed."""
        headers = f"content-type:{CONTENT_TYPE}\nhost:{self.host}\nx-tc-action:{self.action.lower()}\n"
        request = "\n".join(["POST", "/", "", headers, _SIGNED, hashlib.sha256(self.body).hexdigest()])
        digest = hashlib.sha256(request.encode()).hexdigest()
        return "\n".join([ALGORITHM, str(self.timestamp), self.scope, digest])


def authorization(credentials: SmsCredentials, call: SignedCall) -> str:
    """Return the value of the header `Authorization`."""
    key = f"TC3{credentials.secret_key}".encode()
    for part in call.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, call.text.encode(), "sha256").hexdigest()
    credential = f"Credential={credentials.secret_id}/{call.scope}"
    return f"{ALGORITHM} {credential}, SignedHeaders={_SIGNED}, Signature={signature}"
