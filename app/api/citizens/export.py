"""The endpoints with which a citizen takes everything that is kept about them along, in one document.

Each part has the shape of the endpoint that shows it, but is whole: the account unmasked, lists to their end.
"""

from datetime import datetime
from typing import Any, Final

from flask import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session as Database

from app import audit
from app.api.citizens import export_pdf
from app.api.citizens.access import AccessOut, access_out, check_seen_out, views
from app.api.citizens.appeals import AppealOut, appeal_out
from app.api.citizens.bindings import BindingOut, binding_out
from app.api.citizens.confirmation import ConfirmationBody, ask_for_confirmation, lock_confirmed
from app.api.citizens.paper_cards import PaperCardOut, card_out
from app.api.codes.history import (
    ChangeOut,
    EvidenceOut,
    MessageOut,
    NoticeOut,
    change_out,
    evidence_out,
    message_out,
    notice_out,
)
from app.api.responses import FollowUpOut, follow_up_out
from app.appeals import appeals
from app.citizens import access, accounts, bindings, declarations
from app.citizens.accounts import OwnData
from app.citizens.models import DeclarationRow
from app.citizens.paper.pdf import require_font
from app.codes import display
from app.codes.display import Page
from app.codes.paper import cards
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.core.texts import text
from app.corrections import requests
from app.corrections.models import DocumentCorrection
from app.families import ties
from app.follow_ups import shown
from app.notifications import account_messages, subscriptions
from app.venues import applications, handovers, management
from app.web import SESSION, actor, current_session, get_services, json_response, language, limits, no_store
from app.web.problems import problem_responses
from app.wechat.official import followers

_ALL: Final = Page(10_000_000)  # more than anybody has
_PDF: Final[dict[str, Any]] = {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}


class OwnAccountOut(BaseModel):
    """The account, unmasked. `username` is empty until one is chosen; `phone` null where there is none."""

    username: str
    name: str
    document_type: str
    document_number: str
    phone: str | None
    registered_at: str
    text_messages: bool = Field(description="Whether text messages about changes are switched on")


class ExportedDeclarationOut(BaseModel):
    declared_at: str
    symptoms: list[str]
    contact_on: str | None
    consent_version: str
    outcome: str = Field(description="Of its verification: waiting, verified, mismatched, withdrawn …")


class CreditsOut(BaseModel):
    template_id: str
    credits: int
    last_answer: str
    changed_at: str


class FamilyTieOut(BaseModel):
    """A tie of the caller's family; `name` is masked, as the caller sees it elsewhere."""

    shows: str = Field(description="Whose code is shown: `theirs`, by the caller, or the caller's `own`")
    name: str
    consent: str
    may_declare: bool
    since: str
    ends_at: str | None


class CorrectionMadeOut(BaseModel):
    """A request for another document; its numbers are not kept."""

    asked_at: str
    reason: str
    state: str
    resolved_at: str | None


class CheckedDayOut(BaseModel):
    """That the caller's red or orange code was checked on a day, first in this hour of Beijing."""

    day: str
    hour: int


class VenueAskedOut(BaseModel):
    """An application for a venue, or a venue that the caller manages or is offered."""

    name: str
    state: str = Field(description="waiting, approved, refused, withdrawn; managed, or offered")
    since: str


class ExportOut(BaseModel):
    """Everything that is kept about the caller, newest first in each list; texts in the caller's language."""

    made_at: str
    notice: str = Field(description="What this document is, and whom it may be given")
    account: OwnAccountOut
    declarations: list[ExportedDeclarationOut]
    evidence: list[EvidenceOut]
    decisions: list[ChangeOut]
    notices: list[NoticeOut]
    messages: list[MessageOut] = Field(description="About the account, of the last 30 days")
    official_account: bool = Field(description="Whether the WeChat user who asks is known to follow it")
    subscriptions: list[CreditsOut] = Field(description="Of the WeChat user who asks")
    bindings: list[BindingOut]
    appeals: list[AppealOut]
    corrections: list[CorrectionMadeOut] = Field(description="Requests for another document")
    accesses: list[AccessOut]
    document_checks: list[AccessOut]
    family: list[FamilyTieOut] = Field(description="Whose codes the caller shows, and who shows the caller's")
    venues: list[VenueAskedOut] = Field(description="Applied for, managed by the caller, and offered to them")
    paper_card: PaperCardOut | None
    follow_ups: list[FollowUpOut]
    checked_days: list[CheckedDayOut]


@views.post(
    "/accounts/me/export", responses={200: ExportOut, **problem_responses(401, 403, 429, 503)}, security=SESSION
)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
@limits.limit_own_password
def export(body: ConfirmationBody) -> Response:
    """Return everything that is kept about the caller, confirmed by the password or by WeChat.

    The audit has an event of it, which the caller can read: who got hold of an unlocked phone is seen.
    """
    return _as_file(json_response(_export(body)), "json")


@views.post("/accounts/me/export.pdf", responses={200: _PDF, **problem_responses(401, 403, 429, 503)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.registration), key_func=limits.per_session)
@limits.limit_own_password
def export_as_pdf(body: ConfirmationBody) -> Response:
    """Return the same as a PDF to read, in the caller's language, without the ids."""
    font_file = get_services().settings.paper.font_file
    require_font(font_file)  # before an export is recorded that nobody gets
    content = export_pdf.render(_export(body), language(), font_file)
    return _as_file(no_store(Response(content, mimetype="application/pdf")), "pdf")


