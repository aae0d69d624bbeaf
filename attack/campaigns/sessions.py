"""Sessions that are over, fixed by somebody else, replayed, or made up; and forms that another page sends."""

import re
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Final
from uuid import uuid4

from attack.callers import Caller, gather
from attack.campaigns.routes import read_table
from attack.officers import HERE, LEAVING, Clerk, cookie_of
from attack.sending import Headers, Line, Request, api, bearer
from attack.tally import Tally
from attack.trying import Try, send_all
from attack.world import Failed, World, take
from devstack.people import PASSWORD
from faults.calling import sandbox

_SEED: Final = 6
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ENDING: Final = ("end-sessions", "reset-password", "reset-totp", "disable")
_FORGERIES: Final = 9000
_PAGES: Final = ("/api/v1/accounts/me", "/api/v1/code", "/api/v1/record/access", "/api/v1/code.svg", "/api/v1/appeals")


def run(world: World, tally: Tally) -> None:
    """Try each way to use a session that one does not have. Raises Failed."""
    for part in (_ended, _officers_ended, _administered, _both_halves, _fixed, _replayed, _forms, _forged):
        if not tally.is_full:
            part(world, tally)


def _refused_everywhere(world: World, tally: Tally, headers: Headers, words: str) -> None:
    """At both hosts, also on the fast path."""
    paths = ("/console/", "/console/account") if headers[0][0] == "Cookie" else _PAGES
    for host in world.hosts:
        line = Line(host, world.address())
        for path in paths:
            take(tally, line, Request("GET", path, headers), may=False, words=f"{words}, {path}")
        line.close()


def _ended(world: World, tally: Tally) -> None:
    """A log-out ends every session of the account, on each phone and host."""
    for _ in range(10):
        citizen = world.citizen()
        twin = world.phone()
        body = {"username": citizen.username, "password": PASSWORD}
        line = world.line(1)
        bound = take(tally, line, api("POST", "/api/v1/accounts/login", body, bearer(twin.session)), True, "log-in")
        own = bound.json.get("session", "")
        citizen.show(world.hosts[0])  # its record is in the cache now
        take(tally, line, api("POST", "/api/v1/accounts/logout", None, bearer(citizen.session)), True, "log-out")
        for session in (citizen.session, own, twin.session):
            _refused_everywhere(world, tally, bearer(session), "a session after the log-out")


def _officers_ended(world: World, tally: Tally) -> None:
    """A new password ends the other sessions, a log-out this one."""
    here, there = (Clerk(host, LEAVING[1]) for host in world.hosts)
    if not here.log_in():
        raise Failed("an officer cannot log in")
    if not there.log_in():
        raise Failed("an officer cannot log in twice")
    new = f"{PASSWORD}-next"
    take(tally, here.line, here.post("/console/account/password", current=PASSWORD, password=new, again=new), True, "")
    _refused_everywhere(world, tally, there.headers, "an officer's other session after a new password")
    before = here.headers
    take(tally, here.line, here.post("/console/logout"), True, "a log-out")
    _refused_everywhere(world, tally, before, "an officer's session after the log-out")
    wrong = here.login(here.next_code())
    take(tally, here.line, wrong, False, "a log-in with the former password")
    here.password = new
    if here.log_in():
        again = {"current": new, "password": PASSWORD, "again": PASSWORD}
        take(tally, here.line, here.post("/console/account/password", **again), True, "")


def _administered(world: World, tally: Tally) -> None:
    """What an administrator ends has ended with the next request: sessions, password, authenticator, account."""
    administrator = world.clerk("attack-administrator")
    for act, username in zip(_ENDING, LEAVING[2:], strict=True):
        number = world.one("select id from officers where username = %s", username)
        victim = Clerk(world.hosts[1], username)
        if not victim.log_in():
            raise Failed("an officer cannot log in")
        before = victim.headers
        take(tally, administrator.line, administrator.post(f"/console/officers/{number}/{act}"), True, act)
        _refused_everywhere(world, tally, before, f"an officer's session after {act}")
        if act != "end-sessions":
            take(tally, victim.line, victim.login(victim.next_code()), False, f"the former proofs after {act}")


def _both_halves(world: World, tally: Tally) -> None:
    """One administrator sets the password or the authenticator of an officer, who may be a new one; not both."""
    administrator, username = world.clerk("attack-administrator"), f"attack-new-{uuid4().hex[:8]}"
    new = {"username": username, "name": "示例新人", "roles": ["recorder"], "district": HERE}
    take(tally, administrator.line, administrator.post("/console/officers/new", **new), True, "a new officer")
    number = world.one("select id from officers where username = %s", username)
    for act, may in (("reset-password", False), ("reset-totp", True), ("reset-password", False)):
        request = administrator.post(f"/console/officers/{number}/{act}")
        take(tally, administrator.line, request, may, f"{act} of an officer whom one has added")


