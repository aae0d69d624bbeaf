"""What came of each fault: a table, and JSON for the record."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Table

from bench.figures import machine

COLUMNS: Final = ("lost", "doubled", "wrong", "stuck")


class Result(NamedTuple):
    """One fault: how often it was wanted, seconds to recover of each time, and what must not be, by column."""

    fault: str
    wanted: int
    seconds: Sequence[float]
    changes: int
    answers: int
    findings: Mapping[str, Sequence[str]]

    @property
    def is_good(self) -> bool:
        return len(self.seconds) >= self.wanted and not any(self.findings.values())

    def count(self, column: str) -> int:
        return len(self.findings.get(column, ()))


def show(results: Iterable[Result]) -> None:
    """Print the table, and a line for everything that must not be."""
    table = Table(title="Faults", caption=_caption())
    for column in ("fault", "times", "changes", "answers", *COLUMNS, "s to recover", "worst"):
        table.add_column(column, justify="left" if column == "fault" else "right")
    console = Console(width=120, markup=False, highlight=False)
    for result in results:
        middle, worst = (f"{number:.1f}" for number in _seconds(result))
        times = str(len(result.seconds)) + (f" of {result.wanted}" if len(result.seconds) < result.wanted else "")
        counts = (str(result.count(column)) for column in COLUMNS)
        table.add_row(result.fault, times, str(result.changes), str(result.answers), *counts, middle, worst)
    console.print(table)
    for result in results:
        for column in COLUMNS:
            for words, number in Counter(result.findings.get(column, ())).items():
                console.print(f"{result.fault}: {column}: {words}" + (f" ({number} times)" if number > 1 else ""))


def _caption() -> str:
    about = machine()
    return f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB"


def _seconds(result: Result) -> tuple[float, float]:
    return (median(result.seconds), max(result.seconds)) if result.seconds else (0.0, 0.0)


def save(file: Path, results: Iterable[Result]) -> None:
    """Write the results and the machine as JSON, atomically; of faults that were not caused the earlier ones stay."""
    before = json.loads(file.read_text())["faults"] if file.exists() else []
    rows = {row["fault"]: row for row in [*before, *map(_row, results)]}
    temporary = file.with_suffix(".new")
    content = {"machine": machine(), "faults": list(rows.values())}
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    temporary.replace(file)


def _row(result: Result) -> dict[str, Any]:
    middle, worst = _seconds(result)
    counts = {column: result.count(column) for column in COLUMNS}
    times = {"times": len(result.seconds), "changes": result.changes, "answers": result.answers}
    return {"fault": result.fault, **times, **counts, "median_s": round(middle, 2), "worst_s": round(worst, 2)}
