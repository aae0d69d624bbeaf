"""Signed requests of partners, in the envelope that is public of the national platform (`platform/national_wire`).

Four headers in lower case say who asks (rid), which interface (sid), when (rtime), and prove it (sign). That envelope
signs no body: a fifth header of ours, `gjzwfwpt_bodysign`, does, and only a partner that was added as plain may leave
it out. A request is answered once.
"""

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple

from redis import RedisError

from app.core.clock import rfc3339
from app.core.errors import Problem
from app.partners.models import OFFERED, Interface, Partner
from app.platform.national_wire import sign, sign_body
from app.runtime import Services

SECRET_COLUMN: Final = "partners.secret"  # noqa: S105  # the name of a column for its encryption
_RID: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_MILLISECONDS: Final = re.compile(r"[0-9]{13}")


class KnownPartner(NamedTuple):
    """A partner that has signed a request: its id, and its rate for each interface."""

    id: str
    rate: str


class Envelope(NamedTuple):
    """The five headers; what is not there is empty."""

    rid: str
    sid: str
    rtime: str
    sign: str
    bodysign: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Envelope":
        """Read the headers, as WSGI spells them: no matter in which case."""
        found = {name.lower(): value for name, value in headers.items()}
        return cls(*(found.get(f"gjzwfwpt-{name}", "") for name in cls._fields))


def authenticate(services: Services, interface: Interface, envelope: Envelope, body: bytes) -> KnownPartner:
    """Return the partner that has signed a request for an interface.

    Asked of the database each time, so that a revocation holds for the next request. Raises Problem `partners-off`,
    `partner-signature`, `partner-revoked`, `partner-clock`, `partner-may-not`, `partner-replayed`; and `unavailable`
    where nobody can say whether the request was seen before.
    """
    if not services.settings.partners.enabled:
        raise Problem("partners-off")
    partner = _find(services, envelope.rid)
    secret = "" if partner is None else services.encryption.decrypt(SECRET_COLUMN, partner.secret_ciphertext)
    if partner is None or not _is_signed(partner, secret, interface, envelope, body):
        raise Problem("partner-signature")
    if partner.revoked_at is not None:
        raise Problem("partner-revoked")
    _require_now(services, int(envelope.rtime))
    if interface in OFFERED and interface not in partner.interfaces:
        raise Problem("partner-may-not")
    _require_new(services, partner, envelope)
    return KnownPartner(partner.id, partner.rate)


def _find(services: Services, rid: str) -> Partner | None:
    if not _RID.fullmatch(rid):
        return None
    with services.sessions() as session:
        return session.get(Partner, rid)


def _is_signed(partner: Partner, secret: str, interface: Interface, envelope: Envelope, body: bytes) -> bool:
    """Return whether every signature that is there is good, and all that are needed are there."""
    if envelope.sid != interface.service_id or not _MILLISECONDS.fullmatch(envelope.rtime):
        return False
    if not _same(envelope.sign, sign(secret, envelope.sid, envelope.rid, envelope.rtime)):
        return False
    if not envelope.bodysign:
        return partner.plain
    return _same(envelope.bodysign, sign_body(secret, envelope.sid, envelope.rid, envelope.rtime, body))


def _same(given: str, made: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), made.encode())


def _require_now(services: Services, milliseconds: int) -> None:
    now, skew = services.real_clock.now(), services.settings.partners.clock_skew
    if abs(now - datetime.fromtimestamp(milliseconds / 1000, UTC)) > skew:
        raise Problem("partner-clock", members={"server_time": rfc3339(now)})


def _require_new(services: Services, partner: Partner, envelope: Envelope) -> None:
    seen = sha256(f"{envelope.sign}{envelope.bodysign}".encode()).hexdigest()[:32]
    seconds = 2 * int(services.settings.partners.clock_skew.total_seconds()) + 1
    try:
        is_new = services.redis.set(f"jx:partner:{partner.id}:{seen}", 1, nx=True, ex=seconds)
    except RedisError:
        raise Problem("unavailable", retry_after=5) from None
    if not is_new:
        raise Problem("partner-replayed")
