"""Two requests at once for everything that may be done once: at most one of them may have done it."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import uuid4

from app.core.clock import SystemClock
from attack.entering import filled, record
from attack.officers import Clerk, cookie_of
from attack.sending import Answer, Line, Request, api, bearer
from attack.tally import Tally
from attack.world import Failed, World
from devstack.people import PASSWORD
from faults.calling import sandbox
from faults.people import Citizen

_ROUNDS: Final = 15
_AT_ONCE: Final = 4  # requests of a race with one aim, two at each host
_CHANGED: Final = "documents that changed hands while their holder declared"
_APPLIED: Final = "done=entry-applied"


def run(world: World, tally: Tally) -> None:
    """Run each race again and again. Raises Failed."""
    for _ in range(_ROUNDS):
        for race in (_register, _claim, _user_name, _bind, _wechat_code, _appeal, _submit, _record, _log_out):
            if tally.is_full:
                return
            race(world, tally)
    if not tally.is_full and not tally.figures[_CHANGED]:
        tally.miss("no document changes hands")
    for number in range(_ROUNDS):
        for deciding in (_approve_twice, _approve_and_withdraw, _approve_and_reject):
            if not tally.is_full:
                deciding(world, tally, number)
    _one_time_code(world, tally)


def at_once(tally: Tally, requests: Sequence[tuple[Line, Request]]) -> list[Answer]:
    """Send requests at the same moment, each over its own connection, and count them."""
    ready = threading.Barrier(len(requests))

    def send(pair: tuple[Line, Request]) -> Answer:
        ready.wait()
        return pair[0].send(pair[1])

    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(send, requests))
    for answer, (line, request) in zip(answers, requests, strict=True):
        tally.judge(answer, request.path, None, f"at once {request.method} {request.path}")
        line.close()
    return answers


def _both_hosts(world: World, request: Request) -> list[tuple[Line, Request]]:
    return [(world.line(number % 2), request) for number in range(_AT_ONCE)]


def _good(answers: Sequence[Answer]) -> int:
    return sum(answer.is_good for answer in answers)


def registration(who: Citizen, **other: str) -> Request:
    """The form of a registration; `other` replaces document number or user name, or the phone by WeChat's."""
    body = {
        "username": other.get("username", who.username),
        "password": PASSWORD,
        "name": "示例甲",
        **({"phone_code": other["phone_code"]} if "phone_code" in other else {"phone": "13800000000"}),
        "document": {"type": "id-card", "number": other.get("number", who.document)},
    }
    return api("POST", "/api/v1/accounts", body, bearer(who.session))


def _register(world: World, tally: Tally) -> None:
    """One document, two phones."""
    one, other = world.phone(), world.phone()
    forms = [registration(one), registration(other, number=one.document)]
    answers = at_once(tally, [(world.line(number), form) for number, form in enumerate(forms)])
    open_ = [
        answer
        for answer in answers
        if answer.is_good and Line(world.hosts[0]).send(_me(answer.json["session"])).status == 200
    ]
    tally.hold(len(open_) <= 1, f"a document is registered {len(open_)} times at once")


def _claim(world: World, tally: Tally) -> None:
    """A document that changes hands while its holder declares: nothing of that is the new holder's."""
    squatter, owner = world.citizen(is_declared=False), world.phone()
    user = f"{world.system.place.wechat}/sandbox/users/{owner.handle}"
    sandbox("PATCH", user, {"number": "13800000000", "country_code": "86"})
    form = registration(owner, number=squatter.document, phone_code=sandbox("POST", f"{user}/phone-code")["code"])
    statement = {"symptoms": ["fever"], "contact": False, "consent": True}
    said = api("POST", "/api/v1/declarations", statement, bearer(squatter.session))
    answers = at_once(tally, [(world.line(0), form), *((world.line(number % 2), said) for number in range(3))])
    after = "select count(*) from declarations join codes using (serial) join accounts using (serial)"
    mixed = world.one(f"{after} where username = %s and declared_at >= claimed_at", owner.username)
    tally.hold(not mixed, "a declaration in flight becomes that of the next holder")
    # while the platform is silent for a moment nobody vouches for the owner, who is refused: that round shows nothing
    tally.figures[_CHANGED] = tally.figures.get(_CHANGED, 0) + answers[0].is_good


def _me(session: str) -> Request:
    return Request("GET", "/api/v1/accounts/me", bearer(session))


def _user_name(world: World, tally: Tally) -> None:
    """One user name, two people."""
    one, other = world.phone(), world.phone()
    forms = [registration(one), registration(other, username=one.username)]
    answers = at_once(tally, [(world.line(number), form) for number, form in enumerate(forms)])
    tally.hold(_good(answers) == 1, f"a user name is taken {_good(answers)} times at once")


def _bind(world: World, tally: Tally) -> None:
    """One phone, two accounts."""
    phone, accounts = world.phone(), [world.citizen(is_declared=False) for _ in range(2)]
    logins = [{"username": account.username, "password": PASSWORD} for account in accounts]
    requests = [api("POST", "/api/v1/accounts/login", login, bearer(phone.session)) for login in logins]
    answers = at_once(tally, [(world.line(number), request) for number, request in enumerate(requests)])
    bound = [
        answer.json["account"]["username"]
        for answer in answers
        if answer.is_good and Line(world.hosts[0]).send(_me(answer.json["session"])).status == 200
    ]
    now = phone.log_in(world.hosts[1]).body.get("account") or {}
    tally.hold(now.get("username") in [*bound, None], "a phone opens an account that it was not bound to")


