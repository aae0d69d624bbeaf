"""The audit's events, by officer, action and day, and those about one person.

Document numbers travel in forms only, and no page here shows one.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from flask import Response
from pydantic import Field

from app.audit import CHOSEN_REASONS
from app.citizens.documents import DocumentType, normalize, parse_document_type
from app.citizens.lookup import Document
from app.console.forms import parse_form, parse_int, parse_query
from app.console.pages import language, page, views
from app.core.clock import BEIJING
from app.core.errors import FieldError, Problem, bad_field
from app.core.texts import slugs, text
from app.review import audit_search
from app.review.audit_search import AuditQuery, FoundEvent
from app.staff.context import begin_officer
from app.web import RequestBody, current_officer, get_services

SERIAL: Final = "serial"  # instead of a kind of document
_PAGE_SIZE = 50
_DIGITS: Final = r"^[0-9]{0,18}$"
# sections with words for the reason of an event
_REASONS: Final = ("access-reasons", "clearance-reasons", "rejection-reasons", "reasons")
_OMITTED_DETAILS: Final = ("hash", "digest", "found", "complete")  # the page of the chain shows these
# of an event about somebody for whom nobody has searched: what says nothing about them
_IMPERSONAL_DETAILS: Final = ("appeal", "attachment", "outcome")


class AuditFilterForm(RequestBody):
    """The filter of events, from the address."""

    officer: str = Field(default="", max_length=64)
    act: str = Field(default="", max_length=60)
    day: str = Field(default="", max_length=10)
    before: str = Field(default="", pattern=_DIGITS)


class PersonQueryForm(RequestBody):
    """The form of a search for one person's events, with its reason."""

    document_type: str = Field(max_length=30)
    number: str = Field(max_length=100, repr=False)
    reason: str = Field(max_length=40)
    before: str = Field(default="", pattern=_DIGITS)


class AuditRow(NamedTuple):
    """An event in words; `person` is whom it is about, and `more` are its further details, as codes."""

    id: int
    at: datetime
    who: str
    role: str
    act: str
    person: int | None
    reason: str
    entry: int | None
    people: int | None
    alarm: str
    more: Sequence[str]


@views.get("/audit/events")
def list_audit_events() -> Response:
    """List the audit's events by officer, action and day."""
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
    """List the events about one person, after recording the access."""
    filled = None
    try:
        filled = parse_form(PersonQueryForm)
        whom = _parse_person(filled)
        with begin_officer(get_services(), current_officer()) as context:
            serial = audit_search.find_person(context, whom, filled.reason)
        if serial is None:
            raise Problem("code-not-found")
        with get_services().sessions() as session:
            before = int(filled.before or 0) or None
            found = audit_search.search(session, current_officer(), AuditQuery(serial=serial), _PAGE_SIZE, before)
    except Problem as problem:
        return _events_page((), person=filled, problem=problem)
    return _events_page(found, person=filled, serial=serial)


# --- queries


def _parse_action(act: str) -> str:
    """Return the action; a link from before 0.2.0 may have its older slug. Raises Problem."""
    action = audit_search.canonical(act)
    if action and action not in slugs("acts"):
        raise bad_field("/act", "not-a-choice")
    return action


def _parse_day(words: str) -> date | None:
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        raise bad_field("/day", "date-form") from None


def _parse_person(filled: PersonQueryForm) -> int | Document:
    """Return a serial or a document. Raises Problem, in which no number is repeated."""
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


# --- pages


def _events_page(found: Sequence[FoundEvent], **values: Any) -> Response:
    """Return the page of events; of a search for a person it omits the number.

    Without a search, which is an access, it names nobody, not even by a serial, and says no color: people are numbered
    on each page anew.
    """
    chosen, serials = values.get("serial"), dict.fromkeys(one.event.serial for one in found if one.event.serial)
    numbers = {serial: number for number, serial in enumerate(serials, 1)} if chosen is None else {chosen: chosen}
    return page(
        "audit-events.html",
        rows=[_make_row(one, numbers, is_chosen=chosen is not None) for one in found],
        next=found[-1].event.id if len(found) == _PAGE_SIZE else None,
        acts=slugs("acts"), types=[SERIAL, *DocumentType], reasons=CHOSEN_REASONS,
        district=current_officer().district,
        **values,
    )  # fmt: skip


def _make_row(found: FoundEvent, numbers: Mapping[int, int], *, is_chosen: bool) -> AuditRow:
    event = found.event
    kind, _, id_ = event.actor.partition(":")
    rest = dict(event.detail)
    alarm, what, proposal, people = (rest.pop(name, None) for name in ("alarm", "what", "proposal", "people"))
    entry = rest.pop("entry", proposal)  # the key in events of 0.1.0  words: ok
    if event.serial is not None and not is_chosen:
        rest = {name: value for name, value in rest.items() if name in _IMPERSONAL_DETAILS}
    return AuditRow(
        id=event.id,
        at=event.at,
        who=" + ".join(found.usernames) or (id_ if kind == "officer" else ""),
        role=_translate_slug(("roles", "actors"), event.role or kind),
        act=_translate_slug(("acts",), audit_search.canonical(event.action)),
        person=None if event.serial is None else numbers[event.serial],
        reason=_translate_slug(_REASONS, event.reason),
        entry=entry,
        people=people,
        alarm=_translate_slug(("alarms",), audit_search.canonical(alarm or "")),
        more=[
            *([_translate_slug(("record-parts",), what)] if what else ()),
            *(f"{name} {_format_value(value)}" for name, value in sorted(rest.items()) if name not in _OMITTED_DETAILS),
        ],
    )


def _translate_slug(sections: Sequence[str], slug: str | None) -> str:
    """Return the words for a slug, from the first section that has it; an unknown one of an older event stays."""
    section = next((section for section in sections if slug in slugs(section)), None)
    return (slug or "") if section is None else text(section, str(slug), language())


def _format_value(value: Any) -> str:
    return ", ".join(map(_format_value, value)) if isinstance(value, list) else "—" if value is None else str(value)
