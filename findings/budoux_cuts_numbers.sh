#!/usr/bin/env bash
# budoux 0.10.1 (PyPI) and 0.9.2 (npm); Node
#
# Chinese has no spaces, so a line may end in the middle of a word. BudouX, of Google, finds the phrases, and makes HTML in which
# a browser ends lines between them alone. Texts of a health code, in its models for Chinese.
# Guess: at the worst it ends a phrase where a reader would not. A number or an English word is one phrase: any browser keeps
#   those together without BudouX, and it is there to allow fewer ends of lines.
# Really: the models for Chinese cut them: 12345 is 1 and 2345, 14天 is 1 and 4天, 36.5 is 36 and .5, a phone is four pieces
#   or five, and "English" is "Engl" and "ish" in the simplified one. The model for Japanese keeps most of them, and cuts 2020.
#   The HTML has U+200B at each cut, so also within the number of a hotline.
# Why it matters: "quarantine for 1" at the end of a line and "4 days" on the next; and a number that is copied out of the page has
#   a letter in it that nobody sees, so that it is not found, not equal and not dialed. Leave Chinese to the browser,
#   or join what was cut between two digits or Latin letters.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet budoux==0.10.1 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" budoux@0.9.2 > "$folder/npm.log"
cd "$folder"
printf '%s\n' 如有疑问，请拨打12345热线。 需隔离14天，到2020年3月19日。 体温36.5℃。 电话0431-88881234。 'English words stay whole.' > texts
cat > cut.py <<'PY'
import budoux

LOADERS = {
    "simplified": budoux.load_default_simplified_chinese_parser,
    "traditional": budoux.load_default_traditional_chinese_parser,
    "Japanese": budoux.load_default_japanese_parser,
}
for name, load in LOADERS.items():
    parser = load()
    for text in open("texts", encoding="utf-8").read().splitlines():
        print(f"PyPI, {name}:", "/".join(parser.parse(text)))
print("PyPI:", ascii(LOADERS["simplified"]().translate_html_string("请拨打12345热线")))
PY
cat > cut.js <<'JS'
const { readFileSync } = require('fs');
const { loadDefaultSimplifiedChineseParser } = require('budoux');

const parser = loadDefaultSimplifiedChineseParser();
for (const text of readFileSync('texts', 'utf8').trim().split('\n')) {
  console.log('npm, simplified:', parser.parse(text).join('/'));
}
JS
{ venv/bin/python cut.py; node cut.js; } | tee seen
diff seen - <<'TEXT'
PyPI, simplified: 如/有/疑问，/请拨/打1/2345/热线。
PyPI, simplified: 需隔/离1/4天，/到/2020年/3月/19日。
PyPI, simplified: 体/温36/.5℃。
PyPI, simplified: 电话/04/31-888/812/34。
PyPI, simplified: Engl/ish words stay whole.
PyPI, traditional: 如/有/疑问，/请拨/打1/2345/热线。
PyPI, traditional: 需隔离1/4天，/到/20/20/年/3月/1/9日。
PyPI, traditional: 体温36./5℃。
PyPI, traditional: 电话04/31/-/888812/34。
PyPI, traditional: English words stay whole.
PyPI, Japanese: 如/有疑问，/请拨打12345热线。
PyPI, Japanese: 需隔离14天，/到202/0年3月19日。
PyPI, Japanese: 体/温36.5℃。
PyPI, Japanese: 电话0431-88881234。
PyPI, Japanese: English words stay whole.
PyPI: '<span style="word-break: keep-all; overflow-wrap: anywhere;">\u8bf7\u200b\u62e8\u200b\u62531\u200b2345\u200b\u70ed\u7ebf</span>'
npm, simplified: 如/有/疑问，/请拨/打1/2345/热线。
npm, simplified: 需隔/离1/4天，/到/2020年/3月/19日。
npm, simplified: 体/温36/.5℃。
npm, simplified: 电话/04/31-888/812/34。
npm, simplified: Engl/ish words stay whole.
TEXT
