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

from app.audit import ReadReason
from app.chain import heads, rounds
from app.chain.heads import Head
from app.citizens.accounts import Document
from app.citizens.documents import DocumentType, document_type, normalize
from app.clock import BEIJING
from app.errors import FieldError, Problem, bad_field
from app.officers import deeds, oversight
from app.officers.console.frame import asked, counted, form, language, page, views
from app.officers.deeds import Deed, Wanted
from app.officers.models import Officer
from app.texts import slugs, text
from app.web import Body, officer, services
from app.web.authorization import AGAIN, may_open

RELOAD_SECONDS: Final = 30
SERIAL: Final = "serial"  # in the place of a kind of document
_PAGE = 50
_HEADS = timedelta(days=14)
_DIGITS: Final = r"^\d{0,18}$"
_REASONS = ("looks", "releases", "refusals", "reasons")  # sections with words for the reason of an entry
_LEFT_OUT: Final = ("hash", "found", "complete")  # of what an entry says: the page of the chain tells it


class Filter(Body):
    """What the address of the entries asks for."""

    officer: str = Field(default="", max_length=64)
    act: str = Field(default="", max_length=60)
    day: str = Field(default="", max_length=10)
    before: str = Field(default="", pattern=_DIGITS)


class Person(Body):
    """The form that asks for one person's entries, and why."""

    document_type: str = Field(max_length=30)
    number: str = Field(max_length=40, repr=False)
    reason: str = Field(max_length=40)
    before: str = Field(default="", pattern=_DIGITS)


class Told(NamedTuple):
    """An entry in words: `more` is what else it says, in codes."""

    id: int
    at: datetime
    who: str
    role: str
    act: str
    serial: int | None
    reason: str
    proposal: int | None
    people: int | None
    alarm: str
    more: Sequence[str]


@views.before_request
def count_what_waits() -> None:
    """An auditor sees on every page how much is held."""
    me = g.get("officer")
    if me is not None and may_open(me, "/console/audit"):
        with services().sessions() as session:
            g.setdefault("waiting_in_menu", {})["audit"] = oversight.held(session, me).entries


def alerts(session: Session, me: Officer) -> dict[str, Any]:
    """What an auditor sees on their first page."""
    now = services().clock.now()
    return {"held": oversight.held(session, me), "fault": rounds.standing(session, now).fault}


@views.get("/audit")
def watch() -> Response:
    """What needs an auditor now; the page reloads itself until it is told not to."""
    bag, still = services(), "still" in request.args
    with bag.sessions() as session:
        now = bag.clock.now()
        seen, standing = oversight.watch(session, officer(), now), rounds.standing(session, now)
    return page("audit.html", watch=seen, standing=standing, still=still, now=now, seconds=RELOAD_SECONDS)


@views.after_request
def reload_by_itself(response: Response) -> Response:
    """The page of what needs an auditor comes again, also after a moment in which it could not be drawn."""
    if request.endpoint == "console.watch" and response.status_code in (200, 503) and "still" not in request.args:
        response.headers["Refresh"] = f"{RELOAD_SECONDS}; url={url_for('console.watch')}?{AGAIN}=yes"
    return response


@views.get("/audit/entries")
def audit_entries() -> Response:
    """The audit, narrowed by officer, deed and day."""
    filled = None
    try:
        filled = asked(Filter)
        wanted = Wanted(officer=filled.officer, action=_action(filled.act), day=_day(filled.day))
        with services().sessions() as session:
            found = deeds.found(session, officer(), wanted, _PAGE, int(filled.before or 0) or None)
    except Problem as problem:
        return _entries((), filled=filled, problem=problem)
    return _entries(found, filled=filled)


@views.post("/audit/person")
def audit_of_person() -> Response:
    """The entries about one person, once it is entered that somebody looks."""
    bag, filled = services(), None
    try:
        filled = form(Person)
        whom = _whom(filled)
        with bag.begin() as session:
            serial = deeds.of_person(session, bag.vault, officer(), whom, filled.reason, bag.clock.now())
        if serial is None:
            raise Problem("code-not-found")
        with bag.sessions() as session:
            before = int(filled.before or 0) or None
            found = deeds.found(session, officer(), Wanted(serial=serial), _PAGE, before)
    except Problem as problem:
        return _entries((), person=filled, problem=problem)
    return _entries(found, person=filled, serial=serial)


@views.get("/audit/chain")
def audit_chain() -> Response:
    """How the chain stands, and the signed heads of the last days."""
    bag = services()
    now = bag.clock.now()
    with bag.sessions() as session:
        standing = rounds.standing(session, now)
        kept = heads.kept(session, now.astimezone(BEIJING).date() - _HEADS)
    return page("audit-chain.html", standing=standing, now=now, heads=[_told_head(head) for head in reversed(kept)])


# --- what is asked


def _action(act: str) -> str:
    if act and act not in slugs("acts"):
        raise bad_field("/act", "not-a-choice")
    return act


def _day(words: str) -> date | None:
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        raise bad_field("/day", "date-form") from None


def _whom(filled: Person) -> int | Document:
    """A serial or a document. Raises Problem; what is wrong is told without the number."""
    if filled.document_type == SERIAL:
        try:
            return counted(filled.number.strip())
        except ValueError:
            raise bad_field("/number", "invalid") from None
    kind = document_type(filled.document_type)
    try:
        return kind, normalize(kind, filled.number, services().clock.now().astimezone(BEIJING).date())
    except Problem as problem:
        wrong = tuple(FieldError("/number", field.slug) for field in problem.fields)
        raise Problem("invalid-request", fields=wrong) from None


# --- what is told


def _entries(found: Sequence[Deed], **values: Any) -> Response:
    """The page of entries; what was asked of a person is drawn without their number."""
    return page(
        "audit-entries.html",
        told=[_told(deed) for deed in found],
        next=found[-1].entry.id if len(found) == _PAGE else None,
        acts=slugs("acts"), types=[SERIAL, *DocumentType], reasons=list(ReadReason), district=officer().district,
        **values,
    )  # fmt: skip


def _told(deed: Deed) -> Told:
    entry = deed.entry
    kind, _, id_ = entry.actor.partition(":")
    rest = dict(entry.detail)
    alarm, what, proposal, people = (rest.pop(name, None) for name in ("alarm", "what", "proposal", "people"))
    return Told(
        id=entry.id,
        at=entry.at,
        who=" + ".join(deed.usernames) or (id_ if kind == "officer" else ""),
        role=_words(("roles", "actors"), entry.role or kind),
        act=_words(("acts",), entry.action),
        serial=entry.serial,
        reason=_words(_REASONS, entry.reason),
        proposal=proposal,
        people=people,
        alarm=_words(("alarms",), alarm),
        more=[
            *([_words(("record-parts",), what)] if what else ()),
            *(f"{name} {_plain(value)}" for name, value in sorted(rest.items()) if name not in _LEFT_OUT),
        ],
    )


def _words(sections: Sequence[str], slug: str | None) -> str:
    """The words for a slug, from the first section that has it; older entries may hold some that nobody writes now."""
    section = next((section for section in sections if slug in slugs(section)), None)
    return (slug or "") if section is None else text(section, str(slug), language())


def _plain(value: Any) -> str:
    return ", ".join(map(_plain, value)) if isinstance(value, list) else "—" if value is None else str(value)


def _told_head(head: Head) -> tuple[Head, str | None]:
    return head, services().head_keys.wrong_with(head)
