#!/usr/bin/env bash
# dateparser 1.5.0 (PyPI)
#
# Days of contact as people write them into a list or a message, read as Chinese or Korean (languages=["zh"]), on 20 March 2020.
# Guess: a language has one order of day and month, so 3/9/2020, 03/09/2020 and 12/5/2020 are read alike; with the year left
#   out, or a dot for the slash, nothing changes; and a number that is no day is no day.
# Really, in Chinese and Korean, where the year comes first:
#   Whether the first number has two digits decides. 3/9/2020 is 9 March and 03/09/2020 is 3 September; 12/5/2020 is
#     12 May. 3/19 is 19 March of this year, and 12/5 is 20 May 2012, for the 20th is today. In English all of these are
#     month and day.
#   3.9 is 9 March, and 3.19, in English too, is today at 3:19.
#   Of a message, search_dates gives the temperature 36.5 as a day of May 2036, and nothing for 3月19日.
# Why it matters: a spreadsheet pads with zeros or not, as the format of its cells says, so a list that was saved anew has other
#   days of contact. STRICT_PARSING refuses those without a year, and DATE_ORDER settles the others, except for the dot. Take
#   one form, with the year in front, and refuse the rest.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dateparser==1.5.0 2> "$folder/pip.log"
cat > "$folder/read.py" <<'PY'
import warnings
from datetime import datetime

import dateparser
from dateparser.search import search_dates

warnings.simplefilter("ignore")
TODAY = {"RELATIVE_BASE": datetime(2020, 3, 20, 10)}


def read(text, language, **settings):
    seen = dateparser.parse(text, languages=[language], settings=TODAY | settings)
    if seen is None:
        return "nothing"
    return f"{seen:%Y-%m-%d}" if seen.hour in (0, 10) else f"{seen:%Y-%m-%d %H:%M}"


for text in ("2020年3月9日", "2020/3/9", "3/9/2020", "03/09/2020", "12/5/2020", "3/19", "12/5", "3.9", "3.19", "03.09"):
    seen = [read(text, language) for language in ("zh", "ko", "en")]
    strict, ordered = read(text, "zh", STRICT_PARSING=True), read(text, "zh", DATE_ORDER="MDY")
    print(text, *seen, f"strict: {strict}", f"MDY: {ordered}", sep=" | ")
print(*(f"{words} = {day:%Y-%m}" for words, day in search_dates("3月19日在长春，体温36.5", languages=["zh"], settings=TODAY)))
PY
"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/seen"
diff "$folder/seen" - <<'TEXT'
2020年3月9日 | 2020-03-09 | nothing | nothing | strict: 2020-03-09 | MDY: 2020-03-09
2020/3/9 | 2020-03-09 | 2020-03-09 | 2020-03-09 | strict: 2020-03-09 | MDY: 2020-03-09
3/9/2020 | 2020-03-09 | 2020-03-09 | 2020-03-09 | strict: 2020-03-09 | MDY: 2020-03-09
03/09/2020 | 2020-09-03 | 2020-09-03 | 2020-03-09 | strict: 2020-09-03 | MDY: 2020-03-09
12/5/2020 | 2020-05-12 | 2020-05-12 | 2020-12-05 | strict: 2020-05-12 | MDY: 2020-12-05
3/19 | 2020-03-19 | 2020-03-19 | 2020-03-19 | strict: nothing | MDY: 2020-03-19
12/5 | 2012-05-20 | 2012-05-20 | 2020-12-05 | strict: nothing | MDY: 2020-12-05
3.9 | 2020-03-09 | 2020-03-09 | 2020-03-09 | strict: nothing | MDY: 2020-03-09
3.19 | 2020-03-20 03:19 | 2020-03-20 03:19 | 2020-03-20 03:19 | strict: nothing | MDY: 2020-03-20 03:19
03.09 | 2020-03-20 03:09 | 2020-03-20 03:09 | 2020-03-20 03:09 | strict: nothing | MDY: 2020-03-20 03:09
36.5 = 2036-05
TEXT
