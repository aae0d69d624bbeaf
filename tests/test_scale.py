"""The sum for a province: the page says what was measured, and its machines follow from that."""

import json
import re
from math import ceil
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parent.parent
CORES, HALF = 8, 0.5  # of a machine with 16, half of them busy; of a Valkey master, which has one


def measured(asked: str, part: str) -> float:
    """The middle of the processor times of a request on the cluster, in µs."""
    runs = json.loads((ROOT / "bench/cluster.json").read_text(encoding="utf-8"))["runs"]
    return median(
        float(run["microseconds"][part]) for run in runs if run["asked"] == asked and "cluster" in run["servers"]
    )


def rows(page: str) -> list[list[str]]:
    lines = (ROOT / "docs/explanation" / page).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\|.*[0-9]", line)]


@pytest.mark.parametrize("page", ["scale.md", "scale.zh.md"])
def test_the_page_of_the_scale_says_what_was_measured(page: str) -> None:
    check, show, *loads = rows(page)[:4]
    for asked, row in (("check", check), ("show", show)):
        assert row[1:] == [f"{measured(asked, part):.0f}" for part in ("web", "valkey", "postgres")]
    assert len(loads) == 2
    for _, rate, *counted in loads:
        shows = int(rate.split(" + ")[0].replace(",", ""))
        web, valkey = (shows * (measured("check", part) + measured("show", part)) / 1e6 for part in ("web", "valkey"))
        machines = [str(ceil(web / CORES)), str(max(3, ceil(valkey / HALF)))]
        assert counted == [f"{web:.1f}", f"{valkey:.1f}", *machines]
