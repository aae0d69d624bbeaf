"""The auditors' pages: what needs them now, the entries of the audit, and how its chain stands.

The first reloads itself, so that an attempt is seen within a minute by whoever has it before them; a reload is no sign
that anybody is there. Document numbers travel in forms only, and no page of these shows one.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from flask import Response, g, request, url_for
from pydantic import Field
from sqlalchemy.orm import Session

from app.api.authorization import AUTO_REFRESH, can_open
from app.audit import AccessReason, checkpoints, monitoring
from app.audit.checkpoints import Checkpoint
from app.citizens.accounts import Document
from app.citizens.documents import DocumentType, normalize, parse_document_type
from app.console.pages import language, page, parse_form, parse_int, parse_query, views
from app.core.clock import BEIJING
from app.core.errors import FieldError, Problem, bad_field
from app.core.texts import slugs, text
from app.review import audit_search, oversight
from app.review.audit_search import AuditQuery, FoundEvent
from app.staff.models import Officer
from app.web import RequestBody, current_officer, get_services

RELOAD_SECONDS: Final = 30
SERIAL: Final = "serial"  # in the place of a kind of document
_PAGE_SIZE = 50
_CHECKPOINT_PERIOD = timedelta(days=14)
_DIGITS: Final = r"^\d{0,18}$"
_REASONS = (
    "access-reasons",
    "clearance-reasons",
    "rejection-reasons",
    "reasons",
)  # sections with words for the reason of an entry
_OMITTED_DETAILS: Final = ("hash", "found", "complete")  # of what an entry says: the page of the chain tells it


class AuditFilterForm(RequestBody):
    """What the address of the entries asks for."""

    officer: str = Field(default="", max_length=64)
    act: str = Field(default="", max_length=60)
    day: str = Field(default="", max_length=10)
    before: str = Field(default="", pattern=_DIGITS)


class PersonQueryForm(RequestBody):
    """The form that asks for one person's entries, and why."""

    document_type: str = Field(max_length=30)
    number: str = Field(max_length=40, repr=False)
    reason: str = Field(max_length=40)
    before: str = Field(default="", pattern=_DIGITS)


class AuditRow(NamedTuple):
    """An entry in words: `more` is what else it says, in codes."""

    id: int
    at: datetime
    who: str
    role: str
    act: str
    serial: int | None
    reason: str
    entry: int | None
    people: int | None
    alarm: str
    more: Sequence[str]


@views.before_request
def count_held_entries() -> None:
    """An auditor sees on every page how much is held."""
    me = g.get("officer")
    if me is not None and can_open(me, "/console/audit"):
        with get_services().sessions() as session:
            g.setdefault("waiting_in_menu", {})["audit"] = oversight.count_held(session, me).entries


def load_alerts(session: Session, me: Officer) -> dict[str, Any]:
    """What an auditor sees on their first page."""
    now = get_services().clock.now()
    return {"held": oversight.count_held(session, me), "fault": monitoring.chain_status(session, now).fault}


@views.get("/audit")
def show_oversight() -> Response:
    """What needs an auditor now; the page reloads itself until it is told not to."""
    services, still = get_services(), "still" in request.args
    with services.sessions() as session:
        now = services.clock.now()
        seen, standing = oversight.load_summary(session, current_officer(), now), monitoring.chain_status(session, now)
    return page("oversight.html", watch=seen, standing=standing, still=still, now=now, seconds=RELOAD_SECONDS)


@views.after_request
def set_refresh_header(response: Response) -> Response:
    """The page of what needs an auditor comes again, also after a moment in which it could not be drawn."""
    if (
        request.endpoint == "console.show_oversight"
        and response.status_code in (200, 503)
        and "still" not in request.args
    ):
        response.headers["Refresh"] = f"{RELOAD_SECONDS}; url={url_for('console.watch')}?{AUTO_REFRESH}=yes"
    return response


@views.get("/audit/events")
def list_audit_events() -> Response:
    """The audit, narrowed by officer, deed and day."""
    filled = None
    try:
        filled = parse_query(AuditFilterForm)
        wanted = AuditQuery(officer=filled.officer, action=_parse_action(filled.act), day=_parse_day(filled.day))
        with get_services().sessions() as session:
            found = audit_search.search(session, current_officer(), wanted, _PAGE_SIZE, int(filled.before or 0) or None)
    except Problem as problem:
        return _events_page((), filled=filled, problem=problem)
    return _events_page(found, filled=filled)


