#!/usr/bin/env bash
# Werkzeug 3.1.9: of a header `zh-CN,en;q=0.5`, best_match among `zh` and `en` is en.
#
# Guess: LanguageAccept.best_match follows the qualities, and takes zh for zh-CN, as its fallback to the primary tag promises.
# Really: it first looks for a match of whole tags among all that the header accepts, whatever their quality, and shortens
# tags only when there is none. `zh-CN` alone is zh; with `en;q=0.5` or `en;q=0.001` beside it, it is en. A header with the
# short tag too, such as Chrome's `zh-CN,zh;q=0.9,en;q=0.8`, hides it.
# Why it matters: clients that name one region and a second language, as many apps do, read the language that they
# like less, and nothing fails. Compare the primary tags yourself, in the order of the header, or offer zh-CN, zh-TW, ….
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place"
"$place/bin/pip" install --quiet werkzeug==3.1.9
"$place/bin/python" - <<'PY'
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

headers = ("zh-CN", "zh-CN,en;q=0.5", "zh-CN,en;q=0.001", "zh-CN,zh;q=0.9,en;q=0.8", "ko-KR,zh-CN;q=0.9,en;q=0.1")
seen = {header: parse_accept_header(header, LanguageAccept).best_match(["zh", "ko", "en"]) for header in headers}
for header, language in seen.items():
    print(f"{header:30} {language}")
assert list(seen.values()) == ["zh", "en", "en", "zh", "en"]
PY
