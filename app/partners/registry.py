"""Partners are added and revoked by two administrators of the whole province; the secret is shown once."""

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from limits import parse_many
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.core.errors import FieldError, Problem
from app.core.identity.spelling import tidy_name
from app.partners.envelope import SECRET_COLUMN
from app.partners.models import OFFERED, Partner
from app.runtime import Services
from app.staff.context import actor_of_signers
from app.staff.models import Officer, Role
from app.staff.second_administrator import require_two

_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_MOST: Final = 40  # characters of a name
_MOST_OF_RATE: Final = 60


@dataclass(frozen=True, slots=True)
class NewPartner:
    """A partner to add. `rate` holds for each interface; `plain`: its requests need not sign their bodies."""

    id: str
    name: str
    interfaces: Sequence[str]
    rate: str
    plain: bool = False


class AddedPartner(NamedTuple):
    """A partner's id, and its secret."""

    id: str
    secret: str


def add_partner(services: Services, officers: Collection[Officer], new: NewPartner) -> AddedPartner:
    """Add a partner. Raises Problem: `invalid-request` with every mistake, `partner-exists`, or who may not."""
    now, secret = services.clock.now(), secrets.token_urlsafe(32)
    with services.begin() as session:
        two = _two(session, officers)
        if wrong := _find_errors(new):
            raise Problem("invalid-request", fields=tuple(wrong))
        if session.get(Partner, new.id) is not None:
            raise Problem("partner-exists")
        actor, ciphertext = actor_of_signers(*two), services.encryption.encrypt(SECRET_COLUMN, secret)
        interfaces = sorted(set(new.interfaces))
        session.add(
            Partner(
                id=new.id, name=tidy_name(new.name), interfaces=interfaces, rate=new.rate, plain=new.plain,
                secret_ciphertext=ciphertext, added_at=now, added_by=str(actor),
            )
        )  # fmt: skip
        audit.append(
            session, actor, "partner-added", now, role=Role.ADMINISTRATOR.value,
            partner=new.id, interfaces=interfaces, plain=new.plain,
        )  # fmt: skip
    return AddedPartner(new.id, secret)


def revoke_partner(services: Services, officers: Collection[Officer], id_: str) -> None:
    """Revoke a partner for good; its next request is refused. Raises Problem `partner-not-found`, or who may not."""
    now = services.clock.now()
    with services.begin() as session:
        two = _two(session, officers)
        partner = session.get(Partner, id_, with_for_update=True)
        if partner is None:
            raise Problem("partner-not-found")
        if partner.revoked_at is None:
            partner.revoked_at = now
            actor = actor_of_signers(*two)
            audit.append(session, actor, "partner-revoked", now, role=Role.ADMINISTRATOR.value, partner=id_)


def list_partners(session: Session) -> Sequence[Partner]:
    """List all partners, also those that are revoked."""
    return session.scalars(select(Partner).order_by(Partner.id)).all()


def _two(session: Session, officers: Collection[Officer]) -> list[Officer]:
    two = [session.get_one(Officer, officer.id) for officer in officers]
    require_two(two, "partner-two-persons")
    return two


def _find_errors(new: NewPartner) -> list[FieldError]:
    wrong = []
    if not _ID.fullmatch(new.id):
        wrong.append(FieldError("/id", "partner-id-form"))
    if not 0 < len(tidy_name(new.name)) <= _MOST or not new.name.isprintable():
        wrong.append(FieldError("/name", "invalid"))
    if not new.interfaces or not set(new.interfaces) <= set(OFFERED):
        wrong.append(FieldError("/interfaces", "not-a-choice"))
    if not _is_rate(new.rate):
        wrong.append(FieldError("/rate", "rate-form"))
    return wrong


def _is_rate(rate: str) -> bool:
    try:
        return len(rate) <= _MOST_OF_RATE and bool(parse_many(rate))
    except ValueError:
        return False
