#!/usr/bin/env bash
# charset-normalizer 3.5.3, chardet 7.7.0
#
# The encoding of a CSV that the Chinese Excel saved (GB18030, no byte order mark): a heading in Chinese, and below it
#   numbers and days only, as lists without names are.
# Guess: more lines make a detector surer, and of so few Chinese characters any wrong answer is an error, not a text.
# Really: what the two answer depends on what is below the heading. With names both say GB18030; without, charset-normalizer
#   says cp949, in which the heading is a text in Korean, and chardet turns from GB18030 to big5hkscs as the list grows.
# Why it matters: the headings are not found, or an authority is kept as nonsense that decodes without an error. The next
#   list of the same office is read well, because it has a column of names. Try UTF-8, then GB18030, strictly.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q charset-normalizer==3.5.3 chardet==7.7.0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import chardet
from charset_normalizer import from_bytes

NAMES = ["王伟", "李娜", "张敏", "刘静", "陈强"]


def save(lines, names):
    rows = [(["姓名"] if names else []) + ["证件号码", "最后接触日期"]]
    for line in range(lines):
        number = f"22999919{50 + line % 50}{1 + line % 12:02d}{1 + line % 28:02d}{line * 37 % 10000:04d}"
        rows.append(([NAMES[line % 5]] if names else []) + [number, "2020-03-19"])
    return "\r\n".join(map(",".join, rows)).encode("gb18030")


seen = {}
for names in (True, False):
    for lines in (10, 50, 500):
        content = save(lines, names)
        best = from_bytes(content).best()
        seen[names, lines] = best.encoding, chardet.detect(content)["encoding"].lower()
        print(f"{lines} lines, names {names}: charset-normalizer {seen[names, lines][0]} "
              f"({content.decode(best.encoding).split(',')[0]}), chardet {seen[names, lines][1]}")
assert {seen[True, lines] for lines in (10, 50, 500)} == {("gb18030", "gb18030")}, "changed"
assert {seen[False, lines][0] for lines in (10, 50, 500)} == {"cp949"}, "changed"
assert [seen[False, lines][1] for lines in (10, 50, 500)] == ["gb18030", "gb18030", "big5hkscs"], "changed"
PY