def _fixed(world: World, tally: Tally) -> None:
    """A session that somebody else has chosen is not the one that a log-in begins."""
    clerk, fixed = world.clerk("attack-recorder-1"), "A" * 43
    victim = Clerk(world.hosts[0], "attack-recorder-2")
    chosen = take(tally, victim.line, victim.login(victim.next_code(), (("Cookie", f"officer={fixed}"),)), None, "")
    tally.hold(cookie_of(chosen) not in ("", fixed), "a log-in keeps the session that the browser brought")
    _refused_everywhere(world, tally, (("Cookie", f"officer={fixed}"),), "a fixed session")
    take(tally, victim.line, victim.login(victim.next_code(), clerk.headers), None, "")
    _refused_everywhere(world, tally, clerk.headers, "the session that this browser had before")
    world.clerk("attack-recorder-1")


def _replayed(world: World, tally: Tally) -> None:
    """Codes work once: of an authenticator, of WeChat."""
    victim = Clerk(world.hosts[0], "attack-recorder-3")
    login = victim.login(victim.next_code())
    take(tally, victim.line, login, None, "a log-in")
    for host in (0, 1):
        replayed = take(tally, world.line(host), login, False, "a one-time code twice")
        tally.hold(not cookie_of(replayed), "a one-time code begins a second session")
    for _ in range(20):
        phone = world.phone()
        code = _wechat_code(world, phone.handle)
        first, second = world.line(0), world.line(1)
        take(tally, first, api("POST", "/api/v1/wechat/login", {"code": code}), True, "a code of WeChat")
        take(tally, second, api("POST", "/api/v1/wechat/login", {"code": code}), False, "a code of WeChat twice")


def _wechat_code(world: World, handle: str) -> str:
    return str(sandbox("POST", f"{world.system.place.wechat}/sandbox/users/{handle}/login")["code"])


def _forms(world: World, tally: Tally) -> None:
    """A form that no page of ours sent in this session is refused, whoever's browser sends it."""
    callers = [caller for caller in gather(world) if caller.form and caller.roles]
    posts = sorted(path for method, path in read_table() if method == "POST" and path.startswith("/console/"))
    line = world.line()
    for caller in callers:
        for path in posts:
            if path != "/console/login":
                for words, request in _foreign(path, caller, callers):
                    answer = take(tally, line, request, False, f"{words}, {caller.name}, {path}")
                    tally.hold(answer.status == 403, f"{words} is not refused as a form: {answer.status} {path}")


def _foreign(path: str, caller: Caller, callers: list[Caller]) -> Iterator[tuple[str, Request]]:
    address = re.sub("<int:[a-z_]+>", "1", path)
    other = next(one.form for one in callers if one.form != caller.form)
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    own, from_elsewhere = ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")
    ways: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
        "no token": ("", (own,)),
        "the token of another session": (other, (own,)),
        "from another site": (caller.form, (from_elsewhere,)),
        "from the same site": (caller.form, (("Sec-Fetch-Site", "same-site"),)),
        "from nowhere": (caller.form, (("Sec-Fetch-Site", "none"),)),
        "from another origin": (caller.form, (("Origin", "https://evil.example"),)),
        "from an origin with our name": (caller.form, (("Origin", "http://127.0.0.1.evil.example"),)),
        "without an origin": (caller.form, ()),
        "from null": (caller.form, (("Origin", "null"),)),
    }
    for words, (token, headers) in ways.items():
        yield words, Request("POST", address, (*caller.headers, kind, *headers), f"form={token}".encode())


def _forged(world: World, tally: Tally) -> None:
    """Sessions of real people with a letter changed, cut, lengthened, or put together from two."""
    citizen = world.citizen()
    inspector, officer = world.station(), world.clerk("attack-auditor")
    real = {citizen.session: "/api/v1/code", inspector[0][1].partition(" ")[2]: "/api/v1/stations/today"}
    rng, number = Random(_SEED), _FORGERIES // 3
    tries = [
        Try(Request("GET", path, bearer(made)), False, f"a session made up, {path}")
        for session, path in real.items()
        for made in islice(_changed(session, [*real], rng), number)
    ]
    cookies = islice(_changed(officer.cookie, [citizen.session], rng), number)
    tries += [
        Try(Request("GET", "/console/", (("Cookie", f"officer={made}"),)), False, "a cookie made up")
        for made in cookies
    ]
    send_all(world, tally, tries)


def _changed(real: str, others: list[str], rng: Random) -> Iterator[str]:
    """Texts like a real one, and never it."""
    seen = {real}
    while True:
        place, length = rng.randrange(len(real)), rng.randrange(1, len(real) + 8)
        other = rng.choice(others)
        made = rng.choice(
            (
                real[:place] + rng.choice(_LETTERS) + real[place + 1 :],
                real[:length] + rng.choice(("", "=", ".", "A")),
                real[:place] + other[place:],
                "".join(rng.choices(_LETTERS, k=len(real))),
                real[:place] + real[place : place + 1].swapcase() + real[place + 1 :],
            )
        )
        # the last letter of base64 has bits that mean nothing; a change of them is the same session
        if made not in seen and not (made[:-1] == real[:-1] and len(made) == len(real)) and made.rstrip("=") != real:
            seen.add(made)
            yield made