@views.post("/audit/person")
def list_person_events() -> Response:
    """The entries about one person, once it is entered that somebody looks."""
    services, filled = get_services(), None
    try:
        filled = parse_form(PersonQueryForm)
        whom = _parse_person(filled)
        with services.begin() as session:
            serial = audit_search.find_person(
                session, services.encryption, current_officer(), whom, filled.reason, services.clock.now()
            )
        if serial is None:
            raise Problem("code-not-found")
        with services.sessions() as session:
            before = int(filled.before or 0) or None
            found = audit_search.search(session, current_officer(), AuditQuery(serial=serial), _PAGE_SIZE, before)
    except Problem as problem:
        return _events_page((), person=filled, problem=problem)
    return _events_page(found, person=filled, serial=serial)


@views.get("/audit/chain")
def show_chain() -> Response:
    """How the chain stands, and the signed heads of the last days."""
    services = get_services()
    now = services.clock.now()
    with services.sessions() as session:
        standing = monitoring.chain_status(session, now)
        kept = checkpoints.stored_checkpoints(session, now.astimezone(BEIJING).date() - _CHECKPOINT_PERIOD)
    return page(
        "audit-chain.html", standing=standing, now=now, heads=[_verify_checkpoint(head) for head in reversed(kept)]
    )


# --- what is asked


def _parse_action(act: str) -> str:
    if act and act not in slugs("acts"):
        raise bad_field("/act", "not-a-choice")
    return act


def _parse_day(words: str) -> date | None:
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        raise bad_field("/day", "date-form") from None


def _parse_person(filled: PersonQueryForm) -> int | Document:
    """A serial or a document. Raises Problem; what is wrong is told without the number."""
    if filled.document_type == SERIAL:
        try:
            return parse_int(filled.number.strip())
        except ValueError:
            raise bad_field("/number", "invalid") from None
    kind = parse_document_type(filled.document_type)
    try:
        return kind, normalize(kind, filled.number, get_services().clock.now().astimezone(BEIJING).date())
    except Problem as problem:
        wrong = tuple(FieldError("/number", field.slug) for field in problem.fields)
        raise Problem("invalid-request", fields=wrong) from None


# --- what is told


def _events_page(found: Sequence[FoundEvent], **values: Any) -> Response:
    """The page of entries; what was asked of a person is drawn without their number."""
    return page(
        "audit-events.html",
        told=[_make_row(deed) for deed in found],
        next=found[-1].event.id if len(found) == _PAGE_SIZE else None,
        acts=slugs("acts"), types=[SERIAL, *DocumentType], reasons=list(AccessReason),
        district=current_officer().district,
        **values,
    )  # fmt: skip


def _make_row(deed: FoundEvent) -> AuditRow:
    event = deed.event
    kind, _, id_ = event.actor.partition(":")
    rest = dict(event.detail)
    alarm, what, proposal, people = (rest.pop(name, None) for name in ("alarm", "what", "proposal", "people"))
    entry = rest.pop("entry", proposal)  # older events call it a proposal
    return AuditRow(
        id=event.id,
        at=event.at,
        who=" + ".join(deed.usernames) or (id_ if kind == "officer" else ""),
        role=_translate_slug(("roles", "actors"), event.role or kind),
        act=_translate_slug(("acts",), event.action),
        serial=event.serial,
        reason=_translate_slug(_REASONS, event.reason),
        entry=entry,
        people=people,
        alarm=_translate_slug(("alarms",), alarm),
        more=[
            *([_translate_slug(("record-parts",), what)] if what else ()),
            *(f"{name} {_format_value(value)}" for name, value in sorted(rest.items()) if name not in _OMITTED_DETAILS),
        ],
    )


def _translate_slug(sections: Sequence[str], slug: str | None) -> str:
    """The words for a slug, from the first section that has it; older entries may hold some that nobody writes now."""
    section = next((section for section in sections if slug in slugs(section)), None)
    return (slug or "") if section is None else text(section, str(slug), language())


def _format_value(value: Any) -> str:
    return ", ".join(map(_format_value, value)) if isinstance(value, list) else "—" if value is None else str(value)


def _verify_checkpoint(head: Checkpoint) -> tuple[Checkpoint, str | None]:
    return head, get_services().checkpoint_signer.signature_fault(head)
