"""All figures of the design in one run: a table, bench/results.json and docs/bench.svg. Run nothing else meanwhile."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import figures, load, load_environment, mass, notices, overload, pictures, plot
from bench.figures import Figure

RESULTS = Path(__file__).with_name("results.json")
PLOT = Path(__file__).parents[1] / "docs" / "bench.svg"


@dataclass(frozen=True)
class Length:
    """The extent of the measurements: seconds a run, runs, messages, and citizens of a batch change."""

    seconds: float
    runs: int
    messages: int
    citizens: int


WHOLE, QUICK = Length(5, 3, 4000, 40_000), Length(2, 1, 800, 4000)


def measure(length: Length, picture: Path | None) -> Sequence[Figure]:
    """Run every measurement in turn."""
    with load_environment.ground() as (services, directory):
        contenders = load.contenders(services, directory)
        loaded = load.measure(contenders, length.seconds, length.runs)
        by_name = {contender.name: contender for contender in contenders}
        best = {name: load.best(curve).rate for name, curve in loaded.curves.items()}
        crowded = overload.measure(
            by_name[load.CHECKS], by_name[load.SHOWS], best[load.CHECKS], best[load.SHOWS], length.seconds
        )
    if picture is not None:
        plot.draw(picture, loaded, crowded)
    found = [*load.figures(loaded), *overload.figures(crowded)]
    found += pictures.figures(pictures.measure())
    found += mass.figures(length.citizens)
    found += notices.figures(length.messages)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, to see that all works; writes no file")
    quick = parser.parse_args().quick
    found = measure(QUICK if quick else WHOLE, None if quick else PLOT)
    figures.show("Jixiang Code, measured", found)
    if not quick:
        figures.save(RESULTS, found)
        print(f"Written: {RESULTS.name}, {PLOT.name}")


if __name__ == "__main__":
    main()
