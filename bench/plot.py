"""The picture of the measurements: checks and shows at rising concurrency, and under overload."""

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "jixiang"  # the same figures give the same file

from matplotlib import pyplot as plt  # noqa: E402 - the backend is chosen before
from matplotlib.axes import Axes  # noqa: E402

from bench import load, overload  # noqa: E402
from bench.figures import machine  # noqa: E402

_COLORS = {load.CHECKS: "#0a7d3c", load.SHOWS: "#1f5fae", load.BARE: "#8a8a8a", load.RAW: "#c9c9c9"}


def draw(file: Path, measured: load.Measured, crowded: overload.Measured) -> None:
    """Write the picture as SVG."""
    figure, (rates, times, crowd) = plt.subplots(1, 3, figsize=(13, 4.2))
    for name, curve in measured.curves.items():
        numbers = list(curve)
        rates.plot(numbers, [run.rate for run in curve.values()], "o-", color=_COLORS[name], label=name)
        if name in (load.CHECKS, load.SHOWS):
            times.plot(numbers, [run.p50_ms for run in curve.values()], "o-", color=_COLORS[name], label=f"{name}, p50")
            times.plot(
                numbers, [run.p99_ms for run in curve.values()], "o--", color=_COLORS[name], label=f"{name}, p99"
            )
    for axis in (rates, times):
        axis.set_xscale("log", base=4)
        axis.set_xticks(load.CONNECTIONS, [str(number) for number in load.CONNECTIONS])
        axis.set_xlabel("connections")
    rates.set_yscale("log")
    rates.set_title("answers a second")
    times.set_title("milliseconds")
    _crowd(crowd, crowded)
    for axis in (rates, times, crowd):
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, frameon=False)
    about = machine()
    figure.suptitle(f"{about['cores']} cores with PostgreSQL, Valkey and the load beside", fontsize=10, color="#555555")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def _crowd(axis: Axes, crowded: overload.Measured) -> None:
    offered = [times * crowded.rated for times in crowded.offered]
    runs = crowded.offered.values()
    axis.plot(offered, [run.rate for run in runs], "o-", color=_COLORS[load.CHECKS], label="checks served")
    axis.plot(offered, [run.refused for run in runs], "o:", color="#b3261e", label="told to come back (503)")
    axis.axhline(crowded.rated, color="#888888", linewidth=0.8, linestyle="--", label="rated load")
    axis.set_xlabel("checks offered a second")
    axis.set_title("overload, a second")
