"""The endpoints with which a citizen corrects their document, reads what became of it, and objects."""

from datetime import datetime

from flask import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session as Database

from app.api.citizens.accounts import AccountOut, account_out, views
from app.api.citizens.confirmation import ConfirmationBody, ask_for_confirmation, ask_for_identity, lock_confirmed
from app.api.citizens.registration import DocumentBody
from app.citizens import accounts
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.corrections import requests
from app.corrections.requests import Wish
from app.web import SESSION, current_session, get_services, json_response, limits
from app.web.own_record import begin_own
from app.web.problems import problem_responses
from app.windows import recoveries


class CorrectionBody(ConfirmationBody):
    document: DocumentBody
    reason: str = Field(max_length=20, description="mistyped, renewed, or other-kind")
    district: str = Field(max_length=40, description="Whose officers decide where the platform's word is no proof")


class CorrectionOut(BaseModel):
    """The latest request, `state` null where there is none. `account` is the account as it is now."""

    state: str | None
    reason: str | None = None
    asked_at: str | None = None
    resolved_at: str | None = None
    object_until: str | None = None
    account: AccountOut


@views.put(
    "/accounts/me/document",
    responses={200: CorrectionOut, **problem_responses(401, 403, 409, 429, 503)},
    security=SESSION,
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
@limits.limit_own_password
@limits.limit_own_mismatches
def correct_document(body: CorrectionBody) -> Response:
    """Ask for another document, confirmed by the password or by WeChat; the national platform has to know it so.

    `state` is `done` where its word is proof, and `waiting` for two officers otherwise. 422 `identity-mismatch` when it
    knows name or phone otherwise, 503 `document-not-confirmed` while it cannot say, 409 `correct-by-registering` for an
    account that was never confirmed.
    """
    services, serial = get_services(), current_session().serial
    wish = Wish((body.document.type, body.document.number), body.reason, body.district)
    with services.sessions() as database:
        form = requests.make_form(database, services.encryption, serial, wish, services.clock.now())
    confirmation = ask_for_confirmation(body)
    if not ask_for_identity(form):
        raise Problem("document-not-confirmed", retry_after=60)
    wish = wish._replace(document=(form.document_type, form.document_number))
    with services.begin() as database:
        lock_confirmed(database, confirmation)
        recoveries.require_unfrozen(database, serial)
        requests.ask(database, services.encryption, serial, wish, services.clock.now())
        out = _out(database, serial)
    return json_response(out)


@views.get("/accounts/me/document", responses={200: CorrectionOut, **problem_responses(403)}, security=SESSION)
def show_correction() -> Response:
    """Return what became of the latest request, and until when the holder may object."""
    with get_services().sessions() as database:
        return json_response(_out(database, current_session().serial))


@views.post(
    "/accounts/me/document/objection",
    responses={200: CorrectionOut, **problem_responses(404, 409)},
    security=SESSION,
)
def object_to_correction() -> Response:
    """Undo what officers did to one's document; `no-correction` where they did nothing, and a week after."""
    services, serial = get_services(), current_session().serial
    with begin_own() as database:
        recoveries.require_unfrozen(database, serial)
        requests.object_to(database, services.encryption, serial, services.clock.now())
        out = _out(database, serial)
    return json_response(out)


def _out(database: Database, serial: int) -> CorrectionOut:
    account = account_out(accounts.get_profile(database, get_services().encryption, serial))
    if account is None:
        raise Problem("not-registered")
    row = next(iter(requests.list_own(database, serial)), None)
    if row is None:
        return CorrectionOut(state=None, account=account)
    done = requests.find_latest_done(database, serial)
    until = None if done is None else requests.objection_ends_at(done)
    return CorrectionOut(
        state=requests.state_for_holder(row),
        reason=row.reason,
        asked_at=rfc3339(row.asked_at),
        resolved_at=_moment(row.resolved_at),
        object_until=_moment(until if until is not None and until > get_services().clock.now() else None),
        account=account,
    )


def _moment(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
