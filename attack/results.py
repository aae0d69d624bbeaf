"""What came of each campaign: a table, and JSON for the record."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from attack.tally import COLUMNS, Tally
from bench.figures import machine

_MOST_LINES = 40  # of one campaign; the rest is a number


class Result(NamedTuple):
    """The tally of a campaign, and how long it took."""

    tally: Tally
    seconds: float

    @property
    def counts(self) -> list[int]:
        return [self.tally.counts[column] for column in COLUMNS]


def show(results: Sequence[Result]) -> None:
    """Print the table with its sum, a line for everything that must not be, and what was measured."""
    table = Table(title="Attacks", caption=_caption())
    for column in ("campaign", *COLUMNS, "s"):
        table.add_column(column, justify="left" if column == "campaign" else "right")
    console = Console(width=120, markup=False, highlight=False)
    for result in results:
        table.add_row(result.tally.campaign, *map(str, result.counts), f"{result.seconds:.0f}")
    table.add_section()
    sums = [sum(column) for column in zip(*(result.counts for result in results), strict=True)]
    table.add_row("sum", *map(str, sums), f"{sum(result.seconds for result in results):.0f}")
    console.print(table)
    for result in results:
        _show_findings(console, result.tally)


def _show_findings(console: Console, tally: Tally) -> None:
    for (column, words), number in tally.findings.most_common(_MOST_LINES):
        console.print(f"{tally.campaign}: {column}: {words}" + (f" ({number} times)" if number > 1 else ""))
    if len(tally.findings) > _MOST_LINES:
        console.print(f"{tally.campaign}: and {len(tally.findings) - _MOST_LINES} more kinds")
    for name, figure in tally.figures.items():
        console.print(f"{tally.campaign}: measured: {name} {figure:g}")


def _caption() -> str:
    about = machine()
    return f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB"


def save(file: Path, results: Sequence[Result]) -> None:
    """Write the figures of a whole run and the machine as JSON, atomically."""
    temporary = file.with_suffix(".new")
    content = {"machine": machine(), "campaigns": [_row(result) for result in results]}
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    temporary.replace(file)


def _row(result: Result) -> dict[str, Any]:
    counts = dict(zip((column.replace(" ", "_") for column in COLUMNS), result.counts, strict=True))
    figures = {"figures": result.tally.figures} if result.tally.figures else {}
    return {"campaign": result.tally.campaign, **counts, "seconds": round(result.seconds, 1), **figures}


def is_good(results: Sequence[Result]) -> bool:
    """Return whether every campaign attacked, and every bad column is 0."""
    return bool(results) and all(result.tally.is_good for result in results)
