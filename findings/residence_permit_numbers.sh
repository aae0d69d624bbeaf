#!/usr/bin/env bash
# validator 13.15.35, stdnum 1.12.0 (npm); Node; python-stdnum 2.2 (PyPI)
#
# Not only citizens have a number of eighteen digits. Residents from Hong Kong, Macau and Taiwan have had permits with one since
# 2018, 81…, 82… and 83…, and foreigners with permanent residence since 2023, 9 and the two digits of the province. Form
# and check digit are those of GB 11643.
# Guess: a library takes all of them or, as one of citizens alone, none.
# Really:
#   validator's isIdentityCard(…, "zh-CN") takes Hong Kong and Macau, and refuses Taiwan. Of foreigners it takes those of Beijing
#     and Hebei (91…), since its provinces have 91 for "abroad", and refuses those of Jilin (922…) and of Shanghai (931…).
#   stdnum.cn.ric of python-stdnum refuses them all. stdnum of npm, made after the same model, takes them all.
# Why it matters: a form that was tested with a colleague from Hong Kong shuts out everybody from Taiwan, and one that a foreigner
#   in Beijing can use says "wrong number" to his neighbour in Changchun. Check form, day and check digit, and let
#   whoever issued it decide on the rest.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-stdnum==2.2 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" validator@13.15.35 stdnum@1.12.0 > "$folder/npm.log"
cd "$folder"
cat > numbers_of.py <<'PY'
import json
from pathlib import Path

from stdnum.cn import ric

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
HOLDERS = {
    "identity card, Changchun": "220102",
    "Hong Kong": "810000", "Macau": "820000", "Taiwan": "830000",
    "foreigner, Beijing": "911156", "foreigner, Hebei": "913156", "foreigner, Jilin": "922156", "foreigner, Shanghai": "931156",
}  # fmt: skip


def complete(region):
    number = f"{region}19900307001"
    return number + "10X98765432"[sum(weight * int(digit) for weight, digit in zip(WEIGHTS, number)) % 11]


numbers = {holder: complete(region) for holder, region in HOLDERS.items()}
print("python-stdnum takes:", ", ".join(holder for holder, number in numbers.items() if ric.is_valid(number)))
Path("numbers.json").write_text(json.dumps(numbers))
PY
cat > numbers_of.js <<'JS'
const { stdnum } = require('stdnum');
const validator = require('validator');

const numbers = Object.entries(JSON.parse(require('fs').readFileSync('numbers.json')));
const takes = (check) => numbers.filter(([, number]) => check(number)).map(([holder]) => holder).join(', ');
console.log('validator takes:', takes((number) => validator.isIdentityCard(number, 'zh-CN')));
console.log('stdnum of npm takes:', takes((number) => stdnum.CN.ric.validate(number).isValid));
JS
{ venv/bin/python numbers_of.py && node numbers_of.js; } | tee seen
diff seen - <<'TEXT'
python-stdnum takes: identity card, Changchun
validator takes: identity card, Changchun, Hong Kong, Macau, foreigner, Beijing, foreigner, Hebei
stdnum of npm takes: identity card, Changchun, Hong Kong, Macau, Taiwan, foreigner, Beijing, foreigner, Hebei, foreigner, Jilin, foreigner, Shanghai
TEXT
