#!/usr/bin/env bash
# python-stdnum 2.2 (PyPI)
#
# The social credit code of organizations in China (统一社会信用代码, GB 32100-2015) in stdnum.cn.uscc.
# Guess: what has eighteen places of the standard's alphabet, six digits of a region, and the right check is valid.
# Really: the first two places, who registers and as what, are asked to be digits too. The standard takes letters there:
#   Y for departments that it does not list; since then N for agriculture (N2, a village's collective) and A for the army.
#   Codes of villages are "InvalidFormat", every one. Full-width digits of an input
#   method are taken, as the same code; the check of the organization code inside (GB 11714) is not asked.
# Why it matters: villages were where gates were. Check form and check character by yourself, in ten lines.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q python-stdnum==2.2
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
from stdnum.cn import uscc

PLACES = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def with_check(begin):
    return begin + PLACES[-sum(weight * PLACES.index(place) for weight, place in zip(WEIGHTS, begin)) % 31]


def judged(code):
    try:
        return uscc.validate(code)
    except Exception as error:
        return type(error).__name__


for what, code in {
    "the example of the standard": "91350100M000100Y43",
    "a village's": with_check("N2220102MF0000000"),
    "the army's": with_check("A1220102MF0000000"),
    "of others": with_check("Y1220102MF0000000"),
    "full width": "９１３５０１００M000100Y43",
}.items():
    print(f"{what}: {code} {judged(code)}")
PY
cat > "$folder/expected" <<'TEXT'
the example of the standard: 91350100M000100Y43 91350100M000100Y43
a village's: N2220102MF00000008 InvalidFormat
the army's: A1220102MF0000000P InvalidFormat
of others: Y1220102MF00000003 InvalidFormat
full width: ９１３５０１００M000100Y43 91350100M000100Y43
TEXT
cat "$folder/seen"
diff "$folder/expected" "$folder/seen" && echo "as described"
