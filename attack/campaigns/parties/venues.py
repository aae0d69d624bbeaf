"""Venues: a manager who reaches another venue, approves their own, and goes on after a hand-over or the end."""

from collections.abc import Iterator
from secrets import token_hex
from typing import Any, Final, NamedTuple

from attack.officers import Clerk
from attack.sending import Answer, Headers, Line, Request, api, bearer
from attack.tally import Tally
from attack.world import NAME, Failed, World, take
from devstack.people import PASSWORD
from faults.people import Citizen, document_number

_VENUES: Final = "/api/v1/venues"
_PAGES: Final = "/console/venues"
_NEW_PASSWORD: Final = f"{PASSWORD}-chosen"
_HOURS: Final = ["08:00-22:00"] * 7
_NEVER: Final = [""] * 7


class Managed(NamedTuple):
    """A venue with its manager, its entrances, and an inspector who is logged in."""

    manager: Citizen
    id: int
    entrances: tuple[int, int]
    inspector: int
    session: int  # the number of the inspector's session
    shift: Headers


def run(world: World, tally: Tally) -> None:
    """Try each. Raises Failed."""
    _decide_alone(world, tally)
    if not tally.is_full:
        ours, theirs = _open(world, tally), _open(world, tally)
        _reach_another(world, tally, ours, theirs)
        _go_on_after_a_handover(world, tally, ours, theirs)
        _go_on_after_the_end(world, tally, theirs)


def _open(world: World, tally: Tally) -> Managed:
    """Somebody applies, an administrator approves, and the venue has an inspector at work. Raises Failed."""
    manager, line = world.citizen(), world.line()
    application = take(tally, line, _apply(manager), True, "an application for a venue").json.get("id")
    administrator = world.clerk("attack-administrator")
    administrator.get(f"{_PAGES}/applications/{application}")
    approve = administrator.post(f"{_PAGES}/applications/{application}/approve")
    take(tally, administrator.line, approve, True, "an administrator approves what they have seen")
    managed = _list(world, tally, manager).get("venues")
    if not managed:
        raise Failed("nobody manages a venue that was approved")
    venue = managed[-1]
    first, second = (one["id"] for one in venue["entrances"])
    username = f"gate.{token_hex(4)}"
    body = {"venue": venue["id"], "entrance": first, "username": username}
    given = take(tally, line, _act(manager, "inspectors", body), True, "a manager adds an inspector").json
    login = {"username": username, "password": given.get("password", ""), "new_password": _NEW_PASSWORD}
    shift = take(tally, line, api("POST", "/api/v1/stations/login", login), True, "an inspector of a venue").json
    session = world.one("select max(id) from inspector_sessions where inspector_id = %s", given.get("id", 0))
    headers = bearer(shift.get("session", ""))
    return Managed(manager, venue["id"], (first, second), given.get("id", 0), session or 0, headers)


def _apply(who: Citizen, district: str = "长春市") -> Request:
    name = f"示例商场 {token_hex(3)}"
    return _act(
        who, "applications",
        {
            "name": name, "kind": "mall", "district": district, "address": f"{name} 1 号",
            "credit_code": "91220101MA00000000", "hours": _HOURS, "entrances": ["东门", "西门"],
        },
    )  # fmt: skip


def _act(who: Citizen, path: str, body: Any, method: str = "POST") -> Request:
    return api(method, f"{_VENUES}/{path}", body, bearer(who.session))


def _list(world: World, tally: Tally, who: Citizen) -> dict[str, Any]:
    own = api("GET", _VENUES, None, bearer(who.session))
    return take(tally, world.line(), own, True, "what somebody has to do with venues").json


def _counts(who: Citizen, venue: int) -> Request:
    return api("GET", f"{_VENUES}/counts?venue={venue}", None, bearer(who.session))


