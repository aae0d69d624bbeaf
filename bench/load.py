"""The rate of shows and checks at rising concurrency, against a bare Flask view and raw WSGI.

Everything is real and on this machine: PostgreSQL, Valkey, granian with two processes, and wrk beside them, which takes
its share of the same cores. Each figure is the median of several runs, the contenders in turn, so that a bad minute
affects all of them.
"""

from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from app.api.fast_path import CHECK_PATH, SHOW_PATH
from app.runtime import Services
from bench.figures import Figure
from bench.load_environment import BARE_THREADS, Contender, Run, write_checks, write_shows, wrk
from bench.load_environment import serving as serving  # bench/side.py finds its module by it

CONNECTIONS = [1, 4, 16, 64]
RAW, BARE, CHECKS, SHOWS = "raw WSGI", "bare Flask, one redis.get", "check", "show"


class Measured(NamedTuple):
    """The medians of each contender by number of connections, at half of its best rate, and bytes (PSS) a process."""

    curves: dict[str, dict[int, Run]]
    half: dict[str, Run]
    memory: dict[str, float]


def contenders(services: Services, directory: Path) -> list[Contender]:
    shows, checks = directory / "shows", directory / "checks"
    asks_shows, asks_checks = partial(write_shows, services, shows), partial(write_checks, services, checks)
    return [
        Contender(RAW, "bench.baselines:raw", CHECK_PATH, checks, asks_checks, BARE_THREADS),
        Contender(BARE, "bench.baselines:bare", CHECK_PATH, checks, asks_checks, BARE_THREADS),
        Contender(CHECKS, "app.server:create_server", CHECK_PATH, checks, asks_checks),
        Contender(SHOWS, "app.server:create_server", SHOW_PATH, shows, asks_shows),
    ]


def measure(all_of_them: list[Contender], seconds: float, runs: int) -> Measured:
    """Measure every contender at every number of connections, then checks and shows at half of their best rate."""
    found: dict[tuple[str, int], list[Run]] = {}
    memory: dict[str, float] = {}
    for _ in range(runs):
        for contender in all_of_them:
            with serving(contender) as (address, process):
                wrk(address, contender, 8, 1)
                for number in CONNECTIONS:
                    found.setdefault((contender.name, number), []).append(wrk(address, contender, number, seconds))
                memory[contender.name] = median(child.memory_full_info().pss for child in process.children())
    curves = {
        contender.name: {number: _median(found[contender.name, number]) for number in CONNECTIONS}
        for contender in all_of_them
    }
    half = {
        contender.name: _at_half(contender, best(curves[contender.name]).rate / 2, seconds, runs)
        for contender in all_of_them
        if contender.name in (CHECKS, SHOWS)
    }
    return Measured(curves, half, memory)


def _at_half(contender: Contender, rate: float, seconds: float, runs: int) -> Run:
    with serving(contender) as (address, _):
        wrk(address, contender, 8, 1)
        return _median([wrk(address, contender, 128, seconds, rate) for _ in range(runs)])


def _median(runs: list[Run]) -> Run:
    return Run(*(median(values) for values in zip(*runs, strict=True)))


def best(curve: dict[int, Run]) -> Run:
    return max(curve.values(), key=lambda run: run.rate)


def figures(measured: Measured) -> list[Figure]:
    rate = {name: best(curve).rate for name, curve in measured.curves.items()}
    return [
        Figure("checks", rate[CHECKS], "/s", 20_000),
        Figure("checks against bare Flask with one redis.get", rate[CHECKS] / rate[BARE], "×", 4),
        Figure("checks against raw WSGI, the ceiling", rate[CHECKS] / rate[RAW], "×"),
        Figure("shows", rate[SHOWS], "/s", 9_000),
        Figure("shows against bare Flask with one redis.get", rate[SHOWS] / rate[BARE], "×"),
        Figure("bare Flask with one redis.get", rate[BARE], "/s"),
        Figure("raw WSGI", rate[RAW], "/s"),
        Figure("check, p99 at half of that load", measured.half[CHECKS].p99_ms, "ms", 10, higher_is_better=False),
        Figure("show, p99 at half of that load", measured.half[SHOWS].p99_ms, "ms", 20, higher_is_better=False),
        Figure("memory of a web process", measured.memory[CHECKS] / 2**20, "MiB", higher_is_better=False),
    ]
