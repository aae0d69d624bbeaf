"""Stations: checks that nobody made, and tokens that no phone has shown."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from random import Random
from typing import Any, Final
from uuid import uuid4

from app.core.clock import SystemClock
from attack.sending import Headers, Line, Request, api
from attack.tally import Tally
from attack.trying import Try, send_all
from attack.world import World, take

_OFFLINE: Final = "/api/v1/checks/offline"
_DOCUMENT: Final = "/api/v1/checks/document"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_SUBMISSIONS: Final = 20  # of a hundred forged tokens each; 60 an hour are allowed
_FORGED: Final = 1500  # tokens shown to a station with network
_NAMES: Final = 60  # tried with one number
_MOST_NAMES: Final = 10  # an inspector may find nobody so often in a minute
_ANSWERED: Final = {"outcome", "state", "color", "word", "action", "instruction", "as_of", "stale"}


def run(world: World, tally: Tally) -> None:
    """Try each. Raises Failed."""
    for part in (_inflate, _forge_offline, _forge, _try_names):
        if not tally.is_full:
            part(world, tally)


def _inflate(world: World, tally: Tally) -> None:
    """One person who passes once is one check, however often their token is sent."""
    citizen, line, station = world.citizen(), world.line(), world.station()
    citizen.show(world.hosts[0])
    before = _passed(line, station)
    checks = [_check(citizen.token, SystemClock().now()) for _ in range(100)]
    answer = take(tally, line, api("POST", _OFFLINE, {"checks": checks}, station), True, "one token, a hundred ids")
    counted = answer.body.count(b'"counted"')
    tally.hold(counted <= 1, f"one token is counted {counted} times, with as many ids")
    for _ in range(50):
        take(tally, line, api("POST", "/api/v1/checks", {"token": citizen.token}, station), None, "one token again")
    more = _passed(line, station) - before
    tally.hold(more <= 1, f"one token is counted {more} times at one station")


def _passed(line: Line, station: Headers) -> int:
    return int(line.send(Request("GET", "/api/v1/stations/today", station)).json["passed"])


def _check(token: str, at: datetime) -> dict[str, Any]:
    return {"id": str(uuid4()), "token": token, "at": at.isoformat()}


def _changed(token: str, rng: Random) -> Iterator[str]:
    """Tokens with a letter changed, cut, or swapped."""
    while True:
        place = rng.randrange(len(token))
        made = rng.choice(
            (
                token[:place] + rng.choice(_ALPHABET) + token[place + 1 :],
                token[: place + 1],
                token[:place] + token[place + 1 : place + 2] + token[place : place + 1] + token[place + 2 :],
            )
        )
        if made != token:
            yield made


def _forge_offline(world: World, tally: Tally) -> None:
    """A changed token is counted nowhere."""
    citizen, line, rng = world.citizen(), world.line(), Random(11)
    citizen.show(world.hosts[0])
    made = _changed(citizen.token, rng)
    for _ in range(_SUBMISSIONS):
        checks = [_check(token, SystemClock().now()) for token in islice(made, 100)]
        answer = take(tally, line, api("POST", _OFFLINE, {"checks": checks}, world.station()), None, "forged tokens")
        counted = answer.body.count(b'"counted"')
        tally.hold(not counted, "a forged token is counted", counted)


def _forge(world: World, tally: Tally) -> None:
    """With network a token that names nobody is refused; one with another signature is the same person's."""
    citizen, rng = world.citizen(), Random(12)
    citizen.show(world.hosts[0])
    tokens = islice(_changed(citizen.token, rng), _FORGED)
    station = world.station()
    send_all(
        world,
        tally,
        [Try(api("POST", "/api/v1/checks", {"token": token}, station), None, "a forged token") for token in tokens],
    )


def _try_names(world: World, tally: Tally) -> None:
    """With somebody's number and an inspector's session, names are tried out: few, and none says that it is near."""
    victim, line, station = world.citizen(), world.line(), world.station()
    said, tried = set(), 0
    for turn in range(_NAMES):
        body = {"type": "id-card", "number": victim.document, "name": f"示例{chr(0x4E01 + turn)}"}
        answer = take(tally, line, api("POST", _DOCUMENT, body, station), None, "a name tried with a number")
        tried += answer.status == 200
        said |= {answer.json["outcome"]} if answer.status == 200 else set()
        tally.hold(answer.status != 200 or set(answer.json) <= _ANSWERED, "a check by document says more than a color")
    tally.hold(said == {"not-found"}, f"wrong names get {sorted(said)}")
    tally.hold(tried <= _MOST_NAMES, f"{tried} names were tried within a minute")