def _acts(who: Citizen, venue: Managed, inspector: int, entrance: int, session: int = 1) -> Iterator[Request]:
    """Everything that a manager does to a venue, but its end, which would leave nothing for the others."""
    about, named = {"venue": venue.id}, {"venue": venue.id, "inspector": inspector}
    yield _act(who, "entrances", {**about, "name": f"门 {token_hex(3)}"})
    yield _act(who, "hours", {**about, "hours": _NEVER}, "PUT")
    yield _act(who, "inspectors", {**about, "entrance": entrance, "username": f"gate.{token_hex(4)}"})
    yield _act(who, "inspectors/move", {**named, "entrance": entrance})
    yield from (_act(who, f"inspectors/{act}", named) for act in ("disable", "enable", "password"))
    yield _act(who, "inspectors/sessions/end", {**named, "session": session})
    yield _act(who, "handovers", {**about, "name": NAME, "document": {"type": "id-card", "number": document_number()}})
    yield _act(who, "handovers/end", about)
    yield _counts(who, venue.id)


def _reach_another(world: World, tally: Tally, ours: Managed, theirs: Managed) -> None:
    """A manager reaches nothing of another venue: not by its number, nor by their own with what is of the other."""
    line, before = world.line(), _rows(world, theirs)
    for who, words in ((ours.manager, "the manager of another venue"), (world.citizen(), "somebody green")):
        for request in _acts(who, theirs, theirs.inspector, theirs.entrances[1], theirs.session):
            take(tally, line, request, False, f"{words}: {request.path}")
        for path in ("handovers/accept", "handovers/decline", "close"):
            take(tally, line, _act(who, path, {"venue": theirs.id}), False, f"{words}: {path}")
    mixed = {"venue": ours.id, "inspector": theirs.inspector}
    for path, body in (
        ("inspectors", {"venue": ours.id, "entrance": theirs.entrances[0], "username": f"gate.{token_hex(4)}"}),
        ("inspectors/move", {**mixed, "entrance": ours.entrances[0]}),
        ("inspectors/move", {"venue": ours.id, "inspector": ours.inspector, "entrance": theirs.entrances[0]}),
        ("inspectors/disable", mixed),
        ("inspectors/enable", mixed),
        ("inspectors/password", mixed),
        ("inspectors/sessions/end", {**mixed, "session": theirs.session}),
        ("inspectors/sessions/end", {"venue": ours.id, "inspector": ours.inspector, "session": theirs.session}),
    ):
        take(tally, line, _act(ours.manager, path, body), False, f"what is of another venue, by one's own: {path}")
    tally.hold(_rows(world, theirs) == before, "a manager has changed another venue")
    take(tally, line, _today(theirs), True, "the inspector of the other venue goes on")
    named = {one["id"] for one in _list(world, tally, ours.manager).get("venues", ())}
    tally.hold(named == {ours.id}, "a manager is shown a venue that is not theirs")
    for request in (_counts(ours.manager, ours.id), *_kept(ours)):
        take(tally, line, request, True, f"a manager of their own venue: {request.path}")


def _kept(ours: Managed) -> Iterator[Request]:
    """What a manager may do to their own venue, as a control."""
    yield _act(ours.manager, "hours", {"venue": ours.id, "hours": _HOURS}, "PUT")
    yield _act(ours.manager, "entrances", {"venue": ours.id, "name": "北门"})
    moved = {"venue": ours.id, "inspector": ours.inspector, "entrance": ours.entrances[1]}
    yield _act(ours.manager, "inspectors/move", moved)


def _today(venue: Managed) -> Request:
    return Request("GET", "/api/v1/stations/today", venue.shift)


def _rows(world: World, venue: Managed) -> list[tuple[Any, ...]]:
    """All that there is of a venue."""
    queries = (
        "select hours, manager, closed_at from venues where id = %s",
        "select id, name from stations where venue_id = %s order by id",
        "select i.id, station_id, disabled_at, epoch, password_hash from inspectors i"
        " join stations s on s.id = station_id where venue_id = %s order by i.id",
        "select count(*) from venue_handovers where venue_id = %s",
    )
    ended = world.system.ask("select ended_at from inspector_sessions where id = %s", venue.session)
    return [*ended, *(row for query in queries for row in world.system.ask(query, venue.id))]