def _wechat_code(world: World, tally: Tally) -> None:
    phone = world.phone()
    code = sandbox("POST", f"{world.system.place.wechat}/sandbox/users/{phone.handle}/login")["code"]
    answers = at_once(tally, _both_hosts(world, api("POST", "/api/v1/wechat/login", {"code": code})))
    tally.hold(_good(answers) <= 1, f"a code of WeChat logs in {_good(answers)} times at once")


def _appeal(world: World, tally: Tally) -> None:
    citizen = world.citizen(is_declared=False)
    citizen.declare(world.hosts[0], "cough")  # whoever is green has nothing to appeal
    request = api("POST", "/api/v1/appeals", {"text": "示例"}, bearer(citizen.session))
    answers = at_once(tally, _both_hosts(world, request))
    tally.hold(_good(answers) == 1, f"{_good(answers)} appeals are open at once")


def _submit(world: World, tally: Tally) -> None:
    """One check that was made offline, submitted several times."""
    citizen = world.citizen()
    citizen.show(world.hosts[0])
    check = {"id": str(uuid4()), "token": citizen.token, "at": SystemClock().now().isoformat()}
    request = api("POST", "/api/v1/checks/offline", {"checks": [check]}, world.station())
    answers = at_once(tally, _both_hosts(world, request)[:2])
    counted = sum(b'"counted"' in answer.body for answer in answers)
    tally.hold(counted <= 1, f"a check is counted {counted} times at once")


def _record(world: World, tally: Tally) -> None:
    """One click, several times: one entry."""
    clerk = world.clerk("attack-recorder-0")
    reference = f"示例 {uuid4()}"
    form = filled("suspected", [world.citizen().document], reference=reference, authority=reference)
    at_once(tally, _both_hosts(world, clerk.post("/console/entries/new", **form)))
    there = world.one("select count(*) from entries where reference = %s", reference)
    tally.hold(there <= 1, f"one click makes {there} entries at once")


def _log_out(world: World, tally: Tally) -> None:
    """A log-in that meets a log-out: what was open before is over, whichever came first."""
    citizen = world.citizen()
    body = {"username": citizen.username, "password": PASSWORD}
    pair = [
        (world.line(0), api("POST", "/api/v1/accounts/logout", None, bearer(citizen.session))),
        (world.line(1), api("POST", "/api/v1/accounts/login", body)),
    ]
    out, _ = at_once(tally, pair)
    after = Line(world.hosts[1]).send(_me(citizen.session))
    tally.hold(not out.is_good or after.status == 401, "a session is open after its log-out")


# --- officers


def _waiting(world: World, tally: Tally, number: int) -> tuple[int, str]:
    """An entry that waits for approval, and its reference; recorders take turns, for alarms count each."""
    reference = f"示例 {uuid4()}"
    clerk = world.clerk(f"attack-recorder-{number % 10}")
    entry, state = record(
        tally, clerk, "suspected", [world.citizen().document], reference=reference, authority=reference
    )
    if state != "waiting":
        raise Failed(f"an entry is {state}")
    return entry, reference


def _deciding(world: World, entry: int, acts: Sequence[tuple[Clerk, str, str]]) -> list[tuple[Line, Request]]:
    for clerk, _, _ in acts:
        clerk.get(f"/console/entries/{entry}")  # nobody signs what they have not viewed
    return [
        (world.line(place % 2), clerk.post(f"/console/entries/{entry}/{act}", **({"reason": why} if why else {})))
        for place, (clerk, act, why) in enumerate(acts)
    ]


def _count_evidence(world: World, reference: str) -> int:
    query = "select count(*) from evidence where reference = %s and withdrawn_at is null"
    return int(world.one(query, reference))


def _approve_twice(world: World, tally: Tally, number: int) -> None:
    entry, reference = _waiting(world, tally, number)
    approvers = [world.clerk(name) for name in ("attack-approver-0", "attack-approver-1")]
    answers = at_once(tally, _deciding(world, entry, [(clerk, "approve", "") for clerk in approvers * 2]))
    done, rows = sum(_APPLIED in answer.location for answer in answers), _count_evidence(world, reference)
    tally.hold(done <= 1 and rows <= 1, f"an entry is approved {done} times at once, and is evidence {rows} times")


def _approve_and_withdraw(world: World, tally: Tally, number: int) -> None:
    recorder = world.clerk(f"attack-recorder-{number % 10}")
    _one_of_two(world, tally, number, (recorder, "withdraw", "wrong-facts"))


def _approve_and_reject(world: World, tally: Tally, number: int) -> None:
    _one_of_two(world, tally, number, (world.clerk("attack-approver-1"), "reject", "wrong-facts"))


def _one_of_two(world: World, tally: Tally, number: int, against: tuple[Clerk, str, str]) -> None:
    entry, reference = _waiting(world, tally, number)
    acts = [(world.clerk("attack-approver-0"), "approve", ""), against]
    answers = at_once(tally, _deciding(world, entry, acts))
    done = sum(answer.status == 303 for answer in answers)
    state, rows = world.one("select state from entries where id = %s", entry), _count_evidence(world, reference)
    tally.hold(done <= 1, f"approve and {against[1]} at once are both done")
    tally.hold(rows == (state == "applied"), f"an entry that is {state} is evidence {rows} times")


def _one_time_code(world: World, tally: Tally) -> None:
    for username in ("attack-recorder-4", "attack-recorder-5", "attack-recorder-6"):
        clerk = Clerk(world.hosts[0], username)
        answers = at_once(tally, _both_hosts(world, clerk.login(clerk.next_code())))
        opened = sum(bool(cookie_of(answer)) for answer in answers)
        tally.hold(opened <= 1, f"a one-time code begins {opened} sessions at once")
