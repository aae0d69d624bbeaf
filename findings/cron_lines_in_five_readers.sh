#!/usr/bin/env bash
# croniter 7.0.0, cronsim 2.8, celery 5.7.0, APScheduler 3.11.3 (PyPI), cron-parser 5.10.6 (npm); Node
#
# Five lines of cron, all of them valid for all five readers, and on how many days of 2027 each reader runs them at 3 o'clock.
# Guess: where day of month and day of week are both given, it is either (as in cron) or both (as celery says of itself), and
#   so for each reader; and a step or a range that holds every value, */1 or 1-31, is the same as *.
# Really: "every value" is not the same as *, and each reader has its own idea of which of them is. `0 3 1 * */1` runs on 12 days
#   with three readers and on all 365 with croniter and cron-parser; with `0 3 1-31 * 1` cronsim joins these two. For
#   cronsim a field that begins with * makes it both, so `*/2 * 1` is 27 days, and `1-31/2 * 1`, the same days, is 211.
#   No reader warns. For APScheduler, 1 is Tuesday, so also where the number of days is alike they are others.
# Why it matters: a nightly task that moves from one scheduler to another, or a monitor that reads the line with another library
#   than the scheduler, is then "missing" on most days or runs on all. Write one of the two day fields as a plain *, and
#   days of the week as names.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q croniter==7.0.0 cronsim==2.8 celery==5.7.0 APScheduler==3.11.3 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --prefix "$folder" cron-parser@5.10.6 > "$folder/npm.log"
cd "$folder"
cat > days.js <<'JS'
const { CronExpressionParser } = require('cron-parser');

const found = process.argv.slice(2).map((line) => {
  const times = CronExpressionParser.parse(line, { tz: 'UTC', currentDate: '2026-12-31T23:59:59Z' });
  const days = [];
  for (let at = times.next().toDate(); at.getUTCFullYear() === 2027; at = times.next().toDate()) {
    days.push(at.toISOString().slice(0, 10));
  }
  return days;
});
console.log(JSON.stringify(found));
JS
cat > days.py <<'PY'
import json
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from apscheduler.triggers.cron import CronTrigger
from celery.schedules import crontab
from croniter import croniter
from cronsim import CronSim

LINES = ["0 3 */2 * 1", "0 3 1-31/2 * 1", "0 3 1-31 * 1", "0 3 1 * */1", "0 3 * * 1"]
BEGIN = datetime(2026, 12, 31, 23, 59, 59)


def in_2027(times):
    return [at.date().isoformat() for at in takewhile(lambda at: at.year == 2027, times)]


def by_croniter(line):
    return in_2027(croniter(line, BEGIN).all_next(datetime))


def by_cronsim(line):
    return in_2027(CronSim(line, BEGIN))


def by_celery(line):
    minute, hour, day, month, weekday = line.split()
    schedule = crontab(minute, hour, weekday, day, month, nowfun=lambda: BEGIN.replace(tzinfo=UTC))

    def times():
        at = BEGIN.replace(tzinfo=UTC)
        while True:
            ran, wait, _ = schedule.remaining_delta(at)
            at = ran + wait
            yield at

    return in_2027(times())


def by_apscheduler(line):
    trigger = CronTrigger.from_crontab(line, timezone=UTC)

    def times():
        at = BEGIN.replace(tzinfo=UTC)
        while True:
            at = trigger.get_next_fire_time(None, at + timedelta(seconds=1))
            yield at

    return in_2027(times())


node = json.loads(subprocess.run(["node", "days.js", *LINES], capture_output=True, text=True, check=True).stdout)
for line, by_cron_parser in zip(LINES, node, strict=True):
    seen = {by.__name__[3:]: by(line) for by in (by_croniter, by_cronsim, by_celery, by_apscheduler)}
    seen["cron-parser"] = by_cron_parser
    print(line, "|", ", ".join(f"{name} {len(days)}" for name, days in seen.items()))
print("first days of the last:", ", ".join(f"{name} {days[0]}" for name, days in seen.items()))
PY
venv/bin/python days.py | tee seen
diff - seen <<'TEXT' || { echo "changed"; exit 1; }
0 3 */2 * 1 | croniter 211, cronsim 27, celery 27, apscheduler 26, cron-parser 211
0 3 1-31/2 * 1 | croniter 211, cronsim 211, celery 27, apscheduler 26, cron-parser 211
0 3 1-31 * 1 | croniter 365, cronsim 365, celery 52, apscheduler 52, cron-parser 365
0 3 1 * */1 | croniter 365, cronsim 12, celery 12, apscheduler 12, cron-parser 365
0 3 * * 1 | croniter 52, cronsim 52, celery 52, apscheduler 52, cron-parser 52
first days of the last: croniter 2027-01-04, cronsim 2027-01-04, celery 2027-01-04, apscheduler 2027-01-05, cron-parser 2027-01-04
TEXT
