"""The mass change of this checkout against that of another one: `python -m bench.mass_compare /path/of/the/other`.

The runs of the two alternate, and what counts is the median of the ratios of neighbors: whatever else this machine
does changes both. The other checkout has an environment of its own in `.venv`.
"""

import argparse
import json
import subprocess
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
FIGURES = {"rate": "citizens a second", "cpu": "CPU µs of a citizen", "postgres_cpu": "of these PostgreSQL's"}


def run(checkout: Path, citizens: int) -> dict[str, float]:
    """Return the figures of one run of a checkout."""
    command = [checkout / ".venv/bin/python", ROOT / "bench/mass_side.py", str(citizens)]
    done = subprocess.run(command, cwd=checkout, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(other: Path, citizens: int, rounds: int) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Run both in turn, the other one first."""
    return [(run(other, citizens), run(ROOT, citizens)) for _ in range(rounds)]


def show(pairs: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    table = Table(title="Mass change: the other checkout, this one, and the median of their ratios")
    for column in ("", "other", "this", "ratio"):
        table.add_column(column, justify="right" if column else "left")
    for name, title in FIGURES.items():
        scale = 1 if name == "rate" else 1e6
        sides = [f"{median(pair[side][name] for pair in pairs) * scale:.0f}" for side in (0, 1)]
        table.add_row(title, *sides, f"{median(ours[name] / theirs[name] for theirs, ours in pairs):.2f} ×")
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mass_compare", description=__doc__)
    parser.add_argument("other", type=Path, help="a checkout with its own .venv")
    parser.add_argument("--citizens", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    show(compare(given.other.resolve(), given.citizens, given.rounds))


if __name__ == "__main__":
    main()