def _as_file(answer: Response, kind: str) -> Response:
    answer.headers["Content-Disposition"] = f"attachment; filename=jixiang-data.{kind}"
    return answer


def _export(body: ConfirmationBody) -> ExportOut:
    services, serial = get_services(), current_session().serial
    confirmation = ask_for_confirmation(body)
    with services.begin() as database:
        lock_confirmed(database, confirmation)
        audit.append(database, actor(), "exported", services.clock.now(), serial=serial)
        database.flush()
        return _collect(database, serial)


def _collect(database: Database, serial: int) -> ExportOut:
    services, now = get_services(), get_services().clock.now()
    own = accounts.get_own_data(database, services.encryption, serial)
    if own is None:
        raise Problem("not-registered")
    policy, user = services.policy, current_session().subject
    history = display.history(database, policy, serial, now, _ALL)
    mine, card = appeals.list_own(database, serial), cards.find_live(database, serial, now)
    return ExportOut(
        made_at=rfc3339(now),
        notice=text("export", "notice", language()),
        account=_account(own),
        declarations=[_declaration(row) for row in declarations.list_own(database, serial)],
        evidence=[evidence_out(row) for row in display.own_evidence(database, serial, history)],
        decisions=[change_out(one.decision, one.evidence) for one in history],
        notices=[notice_out(*pair) for pair in display.inbox(database, policy, serial, now, _ALL)],
        messages=[message_out(row) for row in account_messages.list_own(database, serial)],
        official_account=followers.is_follower(database, user),
        subscriptions=_credits(database, user),
        bindings=[binding_out(one) for one in bindings.list_bindings(database, serial, user)],
        appeals=[appeal_out(database, one, len(mine) - place) for place, one in enumerate(mine)],
        corrections=[_correction(row) for row in requests.list_own(database, serial)],
        accesses=[access_out(one) for one in access.list_accesses(database, serial, _ALL.size)],
        document_checks=[
            check_seen_out(one) for one in access.list_document_checks(database, services.encryption, serial, _ALL.size)
        ],
        family=_family(database, serial, now),
        venues=_venues(database, serial, now),
        paper_card=None if card is None else card_out(card, cards.scans_today(database, card, now).scans),
        follow_ups=[follow_up_out(one, language()) for one in shown.list_of_holder(database, serial)],
        checked_days=[
            CheckedDayOut(day=one.day.isoformat(), hour=one.hour) for one in shown.list_own_alerts(database, serial)
        ],
    )


def _family(database: Database, serial: int, now: datetime) -> list[FamilyTieOut]:
    encryption = get_services().encryption
    found = [("theirs", tie, tie.dependant) for tie in ties.list_of_holder(database, serial, now)]
    found += [("own", tie, tie.holder) for tie in ties.list_of_dependant(database, serial, now)]
    return [
        FamilyTieOut(
            shows=shows,
            name=profile.name if (profile := accounts.get_profile(database, encryption, other)) is not None else "",
            consent=tie.consent,
            may_declare=tie.may_declare,
            since=rfc3339(tie.since),
            ends_at=None if tie.ends_at is None else rfc3339(tie.ends_at),
        )
        for shows, tie, other in found
    ]


def _venues(database: Database, serial: int, now: datetime) -> list[VenueAskedOut]:
    encryption = get_services().encryption
    asked = [(one.name, one.state, one.applied_at) for one in applications.list_own(database, serial)]
    managed = [(one.name, "managed", one.created_at) for one in management.list_venues(database, serial)]
    offers = handovers.list_offers(database, encryption, serial, now)
    offered = [(one.venue.name, "offered", one.expires_at - handovers.LASTS) for one in offers]
    return [VenueAskedOut(name=name, state=state, since=rfc3339(at)) for name, state, at in asked + managed + offered]


def _account(own: OwnData) -> OwnAccountOut:
    return OwnAccountOut(**{**own._asdict(), "registered_at": rfc3339(own.registered_at)})


def _correction(row: DocumentCorrection) -> CorrectionMadeOut:
    return CorrectionMadeOut(
        asked_at=rfc3339(row.asked_at),
        reason=row.reason,
        state=requests.state_for_holder(row),
        resolved_at=None if row.resolved_at is None else rfc3339(row.resolved_at),
    )


def _declaration(row: DeclarationRow) -> ExportedDeclarationOut:
    return ExportedDeclarationOut(
        declared_at=rfc3339(row.declared_at),
        symptoms=row.symptoms,
        contact_on=None if row.contact_on is None else row.contact_on.isoformat(),
        consent_version=row.consent_version,
        outcome=row.outcome,
    )


def _credits(database: Database, user: int) -> list[CreditsOut]:
    rows: dict[str, Any] = subscriptions.balance(database, user) if user else {}
    return [
        CreditsOut(
            template_id=template,
            credits=row.credits,
            last_answer=row.last_answer,
            changed_at=rfc3339(row.changed_at),
        )
        for template, row in sorted(rows.items())
    ]
