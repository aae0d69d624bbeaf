"""Signed requests of devices: HTTP Message Signatures (RFC 9421) with Ed25519, and a Content-Digest (RFC 9530).

A signature covers the method, the path, the body's digest, the time and a nonce. What was seen once is refused from
then on: the nonce is remembered for as long as its time may be.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    VerifyResult,
    algorithms,
)
from redis import RedisError

from app.core.clock import rfc3339
from app.core.errors import Problem
from app.core.redis_client import AnyRedis
from app.devices import device_cache, heard
from app.devices.device_cache import KnownDevice
from app.runtime import Services

TAG: Final = "jixiang-device"  # of every signature for us, and for nothing else
_COVERED: Final = ("@method", "@path")
_NONCE_LENGTHS: Final = range(16, 65)


class SignedRequest(NamedTuple):
    """What a signature covers of a request; the host is not covered, for proxies change it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def url(self) -> str:
        """Return an address with this path, as the verifier wants one."""
        return f"http://device.invalid{self.path}"


class _Keys(HTTPSignatureKeyResolver):
    """Finds the public key by the id of the device, and keeps the device that it found."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.found: KnownDevice | None = None

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey | None:
        if not (key_id.isascii() and key_id.isdecimal() and len(key_id) < 19):
            return None
        device = device_cache.find_device(self._services, int(key_id))
        if device is None or device.shape:
            return None
        self.found = device
        return Ed25519PublicKey.from_public_bytes(device.key)


class _Verifier(HTTPMessageVerifier):
    """Leaves the time of a signature to us: the answer to a wrong clock says what time it is."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        del sig_input, max_age


def authenticate(services: Services, request: SignedRequest) -> KnownDevice:
    """Return the device that has signed a request.

    Raises Problem `device-signature`, `device-revoked`, `device-clock` or `device-replayed`, and `unavailable` where
    nobody can say whether the request was seen before.
    """
    keys = _Keys(services)
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    try:
        (result,) = verifier.verify(
            request, max_age=None, expect_tag=TAG, require_components=_COVERED, body=request.body
        )
    except (InvalidSignature, ValueError):  # several signatures with our tag are none
        raise Problem("device-signature") from None
    assert keys.found is not None  # or no key was found
    admit(services, keys.found, _created(result), result.nonce or "")
    return keys.found


def admit(services: Services, device: KnownDevice, created: datetime, nonce: str) -> None:
    """Let a device in whose request is authentic: it is not revoked, its clock is right, and the request is new."""
    now, skew = services.real_clock.now(), services.settings.devices.clock_skew
    if device.revoked:
        raise Problem("device-revoked")
    if abs(now - created) > skew:
        raise Problem("device-clock", members={"server_time": rfc3339(now)})
    if len(nonce) not in _NONCE_LENGTHS:
        raise Problem("device-signature")
    remember(services.redis, device.id, nonce, 2 * int(skew.total_seconds()))
    heard.note(services, device.id)


def remember(redis: AnyRedis, device_id: int, nonce: str, seconds: int) -> None:
    """Remember a nonce. Raises Problem `device-replayed`, and `unavailable` without Redis."""
    try:
        is_new = redis.set(f"jx:device:{device_id}:nonce:{nonce}", 1, nx=True, ex=seconds + 1)
    except RedisError:
        raise Problem("unavailable", retry_after=5) from None
    if not is_new:
        raise Problem("device-replayed")


def _created(result: VerifyResult) -> datetime:
    """Return when a signature was made. Raises Problem `device-signature` where it does not say."""
    created = result.parameters.get("created")
    if not isinstance(created, int):
        raise Problem("device-signature")
    try:
        return datetime.fromtimestamp(created, UTC)
    except (ValueError, OverflowError, OSError):
        raise Problem("device-signature") from None
