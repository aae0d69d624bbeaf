"""Other provinces: lists that are forged, older or decided by one, and codes where they are none of ours."""

from collections.abc import Iterator
from datetime import timedelta
from secrets import token_hex
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.exc import IntegrityError

from app.codes.states import State
from app.core.errors import Problem
from app.runtime import Services
from app.staff import trust_lists
from app.trust.signed_list import TrustListUnusable
from attack.provinces import Province, make_list
from attack.sending import Answer, Request, api
from attack.tally import Tally
from attack.world import World, take

_CHECKS: Final = "/api/v1/checks"
_FEVER: Final = 39.0
_REGION: Final = "990000"


def run(world: World, tally: Tally) -> None:
    """Try each: first what may not be taken into use, then what a code of another province may not bring about."""
    with world.operating() as services:
        known = Province(f"attack-{token_hex(3)}", _REGION)
        _import(world, services, make_list(known.issuer(), at=services.clock.now() - timedelta(seconds=30)))
        for part in (_forge_lists, _show_elsewhere, _sign_of_us, _after_a_revocation):
            if not tally.is_full:
                part(world, tally, services, known)


def _import(world: World, services: Services, content: str, *officers: str, many: bool = True) -> None:
    """Take a list into use as two administrators do. Raises Problem."""
    trust_lists.import_list(services, world.officers(services, *officers), content, many=many)


def _forge_lists(world: World, tally: Tally, services: Services, known: Province) -> None:
    """No list of another root, older, of a wrong form, or that one administrator or one of a district wants."""
    now, stranger = services.clock.now(), Province(f"attack-{token_hex(3)}", "980000")
    mine = {**stranger.issuer()["keys"][0], **_key_of_ours(services)}
    sound = make_list(known.issuer(), stranger.issuer(), at=now)
    lists: dict[str, tuple[str, tuple[str, ...]]] = {
        "of another root": (make_list(known.issuer(), stranger.issuer(), at=now, root="another"), ()),
        "that is older": (make_list(known.issuer(), stranger.issuer(), at=now - timedelta(hours=1)), ()),
        "of a year ago": (make_list(known.issuer(), stranger.issuer(), at=now - timedelta(days=365)), ()),
        "of tomorrow": (make_list(known.issuer(), stranger.issuer(), at=now + timedelta(days=1)), ()),
        "with one letter changed": (_changed(sound), ()),
        "with our key in its name": (make_list({**stranger.issuer(), "keys": [mine]}, at=now), ()),
        "that is none": ('{"payload": "e30", "protected": "e30", "signature": ""}', ()),
        "of one administrator": (sound, ("demo-administrator", "demo-administrator")),
        "of one": (sound, ("demo-administrator",)),
        "of an administrator of a district": (sound, ("demo-administrator", "attack-administrator")),
        "of an auditor": (sound, ("demo-administrator", "demo-auditor")),
        "that ends them all": (make_list(stranger.issuer(), at=now), ("cautious",)),
    }
    for how, (content, officers) in lists.items():
        cautious = officers == ("cautious",)
        refused = _is_refused(world, services, content, () if cautious else officers, many=not cautious)
        tally.ran(refused)
        tally.hold(refused, f"a list {how} is taken into use")
    answer = _check(world, tally, stranger.code(State.GREEN, services.clock.now()), may=False)
    tally.hold(not answer.is_good, "a code is taken of whom no list has")


def _key_of_ours(services: Services) -> dict[str, Any]:
    """The key with which we sign, as it is published."""
    [newest] = services.tokens.key_set(services.clock.now())["keys"][:1]
    return {name: newest[name] for name in ("kid", "x", "from", "until")}


def _changed(content: str) -> str:
    place = content.index('"payload": "') + 60
    return content[:place] + ("A" if content[place] != "A" else "B") + content[place + 1 :]


def _is_refused(world: World, services: Services, content: str, officers: tuple[str, ...], *, many: bool) -> bool:
    try:
        _import(world, services, content, *officers, many=many)
    except (Problem, TrustListUnusable, IntegrityError):  # the last by the trigger of the table
        return True
    return False


def _check(world: World, tally: Tally, token: str, *, may: bool | None = True, host: int = 0) -> Answer:
    request = api("POST", _CHECKS, {"token": token}, world.station())
    return take(tally, world.line(host), request, may, "a code of another province at a station")


