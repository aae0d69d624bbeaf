#!/usr/bin/env bash
# smpplib 2.2.4 (with smsutil 1.1.3 to compare)
#
# smpplib.gsm.make_parts(text) cuts a message that is longer than one SMS into parts, for an SMSC of a network operator.
# Guess: no letter is cut in two, as 3GPP TS 23.040 asks of each part; and what GSM's alphabet does not have, goes as UCS-2.
# Really:
#   A name with a letter beyond U+FFFF (𠮷 of some registers) is cut after 134 bytes wherever they end:
#     half of it ends one part, half begins the next, and neither part is valid UTF-16 by itself.
#   The braces, €, and ~ are two septets, and cut as well: the second part begins with "(" in place of "{".
#   A backtick, which GSM does not have, is sent as "§", and "§", which GSM has at that place, makes the message UCS-2.
# Why it matters: phones that draw part after part show two boxes in the name, and whoever waits for the first part only gets
#   a message that decoders refuse. It needs the right length, so no test sees it. smsutil begins the next part earlier.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q smpplib==2.2.4 smsutil==1.1.3
"$folder/venv/bin/python" - <<'PY'
import smsutil
from smpplib import consts, gsm

HEADER = 6  # bytes before the text of each part: how many there are, and which one this is


def cut(text):
    parts, coding, _ = gsm.make_parts(text)
    return coding, [part[HEADER:] for part in parts]


def alone(part):
    try:
        return part.decode("utf-16-be")[-3:]
    except UnicodeDecodeError as error:
        return error.reason


text = "您" * 66 + "𠮷小明" + "您" * 10
coding, parts = cut(text)
others = [part.content for part in smsutil.split(text).parts]
print("UCS-2 parts:", [len(part) for part in parts], [alone(part) for part in parts])
print("smsutil's:  ", [len(part) for part in others], [part[-3:] for part in others])
assert coding == consts.SMPP_ENCODING_ISO10646
assert [alone(part) for part in parts] == ["unexpected end of data", "illegal encoding"], "changed"
assert "".join(others) == text and others[1].startswith("𠮷"), "changed"

coding, parts = cut("a" * 152 + "{7}" + "b" * 20)
print("GSM parts:", [len(part) for part in parts], parts[0][-2:], parts[1][:3])
assert (parts[0][-2:], parts[1][:3]) == (b"a\x1b", b"(7\x1b"), "changed"

for letter in "`§":
    (part,), coding, _ = gsm.make_parts(letter)
    print(letter, "is sent as", part, "in coding", coding)
assert gsm.make_parts("`")[0] == [b"\x5f"] and gsm.make_parts("§")[1] == consts.SMPP_ENCODING_ISO10646, "changed"
PY
