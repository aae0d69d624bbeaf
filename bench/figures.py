"""Measured figures with their targets, as a table and as JSON."""

import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from rich.console import Console
from rich.table import Table


class Figure(NamedTuple):
    """One figure; `target` may be None, and `higher_is_better` gives the good side of it."""

    name: str
    value: float
    unit: str
    target: float | None = None
    higher_is_better: bool = True

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.higher_is_better else self.value <= self.target


def machine() -> dict[str, Any]:
    """Return a description of the machine."""
    model = next((line for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ":").split(":")[1]
    return {
        "cpu": model.strip() or platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []


def show(title: str, figures: Iterable[Figure]) -> None:
    """Print the table."""
    about = machine()
    table = Table(title=title, caption=f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB")
    for column in ("", "measured", "target", ""):
        table.add_column(column, justify="right" if column else "left")
    marks = {True: "met", False: "missed", None: ""}
    for figure in figures:
        sign = ">=" if figure.higher_is_better else "<="
        target = "" if figure.target is None else f"{sign} {_number(figure.target)} {figure.unit}"
        table.add_row(figure.name, f"{_number(figure.value)} {figure.unit}", target, marks[figure.met])
    Console(width=120).print(table)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def save(file: Path, figures: Iterable[Figure], **more: Any) -> None:
    """Write the figures and the machine as JSON, atomically."""
    content = {"machine": machine(), "figures": [figure._asdict() for figure in figures], **more}
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    temporary.replace(file)
