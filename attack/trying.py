"""Many requests by several threads, at both hosts, each judged by whether its caller may send it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from attack.sending import Request
from attack.tally import Tally
from attack.world import World

_THREADS: Final = 6


class Try(NamedTuple):
    """One request, and whether its caller may send it (None: either); `words` name it in a finding."""

    request: Request
    may: bool | None
    words: str
    is_plain: bool = True


def send_all(world: World, tally: Tally, tries: Sequence[Try]) -> None:
    """Send as many of them as the campaign has left, in about this order."""
    chosen = tries[: max(0, tally.most - tally.counts["tried"])]
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda number: _send(world, tally, chosen[number::_THREADS]), range(_THREADS)))


def _send(world: World, tally: Tally, tries: Sequence[Try]) -> None:
    lines = [world.line(host) for host in range(len(world.hosts))]
    for number, one in enumerate(tries):
        answer = lines[number % len(lines)].send(one.request)
        tally.judge(answer, one.request.path, one.may, one.words)
    for line in lines:
        line.close()
