"""Entries: many people by many hands, by spelling and by pieces; looks without a trace; and one person for two."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid4

from app.codes.states import State
from attack.campaigns import chains
from attack.entering import decide, filled, record, send, sign
from attack.officers import RECORDERS, SPARE
from attack.sending import api, bearer
from attack.tally import Tally
from attack.world import World, take
from faults.calling import wait_until
from faults.people import Citizen, document_number

MOST_UNAPPROVED: Final = 100  # people of one district who may be worse off by what one officer alone stands behind
_LAPSE_SECONDS: Final = 120
_AUTHORITIES: Final = (  # one authority, as it is typed to be several
    "示例区卫生健康委员会",
    "示例区 卫生健康委员会",
    "示例区卫生健康委员会。",
    "示例區衛生健康委員會",
    "（示例区）卫生健康委员会",
    "示例区卫生健康委员会\u3000",
)
_PLACES: Final = ("示例楼", "示例樓", "示例 楼", "示例楼。", "（示例）楼", "示例楼1", "示例楼１")


def run(world: World, tally: Tally) -> None:
    """Play the chains first, then the masses, then let a day pass. Raises Failed."""
    played = chains.play(world, tally)
    chains.again(world, tally)
    for part in (_two_persons, _look_without_a_trace, _hold_up_others):
        if not tally.is_full:
            part(world, tally)
    reference = f"示例 {uuid4()}"
    if not tally.is_full:
        _mass(world, tally, reference)
    _let_a_day_pass(world, tally, reference, played)


def _two_persons(world: World, tally: Tally) -> None:
    """Nobody approves what they recorded, or have not viewed, or what is held; nor anybody outside the district."""
    both, there = world.clerk("attack-both"), world.clerk("attack-approver-there")
    victim = world.citizen()
    entry, state = record(tally, both, "confirmed", [victim.document], authority=f"示例 {uuid4()}")
    if state != "waiting":
        tally.miss(f"an entry of one officer is {state}")
    unseen = decide(tally, world.clerk("attack-approver-0"), entry, "approve")
    tally.hold(unseen != "applied", "an approver approves what they have not viewed")
    for clerk in (both, there, world.clerk(SPARE[1]), world.clerk("attack-auditor")):
        tally.hold(sign(tally, clerk, entry) != "applied", f"{clerk.username} approves what they must not")
        decide(tally, clerk, entry, "clear-hold", "outbreak")
    tally.hold(not world.is_worse(victim), "one officer makes a person red")
    held, state = record(tally, world.clerk(SPARE[1]), "quarantine", numbers(60), authority=f"示例 {uuid4()}")
    if state == "held":
        approver = world.clerk("attack-approver-0")
        tally.hold(sign(tally, approver, held) != "applied", "an approver approves what is held")


def _look_without_a_trace(world: World, tally: Tally) -> None:
    """Whoever's color a preview can tell sees that somebody has looked."""
    clerk = world.clerk(SPARE[2])
    for invented in (0, 8, 50, 200):
        victim = world.citizen()
        before = _accesses(world, tally, victim)
        form = filled("quarantine", [*numbers(invented), victim.document]) | {"previewed": ""}
        seen = send(tally, clerk, clerk.post("/console/entries/new", **form))
        if seen.status != 200:
            continue  # nothing was shown
        looks = _accesses(world, tally, victim) - before
        tally.hold(looks > 0, f"a preview of one person among {invented} who do not exist leaves no trace")


def _accesses(world: World, tally: Tally, citizen: Citizen) -> int:
    """How many accesses to their record somebody can read."""
    answer = take(tally, world.line(), api("GET", "/api/v1/record/access", None, bearer(citizen.session)), True, "own")
    return len(answer.json.get("entries", ()))


def _hold_up_others(world: World, tally: Tally) -> None:
    """What one officer has had held does not hold the first entry of another district."""
    authority, clerk = f"示例 {uuid4()}", world.clerk(SPARE[3])
    for _ in range(4):
        record(tally, clerk, "quarantine", numbers(60), authority=authority, reference=f"示例 {uuid4()}")
    there, victim = world.clerk("attack-recorder-there"), world.citizen()
    _, state = record(tally, there, "quarantine", [victim.document], authority=authority, urgent="yes")
    tally.hold(state == "urgent", f"one officer holds up another district: its first urgent entry is {state}")


def numbers(number: int) -> list[str]:
    return [document_number() for _ in range(number)]


def _pieces(number: int) -> Iterator[int]:
    """The sizes of the lists of one recorder, as many as pass within an hour."""
    yield from ((40, 9), (9, 9, 9, 9, 9))[number % 2]


def _mass(world: World, tally: Tally, reference: str) -> None:
    """Ten recorders, urgent, by lists of forty and of nine in many spellings: 470 people, whom nobody approves."""
    for number, username in enumerate(RECORDERS):
        clerk = world.clerk(username)
        for piece, size in enumerate(_pieces(number)):
            if tally.is_full:
                return
            spelled = {
                "authority": _AUTHORITIES[(number + piece) % len(_AUTHORITIES)],
                "place": f"{_PLACES[(number + piece) % len(_PLACES)]}{'甲乙丙丁戊己庚辛壬癸'[number]}",
            }
            record(tally, clerk, "quarantine", numbers(size), urgent="yes", reference=reference, **spelled)
    worse = count_worse(world, reference)
    tally.figures["people who are orange by urgent entries of ten officers"] = worse
    beyond = max(0, worse - MOST_UNAPPROVED)
    tally.hold(not beyond, f"people beyond {MOST_UNAPPROVED} are orange though nobody approved", beyond)


def count_worse(world: World, reference: str) -> int:
    """How many people of whom something was recorded with this reference are orange or red."""
    query = """
        select count(distinct serial) from codes join evidence using (serial)
        where reference = %s and state in (%s, %s)
    """
    return int(world.one(query, reference, int(State.ORANGE), int(State.RED)))


def _let_a_day_pass(world: World, tally: Tally, reference: str, played: Sequence[chains.Chain]) -> None:
    """After a day everything unapproved has fallen, and nobody is worse than before."""
    world.advance(timedelta(hours=25))
    query = "select count(*) from entries where state = 'urgent'"
    if not wait_until(lambda: world.one(query) == 0, _LAPSE_SECONDS):
        tally.miss(f"urgent entries do not lapse within {_LAPSE_SECONDS} s of their day")
    left = count_worse(world, reference)
    tally.hold(not left, "people are orange a day later though nobody approved", left)
    chains.judge_lapsed(world, tally, played)
