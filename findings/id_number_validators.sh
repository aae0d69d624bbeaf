#!/usr/bin/env bash
# id-validator 1.0.20 (PyPI); id-validator 1.3.0, idcard 4.2.0, validid 3.0.0 (npm)
#
# Validators of the 18-digit numbers of Chinese identity cards (GB 11643-1999).
# Guess: they differ in their lists of regions at most, which are out of date in some. Check digit and day of birth are
#   checked by all of them, a number is ASCII, and its last place is x or X.
# Really: no two of the four agree on these seven, and nobody is right on all of them:
#   30 February is a day of birth to both npm's id-validator and validid.
#   A digit of another script (١) inside a number is valid to PyPI's id-validator, and so a second text for one person.
#   A small x is wrong to idcard. A line end after the number is no part of it to validid.
#   Xiong'an (133100) and the Foreign Permanent Resident ID of 2023 (91… to 99…) are wrong to PyPI's id-validator.
#   The 15-digit number of somebody born in 1880 (997 at its end says that they were over a hundred) becomes, upgraded by
#   PyPI's id-validator and idcard, the number of somebody born in 1980.
# Why it matters: "valid" decides who is asked about. Check form, day and digit by yourself, in a dozen lines and in
#   ASCII; take any region; make no number out of another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q id-validator==1.0.20
npm install --silent --no-audit --no-fund --prefix "$folder" id-validator@1.3.0 idcard@4.2.0 validid@3.0.0 > "$folder/npm.log"
cd "$folder"
cat > numbers.json <<'JSON'
{"a good one": "220102199001010017", "a small x": "22010219900101005x", "30 February": "220102199002300016",
 "a digit of another script": "2201021990010100١7", "a line end": "220102199001010017\n",
 "Xiong'an": "133100201904010016", "Permanent Resident ID": "922840199001010010"}
JSON
cat > check.js <<'JS'
const numbers = JSON.parse(require('fs').readFileSync('numbers.json'));
const validator = new (require('id-validator'))();
const idcard = require('idcard');
const validid = require('validid');
console.warn = console.error = () => {};
const CHECKS = {
  'npm id-validator': (number) => validator.isValid(number),
  idcard: (number) => idcard.verify(number),
  validid: (number) => validid.validateCnid(number).ok,
};
for (const [name, check] of Object.entries(CHECKS)) {
  console.log(`${name}:`, Object.keys(numbers).filter((kind) => check(numbers[kind]) === true).join(', '));
}
console.log('idcard, 1880:', idcard.upgrade15To18('440524800101997').card);
JS
node check.js > seen 2> noise || cat noise
venv/bin/python - >> seen <<'PY'
import json

from id_validator import validator

numbers = json.load(open("numbers.json"))
print("PyPI id-validator:", ", ".join(kind for kind, number in numbers.items() if validator.is_valid(number)))
print("PyPI id-validator, 1880:", validator.upgrade_id("440524800101997"))
PY
cat > expected <<'TEXT'
npm id-validator: a good one, a small x, 30 February, Xiong'an, Permanent Resident ID
idcard: a good one, Xiong'an
validid: a good one, a small x, 30 February, a line end, Xiong'an, Permanent Resident ID
idcard, 1880: 440524198001019974
PyPI id-validator: a good one, a small x, a digit of another script
PyPI id-validator, 1880: 440524198001019974
TEXT
cat seen
diff expected seen
