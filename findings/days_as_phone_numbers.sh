#!/usr/bin/env bash
# libphonenumber-js 1.13.16 (npm), phonenumbers 9.0.43 (PyPI), made of Google's libphonenumber both; Node
#
# Phone numbers are to be found in a text, to mask them before it is logged or sent: findPhoneNumbersInText(text, "CN").
# Guess: it finds phones, and never a day: Google's code, which both are made of, has a rule that a text like 2020/03/19 is none.
# Really: in the package as one imports it, every day is a phone, with hyphens, with dots and without anything: 2020-03-19 is one
#   of Guangzhou, whose code is 20, and 1990-03-19 is +86 19900319. The rule is for slashes, and for a day with a time behind
#   it. libphonenumber-js/max and phonenumbers find none of them, and do find the mobile number beside them.
# Why it matters: masking takes birthdays and days of contact out of a record, and leaves those that have a time, so that
#   it looks as if they had never been there. Import libphonenumber-js/max.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet phonenumbers==9.0.43 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" libphonenumber-js@1.13.16 > "$folder/npm.log"
cd "$folder"
printf '%s\n' 2020-03-19 2020.03.19 20200319 2020/03/19 '2020-03-19 10:00' 1990-03-19 2026-11-30 2099-12-31 \
  '2020-03-05至2020-03-19，电话13800138000' > texts
cat > find.js <<'JS'
const { readFileSync } = require('fs');
const asImported = require('libphonenumber-js');
const max = require('libphonenumber-js/max');

const found = (library, text) => library.findPhoneNumbersInText(text, 'CN').map(({ number }) => number.number).join(' ') || 'none';
for (const text of readFileSync('texts', 'utf8').trim().split('\n')) {
  console.log(`${text} | ${found(asImported, text)} | max: ${found(max, text)}`);
}
JS
cat > find.py <<'PY'
import phonenumbers

for text in open("texts", encoding="utf-8").read().splitlines():
    for match in phonenumbers.PhoneNumberMatcher(text, "CN"):
        print(f"phonenumbers: {text}: {match.raw_string}")
PY
{ node find.js; venv/bin/python find.py; } | tee seen
diff seen - <<'TEXT'
2020-03-19 | +8620200319 | max: none
2020.03.19 | +8620200319 | max: none
20200319 | +8620200319 | max: none
2020/03/19 | none | max: none
2020-03-19 10:00 | none | max: none
1990-03-19 | +8619900319 | max: none
2026-11-30 | +8620261130 | max: none
2099-12-31 | +8620991231 | max: none
2020-03-05至2020-03-19，电话13800138000 | +8620200305 +8620200319 +8613800138000 | max: +8613800138000
phonenumbers: 2020-03-05至2020-03-19，电话13800138000: 13800138000
TEXT
