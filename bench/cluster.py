"""The processor time of a check, a show and a change, part by part, on a cluster and a standby on this machine.

From it machines can be counted: the rate itself is that of a machine which carries everything at once, wrk included.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
from rich.console import Console
from rich.table import Table

from bench import load, load_environment
from bench.figures import machine
from bench.load_environment import Contender, result, serving, start_wrk

RESULTS = Path(__file__).with_name("cluster.json")
WEB_PROCESSES, WORKERS, CONNECTIONS = (1, 2, 4), 2, 64


class Spent(NamedTuple):
    """A run: what was asked of how many web processes, answers and refusals a second, µs of processor time for each."""

    servers: str
    asked: str
    web_processes: int
    rate: float
    refused: float
    p99_ms: float
    microseconds: dict[str, float]


def measure(seconds: float) -> Iterator[Spent]:
    """Measure each kind of request on one Valkey and on a cluster, with more and more web processes."""
    for servers, clustered in (("one Valkey", False), ("cluster, standby", True)):
        with load_environment.ground(clustered=clustered) as (services, directory), _workers():
            contenders = {one.name: one for one in load.contenders(services, directory)}
            for name, asked in ((load.CHECKS, "check"), (load.SHOWS, "show")):
                for number in WEB_PROCESSES:
                    yield _spend(servers, asked, number, contenders[name], directory, seconds)


def _spend(servers: str, asked: str, number: int, contender: Contender, directory: Path, seconds: float) -> Spent:
    with serving(contender, number) as (address, parent):
        result(start_wrk(address, contender, CONNECTIONS, 2), may_refuse=True)  # every process has its connections
        parts = {
            "web": [parent, *parent.children(recursive=True)],
            "valkey": _named("valkey-server", directory),
            "postgres": _postgres(directory),
        }
        before = {name: _processor(processes) for name, processes in parts.items()}
        run = result(start_wrk(address, contender, CONNECTIONS, seconds), may_refuse=True)
        used = {name: _processor(processes) - before[name] for name, processes in parts.items()}
    answered = (run.rate + run.refused) * seconds
    each = {name: round(1e6 * each / answered, 1) for name, each in used.items()}
    spent = Spent(servers, asked, number, round(run.rate), round(run.refused, 1), run.p99_ms, each)
    print(spent, flush=True)
    return spent


def _processor(processes: Sequence[psutil.Process]) -> float:
    """Return the processor seconds that processes have used."""
    times = [process.cpu_times() for process in processes]
    return float(sum(one.user + one.system for one in times))


def _named(name: str, directory: Path) -> list[psutil.Process]:
    """Return the processes of this name that work in a directory."""
    found = psutil.process_iter(["name", "cwd"])
    return [one for one in found if one.info["name"] == name and str(one.info["cwd"]).startswith(str(directory))]


def _postgres(directory: Path) -> list[psutil.Process]:
    """Return the servers of PostgreSQL below a directory, with their processes."""
    files = directory.rglob("postmaster.pid")
    servers = [psutil.Process(int(file.read_text().split()[0])) for file in files]
    return [each for server in servers for each in (server, *server.children(recursive=True))]


@contextmanager
def _workers() -> Iterator[None]:
    """Run the workers meanwhile, who renew the lease and roll the counts up."""
    with ExitStack() as stack:
        for _ in range(WORKERS):
            worker = subprocess.Popen([sys.executable, "-m", "app", "worker"], stderr=subprocess.DEVNULL)
            stack.callback(worker.wait, 30)
            stack.callback(worker.terminate)
        yield


def show(found: Sequence[Spent]) -> None:
    """Print the table."""
    about = machine()
    table = Table(title="Processor time", caption=f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB")
    for column in ("servers", "asked", "web processes", "a second", "p99 ms", "µs web", "µs valkey", "µs postgres"):
        table.add_column(column, justify="left" if column in ("servers", "asked") else "right")
    for one in found:
        spent = (str(one.microseconds[part]) for part in ("web", "valkey", "postgres"))
        table.add_row(one.servers, one.asked, str(one.web_processes), f"{one.rate:,.0f}", f"{one.p99_ms:.1f}", *spent)
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, to see that all works; writes no file")
    quick = parser.parse_args().quick
    found = list(measure(2 if quick else 5))
    show(found)
    if not quick:
        content = {"machine": machine(), "runs": [one._asdict() for one in found]}
        RESULTS.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"Written: {RESULTS.name}")


if __name__ == "__main__":
    main()
