"""Looking up who is at a window, by the document in their hand; what is found opens a visit.

Whatever does not fit has one answer: an unknown number, somebody who has no account, another name than the account's.
The same statements are executed for all of them, so that the time says nothing either. Who is asked about reads it.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app import audit
from app.audit import AccessReason, RecordPart
from app.citizens import lookup
from app.citizens.documents import DocumentType, normalize
from app.citizens.models import Account, Citizen
from app.core.clock import BEIJING
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem
from app.core.identity.names import fold_person_name, is_person_name
from app.runtime import Services
from app.staff.context import begin_officer
from app.staff.models import Officer, Role
from app.windows.ceilings import load_ceilings
from app.windows.clerks import Clerk, is_held, require_clerk
from app.windows.models import WindowLookup


@dataclass(frozen=True, slots=True)
class Document:
    """What a document says, as it was typed or as a reader with a keyboard plug sent it."""

    kind: DocumentType
    number: str = field(repr=False)
    name: str = field(repr=False)

    def normalized(self, now: datetime) -> "Document":
        """Return it in the spelling in which it is compared. Raises Problem with every bad field."""
        name, number, wrong = fold_person_name(self.name), self.number, []
        if not is_person_name(name):
            wrong.append(FieldError("/name", "name-form" if name else "name-needed"))
        try:
            number = normalize(self.kind, number, now.astimezone(BEIJING).date())
        except Problem as problem:
            slugs = [one.slug for one in problem.fields] if number.strip() else ["number-needed"]
            wrong.extend(FieldError("/number", slug) for slug in slugs)
        if wrong:
            raise Problem("invalid-request", fields=tuple(wrong))
        return Document(self.kind, number, name)


def look_up(services: Services, officer: Officer, document: Document) -> int:
    """Look up who is at the window, and return the number of the visit.

    Raises Problem with every bad field; `window-held` beyond the ceiling, whoever is asked about; `person-not-found`
    for everything that does not fit.
    """
    document = document.normalized(services.clock.now())
    visit = None
    with begin_officer(services, officer) as context:
        clerk = require_clerk(context)
        held = is_held(clerk, load_ceilings(services.settings.windows.ceilings_file))
        if not held:
            visit = _look_up(clerk, services, document)
    if held:
        raise Problem("window-held")
    if visit is None:
        raise Problem("person-not-found")
    return visit


def count_attempt(services: Services, officer: Officer) -> int:
    """Count an attempt to register as a look-up, and return its number. Raises Problem `window-held`."""
    with begin_officer(services, officer) as context:
        clerk = require_clerk(context)
        held = is_held(clerk, load_ceilings(services.settings.windows.ceilings_file))
        attempt = None if held else add_lookup(clerk, None, None)
    if attempt is None:
        raise Problem("window-held")
    return attempt.id


def add_lookup(clerk: Clerk, serial: int | None, ends_at: datetime | None) -> WindowLookup:
    """Add a look-up; with a serial it is a visit that ends at that moment."""
    row = WindowLookup(
        officer_id=clerk.context.me.id, window_id=clerk.window.id, at=clerk.context.now, serial=serial, ends_at=ends_at
    )
    clerk.context.session.add(row)
    clerk.context.session.flush()
    return row


def _look_up(clerk: Clerk, services: Services, document: Document) -> int | None:
    context = clerk.context
    known, fits = _find(context.session, context.encryption, document)
    if fits and known is not None:
        visit = add_lookup(clerk, known, context.now + services.settings.windows.visit)
        record_access(clerk, known)
        return visit.id
    add_lookup(clerk, None, None)
    clerk.record_act("person-sought", known, what=str(RecordPart.IDENTITY))
    return None


def record_access(clerk: Clerk, serial: int) -> None:
    """Record that the clerk sees the state of a person, who reads at which window, before it is shown."""
    audit.record_access(
        clerk.context.session,
        clerk.context.actor,
        Role.CLERK.value,
        serial,
        AccessReason.WINDOW,
        RecordPart.STATE,
        clerk.context.now,
        authority=clerk.window.name,
    )


def _find(session: Session, encryption: FieldEncryption, document: Document) -> tuple[int | None, bool]:
    """Return the serial of a document, and whether it has an account of this name; the same work is done for all."""
    serial = lookup.find_serial(session, encryption, document.kind, document.number)
    citizen = session.get(Citizen, serial or 0, populate_existing=True)
    account = session.get(Account, serial or 0, populate_existing=True)
    nobody = encryption.encrypt("citizens.name", "\N{EM DASH}")
    name = encryption.decrypt("citizens.name", (citizen and citizen.name_ciphertext) or nobody)
    fits = hmac.compare_digest(fold_person_name(name).encode(), document.name.encode())
    return serial, fits and account is not None
