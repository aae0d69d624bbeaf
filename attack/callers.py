"""Everybody who may send a request: with a session of each kind, with one that is over, or with none that ever was."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from attack.officers import HERE, LEAVING, THERE, Clerk
from attack.sending import Headers, Line, Request, api, bearer
from attack.world import World
from faults.people import Citizen

NOBODY: Final[frozenset[str]] = frozenset()
_ROLES: Final = {
    "attack-recorder-9": ("recorder", HERE),
    "attack-approver-1": ("approver", HERE),
    "attack-appeals": ("appeals", HERE),
    "attack-auditor": ("auditor", HERE),
    "attack-administrator": ("administrator", HERE),
    "attack-clerk": ("clerk", HERE),
    "attack-recorder-there": ("recorder", THERE),
    "attack-approver-there": ("approver", THERE),
    "attack-appeals-there": ("appeals", THERE),
    "attack-auditor-there": ("auditor", THERE),
    "attack-administrator-there": ("administrator", THERE),
    "attack-clerk-there": ("clerk", THERE),
}


class Caller(NamedTuple):
    """Who sends: what they are (`who_may.toml`), the headers that say so, and the token of their forms."""

    name: str
    roles: frozenset[str]
    headers: Headers = ()
    form: str = ""
    is_here: bool = True  # of the district whose entries and officers the attack is after


def gather(world: World) -> list[Caller]:
    """Everybody, each with what they need. Raises Failed."""
    citizen, other, visitor = world.citizen(), world.citizen(is_declared=False), world.phone()
    over = list(_over(world))  # first, for it ends also the session of the inspector
    return [
        Caller("nobody", NOBODY),
        Caller("a visitor", frozenset({"visitor"}), bearer(visitor.session)),
        Caller("a citizen", frozenset({"citizen"}), bearer(citizen.session)),
        Caller("another citizen", frozenset({"citizen"}), bearer(other.session)),
        Caller("an inspector", frozenset({"inspector"}), world.station()),
        *_officers(world),
        *over,
        *_forged(world, citizen, world.clerk("attack-auditor")),
    ]


def _officers(world: World) -> Iterator[Caller]:
    for username, (role, district) in _ROLES.items():
        clerk = world.clerk(username)
        yield Caller(username, frozenset({role}), clerk.headers, clerk.token, district == HERE)


def _over(world: World) -> Iterator[Caller]:
    """Those whose session is over."""
    left, gone = world.citizen(), world.phone()
    for one in (left, gone):
        one.log_out(world.hosts[0])
    yield Caller("a citizen who logged out", NOBODY, bearer(left.session))
    yield Caller("a visitor who logged out", NOBODY, bearer(gone.session))
    clerk = Clerk(world.hosts[0], LEAVING[0])
    if clerk.log_in():
        before = clerk.headers, clerk.token
        clerk.line.send(clerk.post("/console/logout"))
        yield Caller("an officer who logged out", NOBODY, *before)
    yield Caller("an inspector who logged out", NOBODY, _former_inspector(world))


def _former_inspector(world: World) -> Headers:
    """The session of an inspector who has logged out; the one at work logs in anew."""
    former = world.station()
    Line(world.hosts[0]).send(api("POST", "/api/v1/stations/logout", None, former))
    world.inspector.session = ""
    world.station()
    return former


def _forged(world: World, citizen: Citizen, clerk: Clerk) -> Iterator[Caller]:
    """Those whose session was made from parts of others, or belongs elsewhere."""
    inspector = world.inspector.session
    citizen.show(world.hosts[0])
    forged = {
        "one letter changed": citizen.session[:20]
        + ("A" if citizen.session[20] != "A" else "B")
        + citizen.session[21:],
        "truncated": citizen.session[:-1],
        "halves of two": citizen.session[:40] + inspector[40:],
        "the token of a code": citizen.token,
        "the cookie of an officer": clerk.cookie,
        "no algorithm": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    }
    yield from (Caller(f"a forger: {how}", NOBODY, bearer(session)) for how, session in forged.items())
    cookies = {"an inspector's session as cookie": inspector, "a cookie truncated": clerk.cookie[:-1], "a cookie": "1"}
    for how, cookie in cookies.items():
        yield Caller(f"a forger: {how}", NOBODY, (("Cookie", f"officer={cookie}"),), clerk.token)


def strangers(callers: list[Caller]) -> list[Caller]:
    """Those who may open nothing."""
    return [caller for caller in callers if not caller.roles]


def still_in(world: World, caller: Caller) -> bool:
    """Whether a session that an attack must not have ended still opens what it opened."""
    path = "/console/account" if caller.form else "/api/v1/accounts/me"
    if caller.roles & {"inspector"}:
        path = "/api/v1/stations/today"
    elif caller.roles & {"visitor"}:
        path = "/api/v1/subscriptions"
    return Line(world.hosts[0]).send(Request("GET", path, caller.headers)).status == 200
