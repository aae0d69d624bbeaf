"""Partners: in the name of another, replayed, changed, without a code, of a code of before, and after the end."""

import json
from collections.abc import Mapping
from datetime import timedelta
from secrets import token_hex
from typing import Any, Final

from app.codes.states import State
from app.partners import registry
from app.partners.registry import NewPartner
from app.runtime import Services
from attack.campaigns.races import at_once
from attack.sending import api, bearer
from attack.signing import PARTNERS, Partner, with_header, without
from attack.tally import Tally
from attack.world import NAME, World, take
from devstack.people import PASSWORD
from faults.people import Citizen

_ALL: Final = ("verification", "query", "correction")
_WRONG_CLOCK: Final = 90  # seconds; 60 are allowed
_RIGHT_CLOCK: Final = 20
_RATE: Final = 5  # questions a minute of a partner with a ceiling
_NOT_OFFERED: Final = ("health-declaration", "trip-declaration", "code-call", "code-making")
_WORDS: Final = "示例：本人未去过该场所。"


def run(world: World, tally: Tally) -> None:
    """Try each. Raises Failed."""
    victim = world.citizen()
    tally.secrets = (victim.document.encode(), victim.phone.encode(), NAME.encode(), json.dumps(NAME).encode())
    with world.operating() as services:
        ours, theirs = _add(world, services, *_ALL), _add(world, services, "verification")
        for part in (_pretend, _change, _date_anew, _ask_without_a_code, _ask_what_is_not_theirs):
            if not tally.is_full:
                part(world, tally, (ours, theirs), victim)
        if not tally.is_full:
            _ask_of_before(world, tally, services, ours)
            _ask_too_often(world, tally, services, victim)
        _go_on_after_the_end(world, tally, services, (ours, victim))


def _add(world: World, services: Services, *interfaces: str, rate: str = "10000 per minute") -> Partner:
    new = NewPartner(f"attack-{token_hex(4)}", "示例合作方", interfaces, rate)
    added = registry.add_partner(services, world.officers(services), new)
    return Partner(added.id, added.secret)


def _about(world: World, victim: Citizen, **more: Any) -> dict[str, Any]:
    """A question about a code that is shown now."""
    victim.show(world.hosts[0])
    return {"reference": "attack", "token": victim.token, **more}


_Two = tuple[Partner, Partner]


def _pretend(world: World, tally: Tally, partners: _Two, victim: Citizen) -> None:
    """Nobody asks as a partner without its secret, and nobody who is logged in is one."""
    (ours, theirs), line, question = partners, world.line(), _about(world, victim)
    take(tally, line, ours.ask("verification", question), True, "a partner verifies a code")
    for how, request in {
        "with the secret of another": Partner(ours.id, theirs.secret).ask("query", question),
        "in the name of another": theirs.ask("query", question, rid=ours.id),
        "that there is not": Partner("nobody", ours.secret).ask("query", question),
        "without a secret": Partner(ours.id, "").ask("query", question),
        "without signatures": api("POST", f"{PARTNERS}/query", question),
        "who is a citizen": api("POST", f"{PARTNERS}/query", question, bearer(victim.session)),
        "who is an inspector": api("POST", f"{PARTNERS}/query", question, world.station()),
    }.items():
        take(tally, line, request, False, f"a partner {how}")


def _change(world: World, tally: Tally, partners: _Two, victim: Citizen) -> None:
    """One question is answered once, as it was signed."""
    (ours, _), line, question = partners, world.line(), _about(world, victim)
    asked = ours.ask("query", question)
    other = _about(world, world.citizen())
    take(tally, line, asked, True, "a partner asks since when a code is so")
    for how, request in {
        "once more": asked,
        "for another interface": ours.ask("query", question)._replace(path=f"{PARTNERS}/verification"),
        "signed for another interface": ours.ask("query", question, sid="jx-verification"),
        "with another body": ours.ask("query", question)._replace(body=json.dumps(other).encode()),
        "without a signature of the body": without(ours.ask("query", question), "gjzwfwpt_bodysign"),
        "with a query": (fresh := ours.ask("query", question))._replace(path=f"{fresh.path}?token=A"),
        "of another moment": with_header(ours.ask("query", question), "gjzwfwpt_rtime", "1700000000000"),
        "of no moment": with_header(ours.ask("query", question), "gjzwfwpt_rtime", "9" * 40),
    }.items():
        take(tally, line, request, False, f"a question {how}")
    take(tally, world.line(1), asked, False, "a question once more at another host")
    again = ours.ask("query", _about(world, victim))
    good = sum(answer.is_good for answer in at_once(tally, [(world.line(number % 2), again) for number in range(4)]))
    tally.hold(good <= 1, f"one question of four at once is answered {good} times")


def _date_anew(world: World, tally: Tally, partners: _Two, victim: Citizen) -> None:
    """A clock that is wrong is refused, and one that is a little off is not."""
    (ours, _), line = partners, world.line()
    for ahead in (_WRONG_CLOCK, -_WRONG_CLOCK, 86_400, -86_400):
        request = ours.ask("verification", _about(world, victim), ahead)
        take(tally, line, request, False, f"a partner whose clock is {ahead} s ahead")
    for ahead in (_RIGHT_CLOCK, -_RIGHT_CLOCK):
        request = ours.ask("verification", _about(world, victim), ahead)
        take(tally, line, request, True, "a partner whose clock is a little off")


