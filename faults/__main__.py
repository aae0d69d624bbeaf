"""Break the running system on purpose, and count what is lost, doubled, wrong or stuck. Run nothing else meanwhile."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from faults import results
from faults.cases import CASES
from faults.results import Result
from faults.rounds import Case, LeftOut, run
from faults.system import System, running

RESULTS = Path(__file__).with_name("results.json")
TIMES, MOST_SECONDS = 20, 80 * 60


def cause(names: Sequence[str], times: int) -> list[Result]:
    """Cause these faults in turn; what does not fit into the time is not caused, and counts as missing."""
    end = time.monotonic() + MOST_SECONDS
    cases = [CASES[name] for name in names]
    found: list[Result] = []
    if shared := [case for case in cases if not case.own_system]:
        with running() as system:
            for case in shared:
                found += _cause_one(system, case, times, end)
    for case in (case for case in cases if case.own_system):
        with running() as system:
            found += _cause_one(system, case, times, end)
    return found


def _cause_one(system: System, case: Case, times: int, end: float) -> list[Result]:
    """Return the result of one case, or nothing when it cannot be caused here."""
    left = max(0.0, end - time.monotonic())
    try:
        result = run(system, case._replace(limit_seconds=min(case.limit_seconds, left)), times)
    except LeftOut as why:
        print(f"{case.name}: left out, {why}", flush=True)
        return []
    counts = {column: len(words) for column, words in result.findings.items()}
    print(f"{case.name}: {len(result.seconds)} times, {counts or 'nothing found'}", flush=True)
    if times >= TIMES:
        results.save(RESULTS, [result])
    return [result]


def _times(words: str) -> int:
    if not 1 <= int(words) <= 1000:
        raise argparse.ArgumentTypeError("a fault is caused 1 to 1000 times")
    return int(words)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="FAULT", help=", ".join(CASES))
    parser.add_argument(
        "--times", type=_times, default=TIMES, help="how often each is caused; fewer than 20 write no file"
    )
    given = parser.parse_args()
    found = cause(given.only, given.times)
    results.show(found)
    if given.times >= TIMES:
        print(f"Written: {RESULTS.name}")
    raise SystemExit(not all(result.is_good for result in found))


if __name__ == "__main__":
    main()
