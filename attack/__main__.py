"""Attack a running system of our own, and count who is let in where they must not be. Run nothing else meanwhile."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import requests

from attack import results
from attack.campaigns import CAMPAIGNS
from attack.results import Result
from attack.tally import Tally
from attack.world import Failed, World, attacked

RESULTS = Path(__file__).with_name("results.json")
LEAST = 100_000  # requests of a whole run
_WHOLE = 10**9


def attack(world: World, name: str, most: int) -> Result:
    """Run one campaign; one that breaks down is not taken for a good one."""
    tally, begin = Tally(name, most), time.monotonic()
    try:
        CAMPAIGNS[name](world, tally)
    except (Failed, psycopg.Error, requests.RequestException, OSError) as error:
        tally.miss(f"the campaign breaks down: {type(error).__name__}: {error}")
    result = Result(tally, time.monotonic() - begin)
    counts = {column: number for column, number in tally.counts.items() if number}
    print(f"{name}: {counts}, {result.seconds:.0f} s", flush=True)
    return result


def run(names: Sequence[str], most: int) -> list[Result]:
    """Run campaigns against one system, each with so many requests at most."""
    with attacked() as world:
        return [attack(world, name, most) for name in names]


def _requests(words: str) -> int:
    if int(words) < 1:
        raise argparse.ArgumentTypeError("a campaign has at least one request")
    return int(words)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m attack", description=__doc__)
    names = ", ".join(CAMPAIGNS)
    parser.add_argument("--only", nargs="+", choices=CAMPAIGNS, default=list(CAMPAIGNS), metavar="CAMPAIGN", help=names)
    parser.add_argument("--requests", type=_requests, default=_WHOLE, help="of each campaign, for a look")
    given = parser.parse_args()
    found = run(given.only, given.requests)
    results.show(found)
    is_whole = given.requests == _WHOLE and set(given.only) == set(CAMPAIGNS)
    tried = sum(result.tally.counts["tried"] for result in found)
    if is_whole and tried < LEAST:
        print(f"Only {tried} requests: a whole run has {LEAST}.")
    if is_whole:
        results.save(RESULTS, found)
        print(f"Written: {RESULTS.name}")
    raise SystemExit(not results.is_good(found) or (is_whole and tried < LEAST))


if __name__ == "__main__":
    main()
