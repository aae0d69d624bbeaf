#!/usr/bin/env bash
# chinesecalendar 1.11.0, holidays 0.109, workalendar 17.0.0 (PyPI); chinese-days 1.5.7, date-holidays 3.37.0 (npm); Node
#
# "Within five working days" in China, where weekends are worked in exchange for days beside a feast (调休), by a list that the
# State Council gives out late in the year before. Three times: over the Spring Festival of 2020, which was made longer, until 2
# February, because of the epidemic; and over New Year and National Day of 2027, for which they have no list.
# Guess: 2020 is history, so all agree on it; for a year without a list a library says so, or has the feasts that the law names.
# Really:
#   2020: chinesecalendar, holidays and chinese-days say 6 February. workalendar does not have the longer feast: with it people work on
#     Friday, 31 January, and on Saturday, 1 February, which had been exchanged before, and it says the 4th. date-holidays
#     ends the feast on Sunday, the 26th, as if nothing were ever exchanged, and says 30 January.
#   2027: chinesecalendar and workalendar raise (workalendar's lists end with 2023). holidays and date-holidays have the feasts
#     of the law. chinese-days has none at all, without a word: 1 January and 1 October are working days.
# Why it matters: an appeal is overdue, or somebody is told to come, on a day when nobody is there. Tests of this year prove
#   nothing, and it begins on 1 January. Take the last year of the list as a limit, and count no further.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet chinesecalendar==1.11.0 holidays==0.109 workalendar==17.0.0 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" chinese-days@1.5.7 date-holidays@3.37.0 > "$folder/npm.log"
cd "$folder"
cat > deadlines.py <<'PY'
import sys
import warnings
from datetime import date, timedelta

warnings.simplefilter("ignore")

import chinese_calendar
import holidays
from workalendar.asia import China

by_law, workalendar = holidays.CN(), China()
WORKED = {
    "chinesecalendar": chinese_calendar.is_workday,
    "holidays": by_law.is_working_day,
    "workalendar": workalendar.is_working_day,
}
for name, is_worked in WORKED.items():
    for since in map(date.fromisoformat, sys.argv[1:]):
        try:
            later = (since + timedelta(days) for days in range(1, 40))
            print(f"{name}: five working days after {since}:", [day for day in later if is_worked(day)][4])
        except Exception as error:
            print(f"{name}: five working days after {since}: {type(error).__name__}: {error}")
PY
cat > deadlines.js <<'JS'
const chineseDays = require('chinese-days');
const Holidays = require('date-holidays');

const feasts = new Holidays('CN', { types: ['public'], timezone: 'Asia/Shanghai' });
const worked = {
  'chinese-days': (day) => chineseDays.isWorkday(day),
  'date-holidays': (day) => {
    const weekday = new Date(`${day}T12:00:00Z`).getUTCDay();
    return weekday !== 0 && weekday !== 6 && !feasts.isHoliday(new Date(`${day}T12:00:00+08:00`));
  },
};
for (const [name, isWorked] of Object.entries(worked)) {
  for (const since of process.argv.slice(2)) {
    const later = Array.from({ length: 40 }, (_, days) => new Date(Date.parse(since) + (days + 1) * 864e5).toISOString().slice(0, 10));
    console.log(`${name}: five working days after ${since}:`, later.filter(isWorked)[4]);
  }
}
for (const day of ['2027-01-01', '2027-10-01']) console.log(`chinese-days: ${day}: isHoliday`, chineseDays.isHoliday(day));
JS
{
  venv/bin/python deadlines.py 2020-01-22 2026-12-30 2027-09-29
  TZ=Asia/Shanghai node deadlines.js 2020-01-22 2026-12-30 2027-09-29
} 2> noise | tee seen || { cat noise; exit 1; }
diff seen - <<'TEXT'
chinesecalendar: five working days after 2020-01-22: 2020-02-06
chinesecalendar: five working days after 2026-12-30: NotImplementedError: no available data for year 2027, only year between [2004, 2026] supported
chinesecalendar: five working days after 2027-09-29: NotImplementedError: no available data for year 2027, only year between [2004, 2026] supported
holidays: five working days after 2020-01-22: 2020-02-06
holidays: five working days after 2026-12-30: 2027-01-07
holidays: five working days after 2027-09-29: 2027-10-11
workalendar: five working days after 2020-01-22: 2020-02-04
workalendar: five working days after 2026-12-30: CalendarError: Need configure 2026 for China.
workalendar: five working days after 2027-09-29: CalendarError: Need configure 2027 for China.
chinese-days: five working days after 2020-01-22: 2020-02-06
chinese-days: five working days after 2026-12-30: 2027-01-06
chinese-days: five working days after 2027-09-29: 2027-10-06
date-holidays: five working days after 2020-01-22: 2020-01-30
date-holidays: five working days after 2026-12-30: 2027-01-07
date-holidays: five working days after 2027-09-29: 2027-10-07
chinese-days: 2027-01-01: isHoliday false
chinese-days: 2027-10-01: isHoliday false
TEXT
