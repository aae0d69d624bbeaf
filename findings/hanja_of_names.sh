#!/usr/bin/env bash
# hanja 0.15.1 (PyPI) and hanja 1.1.5 (npm)
#
# Names of Koreans in Chinese letters are put into Hangul: hanja.translate("李英", "substitution") is 이영.
# Guess: it is made for Korean, so the family names are right; both libraries have the same tables.
# Really:
#   金 is always 금, as in "gold", and never 김, which every fifth Korean is called; 沈 is 침, and the name is 심.
#   Where Unicode has the letter twice because Korean reads it in two ways (金 is also U+F90A), which is what old Korean
#     registers give out, that letter is left as it is in the middle of the Hangul. It looks the same in Chinese letters.
#   率 is 솔 wherever it stands, so 比率 (rate) is 비솔 for 비율.
# Why it matters: a name that was made so is not the name on the person's passport, and a comparison of the two fails for a
#   fifth of the people of Yanbian's Korean families. Ask for the name in Hangul; make none out of the other.
set -euo pipefail
export LC_ALL=C.UTF-8
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q hanja==0.15.1
npm install --silent --no-audit --no-fund --prefix "$folder" hanja@1.1.5 > "$folder/npm.log"
cd "$folder"
printf '%s\n' 李英 朴英 金英 沈英 $'\uf90a英' 比率 > names
cat > npm.js <<'JS'
const hanja = require('hanja').default;
const names = require('fs').readFileSync('names', 'utf8').trim().split('\n');
console.log('npm: ', names.map((name) => hanja.translate(name, 'SUBSTITUTION')).join(' '));
JS
{
  venv/bin/python -c 'import hanja
print("PyPI:", *(hanja.translate(name, "substitution") for name in open("names", encoding="utf-8").read().split()))'
  node npm.js
} | tee seen
diff seen - <<TEXT
PyPI: 이영 박영 금영 침영 $(printf '\uf90a')영 비솔
npm:  이영 박영 금영 침영 $(printf '\uf90a')영 비솔
TEXT
