#!/usr/bin/env bash
# es-hangul 2.4.0, @toss/hangul 1.7.1, josa 3.0.1, cox-postposition 1.4.1, i18next-korean-postposition-processor 1.0.0 (npm); Node;
# tossi 0.3.1 (PyPI)
#
# Korean particles have two forms, by the last sound of the word before: 체온을, 코드를; and 으로, but 로 after a vowel or ㄹ. In the
# texts of a health code that word is a number, a unit or an abbreviation that is put in: 3 (삼) takes 을 and 으로, 8 (팔) 을 and 로,
# ℃ (도) and 12 (이) 를 and 로, QR and PCR (알) 을 and 로.
# Guess: a library reads digits as they are said, which is why one takes a library and not the code of the last letter.
# Really: none of the six is right on all of these.
#   es-hangul, and @toss/hangul before it, know Hangul alone, and es-hangul capitals: every number ends in a vowel, 3를 and 37.3로.
#   i18next's processor reads digits, and writes 8으로. It takes QR and PCR to end in a vowel, as josa does.
#   cox-postposition reads QR, and not PCR. tossi reads digits, and leaves the rest to the reader: QR을(를).
# Why it matters: 3를 is to a Korean what "a apple" is in English, in the one sentence that says until when somebody stays at
#   home; tests with 코드 and 체온 pass. Write sentences in which a noun in Hangul follows: 37.3도, 3일, QR코드.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tossi==0.3.1 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" es-hangul@2.4.0 @toss/hangul@1.7.1 josa@3.0.1 \
  cox-postposition@1.4.1 i18next-korean-postposition-processor@1.0.0 > "$folder/npm.log"
cd "$folder"
cat > josa.js <<'JS'
const cox = require('cox-postposition').default;
const { josa: ofEsHangul } = require('es-hangul');
const processor = require('i18next-korean-postposition-processor');
const { josa } = require('josa');
const toss = require('@toss/hangul');

const libraries = {
  'es-hangul': (word) => [ofEsHangul(word, '을/를'), ofEsHangul(word, '으로/로')],
  '@toss/hangul': (word) => [toss.josa(word, '을/를'), toss.josa(word, '으로/로')],
  josa: (word) => [josa(`${word}#{을}`), josa(`${word}#{으로}`)],
  'cox-postposition': (word) => [cox.put(word, '을'), cox.put(word, '으로')],
  i18next: (word) => [(processor.default ?? processor).process(`${word}[[를]]`), (processor.default ?? processor).process(`${word}[[로]]`)],
};
for (const [name, write] of Object.entries(libraries)) {
  console.log(`${name}:`, process.argv.slice(2).map((word) => write(word).join(' ')).join(', '));
}
JS
cat > josa.py <<'PY'
import sys

import tossi

print("tossi:", ", ".join(f"{tossi.postfix(word, '을')} {tossi.postfix(word, '(으)로')}" for word in sys.argv[1:]))
PY
words="코드 체온 3 37.3 8 12 ℃ QR PCR"
# shellcheck disable=SC2086
{ node josa.js $words; venv/bin/python josa.py $words; } 2> noise | tee seen || { cat noise; exit 1; }
diff seen - <<'TEXT'
es-hangul: 코드를 코드로, 체온을 체온으로, 3를 3로, 37.3를 37.3로, 8를 8로, 12를 12로, ℃를 ℃로, QR을 QR로, PCR을 PCR로
@toss/hangul: 코드를 코드로, 체온을 체온으로, 3를 3로, 37.3를 37.3로, 8를 8로, 12를 12로, ℃를 ℃로, QR를 QR로, PCR를 PCR로
josa: 코드를 코드로, 체온을 체온으로, 3을 3으로, 37.3을 37.3으로, 8을 8로, 12를 12로, ℃를 ℃로, QR를 QR로, PCR를 PCR로
cox-postposition: 코드를 코드로, 체온을 체온으로, 3을 3으로, 37.3을 37.3으로, 8을 8로, 12를 12로, ℃를 ℃로, QR을 QR로, PCR를 PCR로
i18next: 코드를 코드로, 체온을 체온으로, 3을 3으로, 37.3을 37.3으로, 8을 8으로, 12를 12로, ℃를 ℃로, QR를 QR로, PCR를 PCR로
tossi: 코드를 코드로, 체온을 체온으로, 3을 3으로, 37.3을 37.3으로, 8을 8로, 12를 12로, ℃을(를) ℃(으)로, QR을(를) QR(으)로, PCR을(를) PCR(으)로
TEXT
