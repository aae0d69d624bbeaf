"""Collect all that is kept about a citizen.

Each part is whole where the endpoint that shows it is not: the account unmasked, lists to their end.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session as Database

from app.api.citizens.access import access_out, check_seen_out
from app.api.citizens.appeals import appeal_out
from app.api.citizens.bindings import binding_out
from app.api.citizens.export.document import (
    CheckedDayOut,
    CorrectionMadeOut,
    CreditsOut,
    ExportedDeclarationOut,
    ExportOut,
    FamilyTieOut,
    OwnAccountOut,
    VenueAskedOut,
)
from app.api.citizens.paper_cards import card_out
from app.api.codes.history import change_out, evidence_out, message_out, notice_out
from app.api.responses import follow_up_out
from app.appeals import appeals
from app.citizens import access, accounts, bindings, declarations
from app.citizens.accounts import OwnData
from app.citizens.models import DeclarationRow
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
from app.web import current_session, get_services, language
from app.wechat.official import followers

_ALL: Final = Page(10_000_000)  # more than anybody has


def collect(database: Database, serial: int) -> ExportOut:
    """Return everything that is kept about a citizen, in the language of the request. Raises Problem."""
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