def _show_elsewhere(world: World, tally: Tally, services: Services, known: Province) -> None:
    """A code of another province is its issuer's statement at a station, and nobody's anywhere else."""
    before, line = _written(world), world.line()
    for state in (State.GREEN, State.RED):
        stated = _check(world, tally, known.code(state, services.clock.now()))
        named = (stated.json.get("issuer") or {}).get("id")
        if named != known.id or stated.json.get("state") != state.name:
            tally.miss(f"a code of another province is answered {stated.status}: nothing is tried")
    token = known.code(State.GREEN, services.clock.now())
    measured = api("POST", f"{_CHECKS}/temperature", {"token": token, "celsius": _FEVER}, world.station())
    take(tally, line, measured, True, "a fever of somebody with a code of another province")
    made = {"id": str(uuid4()), "token": token, "at": services.clock.now().isoformat(), "celsius": _FEVER}
    later = api("POST", f"{_CHECKS}/offline", {"checks": [made]}, world.station())
    answer = take(tally, line, later, True, "the same, submitted afterwards")
    tally.hold(b'"registered"' not in answer.body, "a fever of somebody of another province is registered")
    paper = {"token": token, "document_tail": "0000"}
    take(tally, line, api("POST", f"{_CHECKS}/paper", paper, world.station()), False, "a code as a card on paper")
    tally.hold(_written(world) == before, "a code of another province is evidence of somebody here")


def _written(world: World) -> list[tuple[Any, ...]]:
    """What a check of a code of another province must add nothing to."""
    temperatures = "select count(*) from evidence where kind = 'temperature'"
    return [*world.system.ask(temperatures), *world.system.ask("select count(*) from decisions")]


def _sign_of_us(world: World, tally: Tally, services: Services, known: Province) -> None:
    """Another province signs what it likes about our people: it is a statement of theirs, and no color of ours."""
    victim, serial = world.citizen(), world.one("select max(serial) from citizens")
    victim.declare(world.hosts[0], "cough")
    for token in _about(services, known, serial):
        answer = _check(world, tally, token, may=None)
        issuer = (answer.json.get("issuer") or {}).get("id")
        tally.hold(not answer.is_good or issuer == known.id, "a code that another province has signed is one of ours")
    tally.hold(world.state(victim) == "YELLOW", "another province changes a color of ours")
    victim.show(world.hosts[0])
    own, foreign = victim.token, known.code(State.GREEN, services.clock.now())
    if _check(world, tally, own).json.get("state") != "YELLOW":
        tally.miss("a code of ours is not one at a station: nothing is tried")
    for place in (len(own) // 4, len(own) // 2, 3 * len(own) // 4):
        _check(world, tally, foreign[:place] + own[place:], may=False)
        answer = _check(world, tally, own[:place] + foreign[place:], may=None)
        # with network the pseudonym is enough, which only our keys can make: it is its holder's, whatever follows
        tally.hold(answer.json.get("state") in (None, "YELLOW"), "a code of ours has another state by their signature")


def _about(services: Services, known: Province, serial: int) -> Iterator[str]:
    now = services.clock.now()
    yield from (known.code(state, now, serial) for state in (State.RED, State.ORANGE, State.GREEN))


def _after_a_revocation(world: World, tally: Tally, services: Services, known: Province) -> None:
    """A key that a list revokes, and an issuer that it suspends, counts for nothing from then on, at each host."""
    other = Province(f"attack-{token_hex(3)}", "970000")
    beside = (other.issuer(), Province(f"attack-{token_hex(3)}", "960000").issuer())
    at = services.clock.now()
    for what, issuer in (("revoked", known.issuer(revoked=True)), ("suspended", known.issuer("suspended"))):
        at += timedelta(seconds=1)
        before = known.code(State.GREEN, services.clock.now() - timedelta(seconds=5))
        _import(world, services, make_list(issuer, *beside, at=at))
        for host in range(len(world.hosts)):
            for token in (before, known.code(State.GREEN, services.clock.now())):
                answer = _check(world, tally, token, may=False, host=host)
                tally.hold(not answer.is_good, f"a code is taken whose issuer is {what}")
            _check(world, tally, other.code(State.GREEN, services.clock.now()), host=host)
    request = Request("GET", "/.well-known/jixiang-trust")
    take(tally, world.line(), request, True, "the list in use")