def _ask_without_a_code(world: World, tally: Tally, partners: _Two, victim: Citizen) -> None:
    """There is no question by number, name, phone or serial, in whichever field, and a forged code is nobody's."""
    (ours, _), line = partners, world.line()
    question = _about(world, victim)
    for token in (victim.document, NAME, victim.phone, victim.openid, "1", "%", "JX1:", victim.session):
        for interface in ("verification", "query"):
            request = ours.ask(interface, {**question, "token": token})
            take(tally, line, request, False, "a question without a code")
    for more in ({"number": victim.document}, {"document": victim.document}, {"name": NAME}, {"serial": 1}):
        take(tally, line, ours.ask("query", {**question, **more}), False, "a question by more than a code")
        nobodys = {"reference": "attack", **more}
        take(tally, line, ours.ask("query", nobodys), False, "a question by something else than a code")
    for place in range(10, 60, 5):
        token = question["token"]
        forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        take(tally, line, ours.ask("query", {**question, "token": forged}), False, "a question about a forged code")
        filed = ours.ask("correction", {**question, "token": forged, "text": _WORDS, "consent": True})
        take(tally, line, filed, False, "an appeal of somebody whose code was not shown")


def _ask_what_is_not_theirs(world: World, tally: Tally, partners: _Two, victim: Citizen) -> None:
    """A partner has the interfaces that it was given; an appeal needs consent, and its answer is its holder's."""
    (ours, theirs), line = partners, world.line()
    victim.declare(world.hosts[0], "cough")  # a green code has nothing to appeal against
    appeal: Mapping[str, Any] = {"text": _WORDS, "consent": True}
    for interface, more in (("query", {}), ("correction", appeal)):
        request = theirs.ask(interface, _about(world, victim, **more))
        take(tally, line, request, False, f"{interface} of a partner that may not")
    for interface in _NOT_OFFERED:
        take(tally, line, ours.ask(interface, _about(world, victim)), False, "an interface that is not offered")
    for consent in (False, None, "true"):
        request = ours.ask("correction", _about(world, victim, text=_WORDS, consent=consent))
        take(tally, line, request, False, "an appeal without consent")
    before = _appeals(world, tally, victim)
    filed = ours.ask("correction", _about(world, victim, **appeal))
    answer = take(tally, line, filed, True, "an appeal of who shows a code")
    if not answer.is_good or _appeals(world, tally, victim) != before + 1:
        tally.miss("a partner files no appeal: nothing is tried")
    tally.hold(set(answer.json.get("data", {})) <= {"question", "due_at"}, "an appeal is answered to the partner")


def _appeals(world: World, tally: Tally, victim: Citizen) -> int:
    own = api("GET", "/api/v1/appeals", None, bearer(victim.session))
    return len(take(tally, world.line(), own, True, "one's own appeals").json.get("appeals", ()))


def _ask_of_before(world: World, tally: Tally, services: Services, ours: Partner) -> None:
    """A picture of a code of some minutes ago is no consent of now, nor is the code of who is no longer here."""
    victim, line = world.citizen(), world.line()
    serial, now = world.one("select max(serial) from citizens"), services.clock.now()
    picture = services.tokens.mint(serial, State.GREEN, now - timedelta(minutes=10))
    tomorrow = services.tokens.mint(serial, State.GREEN, now + timedelta(minutes=10))
    for interface in ("verification", "query"):
        for token in (picture, tomorrow):
            request = ours.ask(interface, {"reference": "attack", "token": token})
            take(tally, line, request, False, "a question about a code of another time")
    question = _about(world, victim)
    take(tally, line, ours.ask("query", question), True, "a question about a code of now")
    gone = api("POST", "/api/v1/accounts/me/erasure", {"password": PASSWORD}, bearer(victim.session))
    take(tally, line, gone, True, "an erasure")
    for host in range(len(world.hosts)):
        take(
            tally,
            world.line(host),
            ours.ask("query", question),
            False,
            "a question about the code of who has been erased",
        )


def _ask_too_often(world: World, tally: Tally, services: Services, victim: Citizen) -> None:
    """A ceiling holds at all hosts together."""
    held = _add(world, services, "verification", rate=f"{_RATE} per minute")
    statuses = []
    for turn in range(3 * _RATE):
        request = held.ask("verification", _about(world, victim))
        answer = take(tally, world.line(turn % 2), request, None, "a partner that asks often")
        statuses.append(answer.status)
    tally.hold(statuses.count(200) <= 2 * _RATE, f"a partner that may ask {_RATE} a minute is answered often")
    if statuses.count(200) < _RATE:
        tally.miss("a partner within its ceiling is refused: nothing is tried")


def _go_on_after_the_end(world: World, tally: Tally, services: Services, who: tuple[Partner, Citizen]) -> None:
    """A partner that was revoked is refused with its next question, at each host."""
    ours, victim = who
    kept = ours.ask("query", _about(world, victim))
    for host in range(len(world.hosts)):
        take(tally, world.line(host), ours.ask("query", _about(world, victim)), True, "a partner before its end")
    registry.revoke_partner(services, world.officers(services), ours.id)
    for host in range(len(world.hosts)):
        for interface in _ALL:
            more: Mapping[str, Any] = {"text": _WORDS, "consent": True} if interface == "correction" else {}
            request = ours.ask(interface, _about(world, victim, **more))
            take(tally, world.line(host), request, False, "a partner that was revoked")
    take(tally, world.line(), kept, False, "a question of before the end of a partner")
