#!/usr/bin/env bash
# phonenumbers 9.0.43 (PyPI); google-libphonenumber 3.2.47, libphonenumber-js 1.13.16 (npm); Node
#
# Koreans write their mobile as 010-9876-5432, on forms in Yanbian as well. A form, or a list of contacts, is read for China.
# Guess: it is refused. Eleven digits that begin with 0 are no mobile of the mainland.
# Really: 10 is Beijing, and numbers there have eight digits. All but one of 1,000 Korean mobiles are valid lines of Beijing
#   to every port of Google's tables: +86 10 9876 5432, and in the form of the country 010 9876 5432, so nobody sees it on a page.
#   What finds phones in texts gives the same. The other way round a line in Beijing is a valid mobile in Korea.
# Why it matters: whoever is to be called about a red code is not, and a household in Beijing is. The type, "fixed line", is the
#   only sign. Take a mobile of the mainland, or a number with + and its country, and nothing else.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet phonenumbers==9.0.43 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" google-libphonenumber@3.2.47 \
  libphonenumber-js@1.13.16 > "$folder/npm.log"
cd "$folder"
cat > phones.py <<'PY'
import random
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberMatcher

chance = random.Random(1)
mobiles = [f"010-{chance.randint(2000, 9999)}-{chance.randrange(10_000):04}" for _ in range(1000)]
Path("mobiles").write_text(" ".join(mobiles))


def valid(numbers, country):
    return [one for one in (phonenumbers.parse(number, country) for number in numbers) if phonenumbers.is_valid_number(one)]


for country, lines in (("KR", mobiles), ("CN", mobiles)):
    found = valid(lines, country)
    types = {phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(one)) for one in found}
    print(f"phonenumbers, read for {country}: {len(found)} of {len(lines)} valid:", *sorted(types))
for number in (mobiles[0], "010-65126688"):
    for country in ("CN", "KR"):
        one = phonenumbers.parse(number, country)
        forms = [phonenumbers.format_number(one, form) for form in (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL)]
        print(f"phonenumbers: {number} for {country}:", ", ".join(forms), phonenumbers.is_valid_number(one))
matched = [match for number in mobiles for match in PhoneNumberMatcher(f"연락처 {number}", "CN")]
print("phonenumbers: found in texts:", len(matched), "of", len(mobiles))
PY
cat > phones.js <<'JS'
const { PhoneNumberUtil } = require('google-libphonenumber');
const max = require('libphonenumber-js/max');

const mobiles = require('fs').readFileSync('mobiles', 'utf8').split(' ');
const google = PhoneNumberUtil.getInstance();
const libraries = {
  'google-libphonenumber': (number) => google.isValidNumber(google.parse(number, 'CN')),
  'libphonenumber-js/max': (number) => max.parsePhoneNumber(number, 'CN').isValid(),
};
for (const [name, isValid] of Object.entries(libraries)) {
  console.log(`${name}, read for CN: ${mobiles.filter(isValid).length} of ${mobiles.length} valid`);
}
JS
{ venv/bin/python phones.py; node phones.js; } 2> noise | tee seen || { cat noise; exit 1; }
diff seen - <<'TEXT'
phonenumbers, read for KR: 998 of 1000 valid: MOBILE
phonenumbers, read for CN: 999 of 1000 valid: FIXED_LINE
phonenumbers: 010-3100-9325 for CN: 010 3100 9325, +86 10 3100 9325 True
phonenumbers: 010-3100-9325 for KR: 010-3100-9325, +82 10-3100-9325 True
phonenumbers: 010-65126688 for CN: 010 6512 6688, +86 10 6512 6688 True
phonenumbers: 010-65126688 for KR: 010-6512-6688, +82 10-6512-6688 True
phonenumbers: found in texts: 999 of 1000
google-libphonenumber, read for CN: 999 of 1000 valid
libphonenumber-js/max, read for CN: 999 of 1000 valid
TEXT
