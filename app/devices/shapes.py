"""Terminals that only speak the shape of their maker: how each proves who it is, and what it asks.

Two shapes that were published. `code-gun`: a code gun posts `{cardNoType, idCardNo, temperature, deviceIndexCode}`.
`signed-gate`: a gate posts `{appId, timestamp, sign, code_content}`, or a document in the place of the code. What was
not published is inferred, and docs/reference/devices.md says what. A document is looked up with its name alone, as
everywhere: a number by itself is answered with "ask for the code".
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4, uuid5

from app.citizens.document_checks import checks as document_checks
from app.citizens.documents import DocumentType
from app.codes.tokens import trim
from app.core.errors import Problem
from app.devices import device_cache, heard, signatures
from app.devices.checks import DeviceCheck, Proof
from app.devices.device_cache import KnownDevice
from app.devices.registry import CODE_GUN, SECRET_COLUMN, SIGNED_GATE
from app.runtime import Services
from app.stations.checks import is_plausible

CARD, CODE = 1, 2  # cardNoType of a code gun: the number of an identity card, or the text of a code
_NOT_SIGNED: Final = frozenset({"sign", "image", "video"})
_ONCE: Final = UUID("0d0b7c2e-6f43-4c57-9d7c-6c1b5d1a9b57")  # the namespace of check numbers made of a signature
# the kinds of documents of the national platform; 99, others, says nothing
_DOCUMENTS: Final = {
    "10": DocumentType.ID_CARD,
    "14": DocumentType.HONG_KONG_MACAU_PERMIT,
    "15": DocumentType.TAIWAN_PERMIT,
    "16": DocumentType.TAIWAN_ONE_TIME_PERMIT,
    "20": DocumentType.PASSPORT,
    "34": DocumentType.PERMANENT_RESIDENCE,
}


class ShapedRequest(NamedTuple):
    """A request of a terminal: the name of its shape, its fields, and its Authorization header."""

    shape: str
    fields: Mapping[str, Any]
    authorization: str


def find_terminal(services: Services, request: ShapedRequest) -> KnownDevice:
    """Return the terminal that proves itself by its shape. Raises Problem as a signed request does."""
    if request.shape == CODE_GUN:
        return _of_code_gun(services, request)
    return _of_signed_gate(services, request)


def _of_code_gun(services: Services, request: ShapedRequest) -> KnownDevice:
    """A code gun has no signature of its own: the address with its id and secret makes a Basic header (inferred)."""
    scheme, _, given = request.authorization.partition(" ")
    try:
        id_, _, secret = (
            base64.b64decode(given if scheme.lower() == "basic" else "", validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        raise Problem("device-signature") from None
    device, expected = _secret_of(services, id_, CODE_GUN)
    if device is None or not hmac.compare_digest(secret.encode(), expected.encode()):
        raise Problem("device-signature")
    if device.revoked:
        raise Problem("device-revoked")
    heard.note(services, device.id)
    return device


def _of_signed_gate(services: Services, request: ShapedRequest) -> KnownDevice:
    """A gate signs its fields, sorted, with the secret among them; `timestamp` is in milliseconds."""
    fields = {name: str(value) for name, value in request.fields.items()}
    device, secret = _secret_of(services, fields.get("appId", ""), SIGNED_GATE)
    expected = sign(fields, secret)
    if device is None or not hmac.compare_digest(fields.get("sign", "").encode(errors="replace"), expected.encode()):
        raise Problem("device-signature")
    try:
        created = datetime.fromtimestamp(int(fields.get("timestamp", "")) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Problem("device-signature") from None
    signatures.admit(services, device, created, expected)
    return device


def sign(fields: Mapping[str, str], secret: str) -> str:
    """Return the signature of a gate's fields: SHA-256 of all, sorted by name, `name=value&…`, in capitals."""
    signed = {name: value for name, value in fields.items() if name not in _NOT_SIGNED} | {"secretKey": secret}
    text = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
    return hashlib.sha256(text.encode(errors="replace")).hexdigest().upper()


def _secret_of(services: Services, id_: str, shape: str) -> tuple[KnownDevice | None, str]:
    """Return a terminal of a shape and its secret; without one nobody, and a secret that nobody has."""
    known = id_.isascii() and id_.isdecimal() and len(id_) < 19
    device = device_cache.find_device(services, int(id_)) if known else None
    if device is None or device.shape != shape:
        return None, uuid4().hex
    return device, services.encryption.decrypt(SECRET_COLUMN, device.key)


def read_code_gun(fields: Mapping[str, Any]) -> DeviceCheck | None:
    """Return what a code gun asks; None for a number without a name, which nobody is looked up by. Raises Problem."""
    if fields["cardNoType"] == CARD:
        return None
    return DeviceCheck(uuid4(), trim(str(fields["idCardNo"])), _celsius(str(fields["temperature"])))


def _celsius(text: str) -> Decimal | None:
    """Return a temperature; None for one that is none, as a gun without a sensor sends 0."""
    try:
        celsius = Decimal(text).quantize(Decimal("0.1"))
    except InvalidOperation:
        return None
    return celsius if is_plausible(celsius) else None


def read_signed_gate(services: Services, fields: Mapping[str, Any]) -> DeviceCheck | None:
    """Return what a gate asks: its code, or a document with its name; None for a kind that says nothing.

    The number of the check is made of the signature, so that one request is one check. Raises Problem.
    """
    number = uuid5(_ONCE, str(fields["sign"]))
    if fields.get("code_content"):
        return DeviceCheck(number, trim(str(fields["code_content"])))
    kind = _DOCUMENTS.get(str(fields.get("certificate_type")))
    if kind is None or not fields.get("certificate_id") or not fields.get("name"):
        return None
    proof: Proof = document_checks.read_identity(
        kind, str(fields["certificate_id"]), str(fields["name"]), services.clock.now()
    )
    return DeviceCheck(number, proof)
