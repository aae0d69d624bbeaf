"""The mass change of this checkout against that of another one: `python -m bench.mass_compare /path/of/the/other`.

A part of `make bench BASE=<commit>` too (`compare`). The runs of the two alternate, and what counts is the median of
the ratios of neighbors: whatever else this machine does changes both. The other checkout has an environment of its own
in `.venv`.
"""

import argparse
import json
import subprocess
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

CITIZENS = 20_000  # so many that the processes of a list pay
ROOT = Path(__file__).parents[1]
FIGURES = {
    "rate": "mass change",
    "rate_alone": "mass change by one process",
    "all_cpu": "mass change: CPU of a citizen",
    "cpu": "mass change: of that in our processes",
    "postgres_cpu": "mass change: of that in PostgreSQL",
}
Pairs = list[tuple[dict[str, float], dict[str, float]]]  # the figures of the other checkout, and of this one


def run(checkout: Path, citizens: int) -> dict[str, float]:
    """Return the figures of one run of a checkout: citizens a second, and microseconds of CPU."""
    command = [str(checkout / ".venv/bin/python"), str(ROOT / "bench/mass_side.py"), str(citizens)]
    done = subprocess.run(command, cwd=checkout, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures | {"all_cpu": figures["cpu"] + figures["postgres_cpu"]}


def compare(other: Path, citizens: int, rounds: int) -> Pairs:
    """Run both in turn, every second time the other one first."""
    pairs = []
    for turn in range(rounds):
        runs = {checkout: run(checkout, citizens) for checkout in ((other, ROOT) if turn % 2 else (ROOT, other))}
        pairs.append((runs[other], runs[ROOT]))
    return pairs


def show(pairs: Pairs) -> None:
    table = Table(title="Mass change: the other checkout, this one, and the median of their ratios")
    for column in ("", "other", "this", "ratio"):
        table.add_column(column, justify="right" if column else "left")
    for name, title in FIGURES.items():
        sides = [f"{median(pair[side][name] for pair in pairs):.0f}" for side in (0, 1)]
        table.add_row(title, *sides, f"{median(ours[name] / theirs[name] for theirs, ours in pairs):.2f} ×")
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mass_compare", description=__doc__)
    parser.add_argument("other", type=Path, help="a checkout with its own .venv")
    parser.add_argument("--citizens", type=int, default=CITIZENS)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    show(compare(given.other.resolve(), given.citizens, given.rounds))


if __name__ == "__main__":
    main()
