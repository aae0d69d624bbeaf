#!/usr/bin/env bash
# Babel 2.19.0 (PyPI)
#
# A time of contact or of a measurement is written by Babel for the language of the page, as 오후 8:00 or 下午8:00, and read by Babel:
# parse_time(text, locale=…).
# Guess: what format_time has written, parse_time of the same locale reads as the same time, as it does in English; or it raises
#   where it does not know the word for the half of the day.
# Really: 8:00 PM is 20:00 in English, and 오후 8:00 is eight in the morning in Korean, without an error; so are 下午8:00 and 晚上8:00
#   in Chinese. parse_time looks for the letters "PM", in every language, and leaves all other words out. Of the 24
#   hours of a day as Babel writes them in Korean, eleven in the afternoon come back as others, and midnight as noon.
#   With dates it is right in both.
# Why it matters: a contact of the evening becomes one of the morning, before the case was there, or a test is twelve hours older
#   than it is; and tests in English, or with times of the morning, pass. Let times be entered as 20:00, and read no others.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet Babel==2.19.0 2> "$folder/pip.log"
cat > "$folder/read.py" <<'PY'
from datetime import time

from babel.dates import format_time, parse_date, parse_time

FORMS = {"en_US": "short", "ko_KR": "short", "zh_CN": "ah:mm", "zh_TW": "short"}
for locale, form in FORMS.items():
    hours = {hour: format_time(time(hour), form, locale=locale) for hour in range(24)}
    wrong = [hour for hour, text in hours.items() if parse_time(text, locale=locale) != time(hour)]
    said = ", ".join(f"{hours[hour]} is {parse_time(hours[hour], locale=locale):%H:%M}" for hour in (0, 9, 12, 20))
    print(f"{locale}: {said}; {len(wrong)} hours of 24 are others".replace("\u202f", " "))
print("zh_CN:", f"晚上8:00 is {parse_time('晚上8:00', locale='zh_CN'):%H:%M}, 15:20 is {parse_time('15:20', locale='zh_CN'):%H:%M}")
print("dates:", parse_date("2020年3月9日", locale="zh_CN"), parse_date("2020년 3월 9일", locale="ko_KR"))
PY
"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/seen"
diff "$folder/seen" - <<'TEXT'
en_US: 12:00 AM is 00:00, 9:00 AM is 09:00, 12:00 PM is 12:00, 8:00 PM is 20:00; 0 hours of 24 are others
ko_KR: 오전 12:00 is 12:00, 오전 9:00 is 09:00, 오후 12:00 is 12:00, 오후 8:00 is 08:00; 12 hours of 24 are others
zh_CN: 上午12:00 is 12:00, 上午9:00 is 09:00, 下午12:00 is 12:00, 下午8:00 is 08:00; 12 hours of 24 are others
zh_TW: 午夜12:00 is 12:00, 上午9:00 is 09:00, 中午12:00 is 12:00, 晚上8:00 is 08:00; 12 hours of 24 are others
zh_CN: 晚上8:00 is 08:00, 15:20 is 15:20
dates: 2020-03-09 2020-03-09
TEXT
