"""Registering the person at a window, without a phone and without a user name.

The document in the clerk's hand takes the place of the phone, and the national platform has to confirm name and number
as everywhere: one officer alone opens nobody's record. Where it does not answer, nobody is registered.
"""

from app.appeals.take_over import take_over
from app.citizens import declarations, platform_calls, registration
from app.citizens.declarations import NewHolder
from app.citizens.registration import Registration
from app.codes import ledger
from app.core.errors import FieldError, Problem
from app.core.identity.phones import fold_phone, is_phone
from app.runtime import Services
from app.staff.context import actor_of, begin_officer
from app.staff.models import Officer
from app.wechat import login
from app.windows import lookups
from app.windows.clerks import require_clerk
from app.windows.lookups import Document
from app.windows.models import WindowLookup


def register(services: Services, officer: Officer, document: Document, phone: str = "") -> int:
    """Register the person at the window, and return the number of the visit.

    Raises Problem with every bad field; `window-held`; `identity-mismatch` where the platform contradicts, whether the
    number is known here or not; `window-platform-away`; `document-registered` for an account that has to be looked up.
    """
    form = _make_form(services, officer, document, phone)
    attempt = lookups.count_attempt(services, officer)
    if not _is_confirmed(services, form):
        raise Problem("window-platform-away", retry_after=60)
    with begin_officer(services, officer) as context:
        clerk, session, policy = require_clerk(context), context.session, context.policy
        serial = registration.register(session, context.encryption, form, context.now, confirmed=True)
        now = ledger.get_code(session, serial).claimed_at or context.now
        new = NewHolder(serial, form.assurance(confirmed=True), was_holder=False)
        doubtful = declarations.retract_previous_holder(session, policy, new, now)
        take_over(session, context.encryption, serial, doubtful, now)
        login.unbind_all(session, serial)
        clerk.record_act("registered-at-window", serial)
        lookups.record_access(clerk, serial)
        visit = session.get_one(WindowLookup, attempt, with_for_update=True)
        visit.serial, visit.ends_at = serial, context.now + services.settings.windows.visit
    return attempt


def _make_form(services: Services, officer: Officer, document: Document, phone: str) -> Registration:
    wrong: list[FieldError] = []
    normal = document
    try:
        normal = document.normalized(services.clock.now())
    except Problem as problem:
        wrong.extend(problem.fields)
    phone = fold_phone(phone)
    if phone and not is_phone(phone):
        wrong.append(FieldError("/phone", "phone-form"))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    clerk = actor_of(officer)
    return Registration(None, None, normal.name, normal.kind, normal.number, phone or None, clerk=clerk)


def _is_confirmed(services: Services, form: Registration) -> bool:
    """Return whether the platform confirms the form; False while it cannot say. Raises Problem `identity-mismatch`.

    Which field differs is not said: it would be the way to find somebody's name by their number.
    """
    try:
        return platform_calls.check_identity(services, form, services.clock.now())
    except Problem:
        with services.begin() as session:
            registration.count_mismatch(session, services.encryption, form, services.clock.now())
        raise Problem("identity-mismatch") from None
