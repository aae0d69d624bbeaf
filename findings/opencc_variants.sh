#!/usr/bin/env bash
# OpenCC 1.4.2 (opencc)
#
# Conversion of traditional to simplified characters, to compare names of places and institutions that people type.
# Guess: t2s makes all spellings of one name equal, character by character, and what is simplified stays as it is.
# Really, without an error:
#   t2s leaves 衞 as it is and makes 衛 to 卫: two common traditional forms of "health" differ afterwards; hk2s knows both.
#   The simplified form is not always the last: 薴 becomes 苧, and 苧 becomes 苎.
#   Forms that are neither, such as 髙 (for 高) and 戸 (for 户), stay in every configuration.
# Why it matters: whoever adds up people by place or authority, to see that too many have one, adds up two sums instead of
#   one when somebody types the name in two ways. Converting each character by itself, twice, with hk2s helps with all but
#   the last.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opencc==1.4.2
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from opencc import OpenCC

CASES = ("示例衛生局", "示例衞生局", "薴", "苧", "髙", "戸")
seen = {name: [OpenCC(name).convert(case) for case in CASES] for name in ("t2s", "hk2s")}
for name, converted in seen.items():
    print(name, *(f"{case}→{result}" for case, result in zip(CASES, converted)))
assert seen == {
    "t2s": ["示例卫生局", "示例衞生局", "苧", "苎", "髙", "戸"],
    "hk2s": ["示例卫生局", "示例卫生局", "苧", "苎", "髙", "戸"],
}, "changed"
PY
