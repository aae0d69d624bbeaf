"""Chains of acts of one officer, each of which is allowed, that leave a code worse without a second person."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final
from uuid import uuid4

from attack.entering import decide, record
from attack.officers import RECORDERS
from attack.tally import Tally
from attack.world import World
from faults.people import Citizen

URGENT: Final = ("suspected!", "confirmed!", "quarantine!")
MILDER: Final = ("recovered", "ruled-out", "release")
_TAKE_FIRST, _TAKE_LAST = "take the first back", "take the last back"
_KNOWN: Final = (  # those that have worked once, and their neighbours
    ("suspected!", "recovered", _TAKE_FIRST),
    ("confirmed!", "recovered", _TAKE_FIRST),
    ("suspected!", "ruled-out", _TAKE_FIRST),
    ("confirmed!", "ruled-out", "suspected!", _TAKE_LAST),
    ("quarantine!", "release", _TAKE_FIRST),
    ("quarantine!", "suspected!", "recovered", _TAKE_FIRST),
    ("suspected!", "confirmed!", "recovered", _TAKE_FIRST),
    ("suspected!", "recovered", "confirmed!", _TAKE_LAST),
    ("suspected!", "recovered"),
    ("confirmed!", "recovered"),
    ("confirmed!", "recovered", "ruled-out"),
    ("quarantine!", "suspected!", "recovered"),
)
_MADE_UP: Final = 24  # sequences besides
_LONGEST: Final = 6


@dataclass
class Chain:
    """What one recorder does about one person, who was green; `fallen` says that all of it was taken back."""

    acts: Sequence[str]
    victim: Citizen
    recorder: str
    entries: list[int] = field(default_factory=list)
    is_begun: bool = False  # at one time the person was worse off

    @property
    def words(self) -> str:
        return ", ".join(self.acts)


def make_sequences() -> list[Sequence[str]]:
    """The known sequences, and others that are random and the same each time."""
    rng = Random(1317)
    choices = (*URGENT, *MILDER, _TAKE_FIRST, _TAKE_LAST)
    made = [(rng.choice(URGENT), *rng.choices(choices, k=rng.randrange(1, _LONGEST))) for _ in range(_MADE_UP)]
    return [*_KNOWN, *made]


def play(world: World, tally: Tally) -> list[Chain]:
    """Play every chain; then take everything back of every second one, and leave the others to lapse."""
    chains, begun = [], 0
    for number, acts in enumerate(make_sequences()):
        if tally.is_full:
            break
        chain = Chain(acts, world.citizen(), RECORDERS[number % len(RECORDERS)])
        for act in acts:
            _do(world, tally, chain, act)
            chain.is_begun = chain.is_begun or world.is_worse(chain.victim)
        if number % 2 or _TAKE_FIRST in acts or _TAKE_LAST in acts:
            _take_all_back(world, tally, chain)
        chains.append(chain)
        begun += chain.is_begun
    tally.figures["chains by which somebody was worse off for a while"] = begun
    if not begun:
        tally.miss("no chain can begin: no urgent entry is in effect")
    return chains


def _do(world: World, tally: Tally, chain: Chain, act: str) -> None:
    clerk = world.clerk(chain.recorder)
    if act in (_TAKE_FIRST, _TAKE_LAST):
        if chain.entries:
            decide(tally, clerk, chain.entries[0 if act == _TAKE_FIRST else -1], "withdraw", "wrong-facts")
        return
    more = {"urgent": "yes"} if act.endswith("!") else {}
    about = {"authority": f"示例 {uuid4()}", "place": f"示例 {uuid4()}"}  # no sum of others holds it
    entry, _ = record(tally, clerk, act.rstrip("!"), [chain.victim.document], **about, **more)
    if entry:
        chain.entries.append(entry)


def _take_all_back(world: World, tally: Tally, chain: Chain) -> None:
    """What can be taken back is; what is approved by nobody and in effect must not be worse than before."""
    clerk = world.clerk(chain.recorder)
    for entry in chain.entries:
        decide(tally, clerk, entry, "withdraw", "wrong-facts")
    _judge(world, tally, chain, "taken back")


def judge_lapsed(world: World, tally: Tally, chains: Sequence[Chain]) -> None:
    """After a day nothing that one officer did alone is left."""
    for chain in chains:
        _judge(world, tally, chain, "a day later")


def _judge(world: World, tally: Tally, chain: Chain, when: str) -> None:
    is_worse = world.is_worse(chain.victim)
    tally.hold(not is_worse, f"one officer makes a color that stays, {when}: {chain.words}")


def again(world: World, tally: Tally) -> None:
    """Whom a recorder held by an urgent entry they do not hold by another one within seven days, whatever its kind.

    Who takes back at once bars themselves alone: otherwise one officer could keep all others from being quick.
    """
    pairs = [(one, other) for one in URGENT for other in URGENT]
    for number, (one, other) in enumerate(pairs):
        if tally.is_full:
            return
        chain = Chain((one, other), world.citizen(), RECORDERS[number % len(RECORDERS)])
        _do(world, tally, chain, one)
        if not world.is_worse(chain.victim):
            continue  # it was held, by a ceiling or an alarm
        _do(world, tally, chain, _TAKE_LAST)
        _do(world, tally, chain, other)
        tally.hold(not world.is_worse(chain.victim), f"a person is held twice in a week: {one}, taken back, {other}")
