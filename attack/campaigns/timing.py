"""What the time of an answer tells: the same refusal for two kinds of people, in turns, and whether they can be told
apart."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final
from uuid import uuid4

from attack.campaigns.races import registration
from attack.entering import filled, send
from attack.officers import NAMED, SPARE
from attack.sending import Answer, Headers, api, bearer, form
from attack.tally import Tally
from attack.world import World, take, wrong_login
from devstack.people import PASSWORD
from faults.people import Citizen

_TURNS: Final = 60
_TURNS_OF_ONE_PHONE: Final = 4  # registrations; ten an hour are allowed
# told apart: at 60 turns chance stays below both bounds, and a network hides less than a millisecond
_MOST_SHARE: Final = 0.68
_LEAST_SECONDS: Final = 0.001
Sender = Callable[[int], Answer]


def run(world: World, tally: Tally) -> None:
    """Compare each pair. Raises Failed."""
    for pair in (_documents, _log_ins, _registrations_with_a_taken_name, _registrations):
        if not tally.is_full:
            pair(world, tally)


def share_slower(one: Sequence[float], other: Sequence[float]) -> float:
    """The share of all pairs in which the second takes longer: a half when nothing tells them apart."""
    return sum((b > a) + (b == a) / 2 for a in one for b in other) / (len(one) * len(other))


def are_told_apart(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether an attacker can tell which of two kinds of answers they got, by its seconds."""
    share = share_slower(one, other)
    differ = abs(median(one) - median(other)) > _LEAST_SECONDS
    return differ and not 1 - _MOST_SHARE <= share <= _MOST_SHARE


def compare(tally: Tally, what: str, one: Sender, other: Sender, turns: int = _TURNS) -> None:
    """Send both in turns, the first one first every other time; compare what they say and how long they take."""
    seconds: tuple[list[float], list[float]] = ([], [])
    said: tuple[set[str], set[str]] = (set(), set())
    for turn in range(turns):
        for which in (0, 1) if turn % 2 else (1, 0):
            answer = (one, other)[which](turn)
            tally.judge(answer, "", None, what)
            seconds[which].append(answer.seconds)
            said[which].add(f"{answer.status} {answer.slug}")
    tally.hold(said[0] == said[1], f"{what}: {sorted(said[0])} against {sorted(said[1])}")
    ms = [round(1000 * median(some), 2) for some in seconds]
    tally.figures[f"{what}, ms at the median"], tally.figures[f"{what}, ms of the other"] = ms
    tally.hold(not are_told_apart(*seconds), f"{what}: told apart by time, {ms[0]} against {ms[1]} ms")


def _documents(world: World, tally: Tally) -> None:
    """At a station: numbers of nobody against somebody's number with other names; a few look-ups of each inspector."""
    victim, line = world.citizen(), world.line()
    sessions = [_log_in(world, tally, username) for username in NAMED]
    nobody = [Citizen(world.system.place.wechat).document for _ in range(_TURNS)]

    def as_(numbers: Sequence[str], name: str) -> Sender:
        def send_one(turn: int) -> Answer:
            body = {"type": "id-card", "number": numbers[turn % len(numbers)], "name": name}
            return line.send(api("POST", "/api/v1/checks/document", body, sessions[turn % len(sessions)]))

        return send_one

    compare(tally, "a number that nobody has, at a station", as_(nobody, "示例乙"), as_([victim.document], "示例乙"))


def _log_in(world: World, tally: Tally, username: str) -> Headers:
    body = {"username": username, "password": PASSWORD}
    answer = take(tally, world.line(), api("POST", "/api/v1/stations/login", body), True, "an inspector logs in")
    return bearer(answer.json.get("session", ""))


def _log_ins(world: World, tally: Tally) -> None:
    """Names that exist against names that do not, for citizens, inspectors and officers; a few guesses at each."""
    nobody = tuple(f"attack-nobody-{number}" for number in range(len(NAMED)))
    citizens = tuple(world.citizen(is_declared=False).username for _ in NAMED)

    def json(path: str, usernames: Sequence[str]) -> Sender:
        return lambda turn: world.line().send(api("POST", path, wrong_login(usernames[turn % len(usernames)])))

    for what, path, names in (
        ("a citizen's name", "/api/v1/accounts/login", citizens),
        ("an inspector's name", "/api/v1/stations/login", NAMED),
    ):
        compare(tally, what, json(path, names), json(path, nobody))

    def page(usernames: Sequence[str]) -> Sender:
        filled_in = {"code": "000000", "form": ""}
        return lambda turn: world.line().send(
            form("/console/login", {**filled_in, **wrong_login(usernames[turn % len(usernames)])})
        )

    compare(tally, "an officer's name", page(NAMED), page(nobody))


def _registrations_with_a_taken_name(world: World, tally: Tally) -> None:
    """Documents that have an account, or are known to officers, against documents of nobody; the user name is taken."""
    taken = world.citizen(is_declared=False)
    known = [world.phone() for _ in range(_TURNS)]
    _make_known(world, tally, [one.document for one in known])
    phones: list[Citizen] = []
    line = world.line()

    def as_(documents: Sequence[str]) -> Sender:
        def send_one(turn: int) -> Answer:
            while len(phones) <= turn // _TURNS_OF_ONE_PHONE:
                phones.append(world.phone())
            who = phones[turn // _TURNS_OF_ONE_PHONE]
            number = documents[turn % len(documents)]
            return line.send(registration(who, username=taken.username, number=number))

        return send_one

    unknown = [Citizen(world.system.place.wechat).document for _ in range(_TURNS)]
    compare(tally, "a document with an account", as_([taken.document]), as_(unknown))
    phones.clear()
    compare(tally, "a document that officers know", as_([one.document for one in known]), as_(unknown))


def _registrations(world: World, tally: Tally) -> None:
    """People whom officers know against people whom nobody knows."""
    turns = _TURNS // 2
    known, unknown = ([world.phone() for _ in range(turns)] for _ in range(2))
    _make_known(world, tally, [one.document for one in known])
    line = world.line()
    compare(
        tally,
        "a registration of somebody whom officers know",
        lambda turn: line.send(registration(known[turn])),
        lambda turn: line.send(registration(unknown[turn])),
        turns,
    )


def _make_known(world: World, tally: Tally, documents: Sequence[str]) -> None:
    """Have a recorder enter a list of people, which waits."""
    clerk = world.clerk(SPARE[0])
    send(
        tally, clerk, clerk.post("/console/entries/new", **filled("quarantine", documents, authority=f"示例 {uuid4()}"))
    )
