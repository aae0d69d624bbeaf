"""Walk every journey and write after.json and the tables of docs/explanation/journeys.md: `make journeys`.

`--before CHECKOUT` walks an older build instead, for the column of before. It needs what the tests of the mini-program
need: Node, Chromium and fonts-noto-cjk. A program does not read: its seconds say how long the machine lets a person
wait, and taps are what a person does.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from playwright.sync_api import Error, sync_playwright

from tests.browser import chromium
from tests.browser.running import ROOT
from tools.journeys import citizens, clerks, everybody, officers, operators, stations, table
from tools.journeys.world import Build, Journey, Walk, World

_LANGUAGES = ("zh", "zh", "zh", "en")
_CITIZENS = (*citizens.JOURNEYS, *everybody.JOURNEYS)
_JOURNEYS = (*_CITIZENS, *stations.JOURNEYS, *clerks.JOURNEYS, *officers.JOURNEYS)
ALL: Final[Sequence[table.Named]] = (*_JOURNEYS, operators.FIRST_CODE, *operators.ERRANDS)


class Walker:
    """Walks the journeys of one build, and keeps what was counted."""

    def __init__(self, world: World, pictures: Path | None) -> None:
        self.world, self.pictures = world, pictures

    def walk(self, journey: Journey) -> dict[str, Any]:
        """Walk one journey in Chinese three times and in English once; where it cannot be finished, say at what."""
        rounds = []
        for number, language in enumerate(_LANGUAGES):
            try:
                rounds.append(self._walk_once(journey, language, number))
            except (Error, AssertionError) as error:
                return {"stuck": _first_line(error), "language": language}
        counts = {name: rounds[0][name] for name in ("taps", "fields", "swipes", "calls")}
        seconds = round(median(one["seconds"] for one in rounds[:3]), 1)
        english = {name: rounds[3][name] for name in counts if rounds[3][name] != counts[name]}
        return {**counts, "seconds": seconds, **({"english": english} if english else {})}

    def _walk_once(self, journey: Journey, language: str, number: int) -> dict[str, Any]:
        walk = Walk(self.world, language, number)
        try:
            journey.walk(walk)
            hand = walk.hand
            assert hand
            calls = len(walk.device.calls) if walk.device and journey.slug == "code" else 0
            return {
                "taps": hand.taps, "fields": hand.fields, "swipes": hand.swipes, "calls": calls,
                "seconds": hand.seconds,
            }  # fmt: skip
        finally:
            self._picture(walk, f"{journey.slug}-{language}")
            walk.end()

    def start_afresh(self) -> dict[str, Any]:
        """Go from a fresh clone to the first code, once: it installs everything."""
        try:
            hand, seconds = operators.first_code(self.world)
        except (Error, AssertionError, subprocess.SubprocessError) as error:
            return {"stuck": _first_line(error)}
        return {"commands": 1, "taps": hand.taps, "seconds": round(seconds, 1)}

    def _picture(self, walk: Walk, name: str) -> None:
        if self.pictures and walk.hand:
            walk.hand.page.screenshot(path=self.pictures / f"{name}.png", animations="disabled")

    def run(self, errand: operators.Errand) -> dict[str, Any]:
        seconds = []
        for _ in range(3):
            began = time.monotonic()
            try:
                terminal = operators.run(self.world.build, errand)
            except (operators.NotPossible, subprocess.SubprocessError) as error:
                return {"stuck": _first_line(error)}
            seconds.append(time.monotonic() - began)
        return {"commands": terminal.commands, "fields": terminal.answers, "seconds": round(median(seconds), 1)}


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _results(walker: Walker, chosen: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for journey in _JOURNEYS:
        if not chosen or journey.slug in chosen:
            yield journey.slug, walker.walk(journey)
    if not chosen or "first-code" in chosen:
        yield "first-code", walker.start_afresh()
    for errand in operators.ERRANDS:
        if not chosen or errand.slug in chosen:
            yield errand.slug, walker.run(errand)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make journeys", description=__doc__)
    parser.add_argument(
        "--before", type=Path, metavar="CHECKOUT", help="walk this older build, for the column of before"
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="JOURNEY", help="walk these alone")
    parser.add_argument("--pictures", type=Path, metavar="DIRECTORY", help="keep a picture of the end of each walk")
    given = parser.parse_args()
    if lacking := chromium.missing():
        raise SystemExit(lacking)
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
    checkout = (given.before or ROOT).resolve()
    with tempfile.TemporaryDirectory(prefix="jixiang-journeys-") as place:
        build = Build(checkout, Path(place) / "var")
        build.start()
        try:
            with sync_playwright() as playwright:
                walker = Walker(World(build, chromium.launch(playwright)), given.pictures)
                for slug, result in _results(walker, given.only):
                    print(slug, result, flush=True)
                    table.keep("before" if given.before else "after", checkout, slug, result)
        finally:
            build.stop()
    table.write(ALL)


if __name__ == "__main__":
    main()