def _decide_alone(world: World, tally: Tally) -> None:
    """Nobody approves what they have applied for, or have not seen, or what is of another district."""
    applicant, line = world.citizen(), world.line()
    application = take(tally, line, _apply(applicant), True, "an application for a venue").json.get("id")
    page = f"{_PAGES}/applications/{application}"
    for act in ("approve", "refuse"):
        own = Request("POST", f"{page}/{act}", bearer(applicant.session))
        take(tally, line, own, False, f"who applied would {act} it")
    take(tally, line, _act(world.citizen(), "applications/withdraw", {"id": application}), False, "somebody else's")
    there, here = world.clerk("attack-administrator-there"), world.clerk("attack-administrator")
    for one in (there, world.clerk("attack-approver-1"), world.clerk("attack-clerk")):
        one.get(page)
        _refused(tally, one, page, "who does not decide this application")
    _refused(tally, here, page, "an administrator who has not seen the application")
    tally.hold(not world.one("select venue_id from venue_applications where id = %s", application), "one alone decides")
    here.get(page)
    take(tally, here.line, here.post(f"{page}/approve"), True, "an administrator who has seen the application")


def _refused(tally: Tally, clerk: Clerk, page: str, words: str) -> None:
    take(tally, clerk.line, clerk.post(f"{page}/approve"), False, words)


def _go_on_after_a_handover(world: World, tally: Tally, ours: Managed, theirs: Managed) -> None:
    """Who was not named accepts nothing; who has handed over manages no more, and who accepts does at once."""
    line, heir, stranger = world.line(), world.citizen(), world.citizen()
    offered = {"venue": ours.id, "name": NAME, "document": {"type": "id-card", "number": heir.document}}
    take(tally, line, _act(ours.manager, "handovers", offered), True, "a venue is offered")
    accept = {"venue": ours.id}
    for who in (stranger, theirs.manager, ours.manager):
        for how in ("accept", "decline"):
            take(tally, line, _act(who, f"handovers/{how}", accept), False, f"who was not named would {how} a venue")
    take(tally, line, _act(heir, "inspectors/password", {**accept, "inspector": ours.inspector}), False, "too early")
    take(tally, line, _act(heir, "handovers/accept", accept), True, "who was named accepts a venue")
    for request in _acts(ours.manager, ours, ours.inspector, ours.entrances[0]):
        take(tally, line, request, False, f"who has handed the venue over: {request.path}")
    take(tally, line, _act(ours.manager, "handovers/accept", accept), False, "who has handed the venue over")
    take(tally, line, _counts(heir, ours.id), True, "who has accepted the venue")


def _go_on_after_the_end(world: World, tally: Tally, venue: Managed) -> None:
    """Nobody manages or works at a venue that is closed."""
    line = world.line()
    take(tally, line, _today(venue), True, "an inspector before the end of their venue")
    take(tally, line, _act(venue.manager, "close", {"venue": venue.id}), True, "a manager closes their venue")
    for host in range(len(world.hosts)):
        take(tally, world.line(host), _today(venue), False, "an inspector of a venue that is closed")
    for request in _acts(venue.manager, venue, venue.inspector, venue.entrances[0]):
        take(tally, line, request, False, f"the manager of a venue that is closed: {request.path}")
    answer = _log_in(line, world, venue)
    tally.judge(answer, "/api/v1/stations/login", False, "an inspector of a venue that is closed logs in")


def _log_in(line: Line, world: World, venue: Managed) -> Answer:
    username = world.one("select username from inspectors where id = %s", venue.inspector)
    return line.send(api("POST", "/api/v1/stations/login", {"username": username, "password": _NEW_PASSWORD}))
