"""Certificates: a signed line that a person keeps of what was done for them, such as the deletion of their account.

The audit event has the id of the certificate, so that the line, the event and the chain prove each other. Neither says
whom the event is about: the id is random.
"""

import base64
import binascii
import re
import uuid
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.log import RARE, AuditEvent
from app.core.keys import Keys, signing_key_at

_PURPOSE: Final = b"jixiang-certificate-v1\n"  # signed tokens begin with byte 84: no signature is valid for both
_LINE: Final = re.compile(r"([a-z-]+)\.([0-9a-f]{32})\.(\d{1,12})\.([0-9a-f]{8})\.([\w-]{86})", re.ASCII)


class Certificate(NamedTuple):
    """A certificate: the action of its event, a random id, the second of the event, and the signature with its key."""

    action: str
    id: str
    at: datetime
    kid: str
    signature: bytes

    def __str__(self) -> str:
        signature = base64.urlsafe_b64encode(self.signature).rstrip(b"=").decode()
        return f"{self.action}.{self.id}.{int(self.at.timestamp())}.{self.kid}.{signature}"


class CertificateSigner:
    """Signs certificates with the current signing key, and verifies the signatures of all keys, old ones included."""

    def __init__(self, keys: Keys) -> None:
        self._signing = keys.signing

    def sign(self, action: str, now: datetime) -> Certificate:
        """Return a new certificate for an event of this action and moment; the event has its id as `certificate`."""
        key, id_, at = signing_key_at(self._signing, now), uuid.uuid4().hex, now.replace(microsecond=0)
        return Certificate(action, id_, at, key.kid, key.private.sign(_signed_text(action, id_, at)))

    def signature_fault(self, certificate: Certificate) -> str | None:
        """Return the fault of a signature: `unknown-key`, `forged`, or None."""
        key = next((key for key in self._signing if key.kid == certificate.kid), None)
        if key is None:
            return "unknown-key"
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(
                certificate.signature, _signed_text(certificate.action, certificate.id, certificate.at)
            )
        except InvalidSignature:
            return "forged"
        return None


def parse_certificate(line: str) -> Certificate:
    """Return the certificate of a line, in which a phone may have put blanks. Raises ValueError."""
    found = _LINE.fullmatch("".join(line.split()))
    if found is None:
        raise ValueError("no certificate")
    action, id_, seconds, kid, signature = found.groups()
    try:
        at = datetime.fromtimestamp(int(seconds), UTC)
        return Certificate(action, id_, at, kid, base64.urlsafe_b64decode(f"{signature}=="))
    except (ValueError, OverflowError, OSError, binascii.Error):
        raise ValueError("no certificate") from None


def find_event(session: Session, certificate: Certificate) -> AuditEvent | None:
    """Return the event of a certificate, None where the audit has none."""
    wanted = select(AuditEvent).where(RARE, AuditEvent.action == certificate.action)
    return session.scalars(wanted.where(AuditEvent.detail["certificate"].astext == certificate.id)).first()


def _signed_text(action: str, id_: str, at: datetime) -> bytes:
    return _PURPOSE + f"{action} {id_} {int(at.timestamp())}".encode()
