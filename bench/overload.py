"""Behavior under overload: checks at up to three times the rated load, and checks while very many open their codes.

The rated load is a part of the best rate, because refusing takes work too. The offered load is that of wrk: each of
many connections waits at random between its requests, as phones do, whatever the answers are.
"""

from typing import NamedTuple

from bench.figures import Figure
from bench.load_environment import Contender, Run, result, serving, start_wrk, wrk

RATED = 0.6  # of the best rate
TIMES = (0.5, 1, 1.5, 2, 3)
CONNECTIONS = 1000


class Measured(NamedTuple):
    """Responses served and refused by the multiple of the rated load, the run after it, and checks among many shows."""

    rated: float
    offered: dict[float, Run]
    after: Run
    checks_alone: Run
    checks_in_a_crowd: Run
    shows_of_the_crowd: Run


def measure(check: Contender, show: Contender, best: float, best_show: float, seconds: float) -> Measured:
    rated = RATED * best
    show.write()
    with serving(check) as (address, _):
        wrk(address, check, 8, 1)
        offered = {
            times: result(start_wrk(address, check, CONNECTIONS, seconds, times * rated), may_refuse=True)
            for times in TIMES
        }
        after = wrk(address, check, 64, seconds, rated / 2)
        alone = wrk(address, check, 64, seconds, rated / 2)
        crowd = start_wrk(address, show, CONNECTIONS, seconds, 2 * best_show)
        among = result(start_wrk(address, check, 64, seconds, rated / 2), may_refuse=True)
        return Measured(rated, offered, after, alone, among, result(crowd, may_refuse=True))


def figures(measured: Measured) -> list[Figure]:
    rated, most = measured.offered[1].rate, measured.offered[3]
    crowd = measured.checks_in_a_crowd
    return [
        Figure("checks served at 3 × the rated load, of the rated", most.rate / rated, "×", 1),
        Figure("check, p99 at 3 × the rated load, refusals among them", most.p99_ms, "ms", higher_is_better=False),
        Figure("check, p99 right after an overload", measured.after.p99_ms, "ms", 10, higher_is_better=False),
        Figure(
            "checks served while a crowd opens its codes, of those asked for",
            crowd.rate / (crowd.rate + crowd.refused) * 100,
            "%",
            99,
        ),
        Figure("check, p99 while a crowd opens its codes", crowd.p99_ms, "ms", higher_is_better=False),
        Figure("shows served to that crowd", measured.shows_of_the_crowd.rate, "/s"),
    ]
