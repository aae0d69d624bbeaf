#!/usr/bin/env bash
# procrastinate 3.10.0, with its own in-memory connector: no database is needed
#
# A worker does more than run jobs: beside them it sends a heartbeat, listens for new jobs, and defers the periodic
# tasks. When one of these fails, because the database has gone away say, the worker stops with an error in the log,
# so that whoever supervises it starts it again. Here the heartbeat fails in two workers that differ in one thing: the
# app of the first has a periodic task, once a year; that of the second has none.
# Guess: both stop. Whether anything is repeated by the clock has nothing to do with heartbeats.
# Really: the first stops; the second goes on, without heartbeat and without a word in the log. What a worker does
#   beside its jobs is watched until the first of these ends, whatever its end; and without periodic tasks the one that
#   defers them ends at once, and well. From then on nobody watches the others.
# Why it matters: a process with a worker for each queue defers all periodic tasks once for each of them, so it is
#   tidy to give the periodic tasks to one and none to the others. Those send no heartbeat any more after the first
#   trouble, while they go on: after 30 seconds any other worker takes them for dead, and runs their jobs a second time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q procrastinate==3.10.0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import asyncio
import logging

from procrastinate import App, exceptions
from procrastinate.testing import InMemoryConnector
from procrastinate.worker import Worker

errors = []


class Errors(logging.Handler):
    def emit(self, record):
        errors.append(record.getMessage())


logger = logging.getLogger("procrastinate")
logger.addHandler(Errors(logging.ERROR))
logger.propagate = False


class Away(InMemoryConnector):
    """A database that knows the worker, and from then on takes no heartbeat."""

    async def update_heartbeat_run(self, worker_id):
        raise exceptions.ConnectorException("the database is away")


async def observe(has_periodic_task):
    errors.clear()
    app = App(connector=Away())
    if has_periodic_task:

        @app.periodic(cron="0 0 1 1 *")
        @app.task(name="once a year")
        def once_a_year(timestamp):
            pass

    async with app.open_async():
        worker = Worker(app, update_heartbeat_interval=0.2, install_signal_handlers=False, listen_notify=False)
        running = asyncio.create_task(worker.run())
        stopped, _ = await asyncio.wait([running], timeout=10 if has_periodic_task else 3)
        seen = ("stopped" if stopped else "goes on", errors[:1])
        worker.stop()
        await running
    return seen


seen = {name: asyncio.run(observe(has)) for name, has in (("one periodic task", True), ("none", False))}
for case, (end, said) in seen.items():
    print(f"{case:18} {end:8} {said}")
assert seen == {
    "one periodic task": (
        "stopped",
        ["Side task update_heartbeats failed with exception: the database is away, stopping worker"],
    ),
    "none": ("goes on", []),
}, "changed"
PY
