"""The context in which an officer acts: one transaction, with who acts, in which role, and when.

Entries, appeals, statistics, review and accounts take it as their first argument. Also how the audit names officers.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AccessReason, Actor, AuditEvent, RecordPart
from app.core.encryption import FieldEncryption
from app.core.errors import Problem
from app.rules import Policy
from app.runtime import Services
from app.staff.models import Officer, Role

OPERATOR: Final = Actor("operator")  # at the command line, where no officer identifies


@dataclass(frozen=True, slots=True)
class OfficerContext:
    """One transaction in which an officer acts. The clock and operators have no officer: `actor` names them."""

    session: Session
    policy: Policy
    encryption: FieldEncryption
    now: datetime
    actor: Actor  # as the audit names it
    officer: Officer | None = None
    role: Role | None = None  # in which they act: set by `acting_as`, written into the audit

    @property
    def me(self) -> Officer:
        """Return the officer. Only for acts that an officer does."""
        assert self.officer is not None
        return self.officer

    def acting_as(self, *roles: Role) -> "OfficerContext":
        """Return this context in the first of these roles that the officer has. Raises Problem `not-your-role`."""
        role = next((role for role in roles if role in self.me.roles), None)
        if role is None:
            raise Problem("not-your-role")
        return replace(self, role=role)

    def covers(self, district: str | None) -> bool:
        """Return whether the officer's district covers this one; one without a district covers the whole province."""
        return self.me.district in (None, district)

    def append_audit(self, action: str, *, serial: int | None = None, reason: str | None = None, **detail: Any) -> None:
        """Append an event of this actor, role and moment to the audit."""
        role = None if self.role is None else self.role.value
        audit.append(self.session, self.actor, action, self.now, serial=serial, role=role, reason=reason, **detail)

    def record_access(self, serial: int, reason: str, part: RecordPart) -> None:
        """Record that the officer accesses a part of a person's record, before they see it. Raises Problem."""
        assert self.role is not None
        audit.record_access(self.session, self.actor, self.role, serial, reason, part, self.now)

    def require_seen(self, serial: int, reason: AccessReason, since: datetime) -> None:
        """Raise Problem `view-first` unless the officer has looked at a person's record for this reason since then."""
        seen = select(AuditEvent.id).where(
            AuditEvent.serial == serial, AuditEvent.action == "record-read", AuditEvent.actor == str(self.actor),
            AuditEvent.reason == reason, AuditEvent.at >= since,
        )  # fmt: skip
        if self.session.scalar(seen.limit(1)) is None:
            raise Problem("view-first")

    def record_accesses(self, serials: Collection[int], reason: AccessReason, part: RecordPart) -> None:
        """Record that the officer accesses a part of many records, before they see any."""
        assert self.role is not None
        audit.record_accesses(self.session, self.actor, self.role, serials, reason, part, self.now)


@contextmanager
def begin_officer(services: Services, officer: Officer) -> Iterator[OfficerContext]:
    """Begin a transaction of an officer, who is read anew: roles may have changed since the request began."""
    with services.begin() as session:
        me = session.get_one(Officer, officer.id)
        yield OfficerContext(session, services.policy, services.encryption, services.clock.now(), actor_of(me), me)


@contextmanager
def begin_as(services: Services, actor: Actor) -> Iterator[OfficerContext]:
    """Begin a transaction of the clock (`audit.CLOCK`) or of an `OPERATOR`."""
    with services.begin() as session:
        yield OfficerContext(session, services.policy, services.encryption, services.clock.now(), actor)


def actor_of(officer: Officer) -> Actor:
    """Return an officer as the audit names them."""
    return Actor("officer", str(officer.id))


def actor_of_signers(*signers: Officer) -> Actor:
    """Return the officers who sign a list, the recorder first, as the audit and the evidence name them."""
    return Actor("officer", "+".join(str(officer.id) for officer in signers))


def officer_ids_of(actor: str) -> list[int]:
    """Return the ids of the officers whom an actor of the audit or evidence names; of several, the recorder first."""
    kind, _, ids = actor.partition(":")
    return [int(id_) for id_ in ids.split("+") if id_.isdecimal()] if kind == "officer" else []
