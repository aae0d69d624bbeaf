#!/usr/bin/env bash
# lunardate 0.3.0, lunarcalendar 0.0.9, borax 4.1.3, ephem 4.2.1 (PyPI); lunar-javascript 1.7.7, tyme4ts 1.5.2, solarlunar 3.1.0,
# js-calendar-converter 0.0.7, chinese-days 1.5.7, chinese-lunar 0.1.4 (npm); Node
#
# The day of the moon's calendar for each day from 1930 to 2000, by lists that are part of a program.
# Guess: these months are history and were printed, so all lists agree on everybody who was born in them.
# Really: five agree, with each other and with the new moons that ephem computes for Beijing's time. In four a whole month of
#   births is a day off:
#   July 1933: lunardate, solarlunar, chinese-days, chinese-lunar. November 1954 and September 1978: lunardate, chinese-lunar.
#   December 1956: chinese-lunar. July and September 1996: chinese-days, chinese-lunar.
#   chinese-lunar is also off in autumns of 1986 to 1991 and of the forties, from the end of summer time to the end of that
#     month of the moon, and only where the machine's time is China's. In UTC, as in most tests, these are right.
# Why it matters: the old say their birthday by the moon, and another day is another number, and so another person, who may
#   exist. Two programs that were compared for this year agree. Ask for the card; and compare a list with another one for
#   the years in which people were born, in the time of the country.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet lunardate==0.3.0 lunarcalendar==0.0.9 borax==4.1.3 ephem==4.2.1 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" lunar-javascript@1.7.7 tyme4ts@1.5.2 \
  solarlunar@3.1.0 js-calendar-converter@0.0.7 chinese-days@1.5.7 chinese-lunar@0.1.4 > "$folder/npm.log"
cd "$folder"
cat > lists.py <<'PY'
import json
from datetime import date, timedelta
from pathlib import Path

import ephem
from borax.calendars.lunardate import LunarDate as Borax
from lunarcalendar import Converter, Solar
from lunardate import LunarDate

DAYS = [date(1930, 1, 1) + timedelta(number) for number in range((date(2001, 1, 1) - date(1930, 1, 1)).days)]


def of_borax(day):
    one = Borax.from_solar(day)
    return one.year, one.month, one.day, bool(one.leap)


def of_lunardate(day):
    one = LunarDate.from_solar_date(day.year, day.month, day.day)
    return one.year, one.month, one.day, bool(one.isLeapMonth)


def of_lunarcalendar(day):
    one = Converter.Solar2Lunar(Solar(day.year, day.month, day.day))
    return one.year, one.month, one.day, bool(one.isleap)


def new_moons():
    moment = ephem.Date("1930/1/1")
    while moment < ephem.Date("2000/12/20"):
        moment = ephem.next_new_moon(moment)
        yield (moment.datetime() + timedelta(hours=8)).date()


listed = {day.isoformat(): of_borax(day) for day in DAYS}
firsts = {date.fromisoformat(day) for day, (_, _, number, _) in listed.items() if number == 1}
moons = {moon for moon in new_moons() if DAYS[0] <= moon <= DAYS[-1]}
print("borax: months that do not begin with the new moon:", len(firsts ^ moons))
for name, read in {"lunardate": of_lunardate, "lunarcalendar": of_lunarcalendar}.items():
    off = [day for day in DAYS if read(day) != listed[day.isoformat()]]
    print(f"{name}: {len(off)} days off:", *sorted({f"{day:%Y-%m}" for day in off}))
Path("listed.json").write_text(json.dumps(listed))
PY
cat > lists.js <<'JS'
const { readFileSync } = require('fs');
const chineseDays = require('chinese-days');
const chineseLunar = require('chinese-lunar');
const converter = require('js-calendar-converter');
const { Solar } = require('lunar-javascript');
const solarlunar = require('solarlunar');
const { SolarDay } = require('tyme4ts');

const two = (number) => String(number).padStart(2, '0');
const ofTable = (library) => (...day) => {
  const { lYear, lMonth, lDay, isLeap } = (library.default ?? library).solar2lunar(...day);
  return [lYear, lMonth, lDay, isLeap];
};
const lists = {
  'lunar-javascript': (...day) => {
    const one = Solar.fromYmd(...day).getLunar();
    return [one.getYear(), Math.abs(one.getMonth()), one.getDay(), one.getMonth() < 0];
  },
  tyme4ts: (...day) => {
    const one = SolarDay.fromYmd(...day).getLunarDay();
    return [one.getYear(), Math.abs(one.getMonth()), one.getDay(), one.getMonth() < 0];
  },
  solarlunar: ofTable(solarlunar),
  'js-calendar-converter': ofTable(converter),
  'chinese-days': (year, month, day) => {
    const one = chineseDays.getLunarDate(`${year}-${two(month)}-${two(day)}`);
    return [one.lunarYear, one.lunarMon, one.lunarDay, one.isLeap];
  },
  'chinese-lunar': (year, month, day) => {
    const one = chineseLunar.solarToLunar(new Date(year, month - 1, day));
    return [one.year, one.month, one.day, Boolean(one.leap)];
  },
};
const listed = Object.entries(JSON.parse(readFileSync('listed.json')));
for (const name of process.argv.slice(2)) {
  const off = listed.filter(([day, expected]) => String(lists[name](...day.split('-').map(Number))) !== String(expected));
  const months = new Set(off.map(([day]) => day.slice(0, 7)));
  console.log(`${name}, ${process.env.TZ}: ${off.length} days off:`, ...months);
}
JS
{
  venv/bin/python lists.py
  TZ=Asia/Shanghai node lists.js lunar-javascript tyme4ts solarlunar js-calendar-converter chinese-days chinese-lunar
  TZ=UTC node lists.js chinese-days chinese-lunar
} 2> noise | tee seen || { cat noise; exit 1; }
diff seen - <<'TEXT'
borax: months that do not begin with the new moon: 0
lunardate: 90 days off: 1933-07 1933-08 1954-11 1954-12 1978-09 1978-10
lunarcalendar: 0 days off:
lunar-javascript, Asia/Shanghai: 0 days off:
tyme4ts, Asia/Shanghai: 0 days off:
solarlunar, Asia/Shanghai: 30 days off: 1933-07 1933-08
js-calendar-converter, Asia/Shanghai: 0 days off:
chinese-days, Asia/Shanghai: 90 days off: 1933-07 1933-08 1996-07 1996-08 1996-09 1996-10
chinese-lunar, Asia/Shanghai: 350 days off: 1933-07 1933-08 1940-10 1941-11 1945-09 1946-10 1947-11 1948-10 1954-11 1954-12 1956-12 1978-09 1978-10 1986-09 1986-10 1987-09 1988-09 1988-10 1989-09 1990-09 1991-09 1991-10 1996-07 1996-08 1996-09 1996-10
chinese-days, UTC: 90 days off: 1933-07 1933-08 1996-07 1996-08 1996-09 1996-10
chinese-lunar, UTC: 180 days off: 1933-07 1933-08 1954-11 1954-12 1956-12 1978-09 1978-10 1996-07 1996-08 1996-09 1996-10
TEXT
