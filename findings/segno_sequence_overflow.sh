#!/usr/bin/env bash
# segno 1.6.6, read by zxing-cpp 3.1.1
#
# A long certificate is divided over several QR codes (structured append) of a chosen version and level:
# segno.make_sequence(text, version=5, error="q", boost_error=False).
# Guess: segno puts as many characters into each code as there is room for, and takes one code more if they are too many.
# Really: it counts the room without the 20 bits by which each code says which part of how many it is. Where the parts nearly
#   fill their codes, it writes more bits than there is room for, in silence, and every one of the codes is unreadable
#   ("Truncated bit stream"). Of the lengths from 400 to 430 characters it is 10 in one run, 421 to 430; for two codes of the
#   same kind it is 169 and 170, and the more codes, the more lengths. With symbol_count=6 and no version all are good.
# Why it matters: certificates differ in length by a few characters. Nearly all are good, and those of some people can never
#   be read, on paper. Read each code back before it is printed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q segno==1.6.6 zxing-cpp==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import segno
import zxingcpp


def read(symbol):
    rows = [[0 if dark else 255 for dark in row] for row in symbol.matrix_iter(border=4)]
    picture = np.kron(np.array(rows, np.uint8), np.ones((6, 6), np.uint8))
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode, is_pure=True, return_errors=True)
    return found[0].text if found[0].valid else found[0].error


def parts(length, **wanted):
    text = "".join(f"{number:03}-" for number in range(length // 4 + 1))[:length]
    symbols = segno.make_sequence(text, boost_error=False, **wanted)
    seen = [read(symbol) for symbol in symbols]
    good = all(isinstance(one, str) for one in seen) and "".join(seen) == text
    return len(symbols), good, [str(one) for one in seen if not isinstance(one, str)]


lengths = [*range(165, 173), *range(400, 431)]
by_version = {length: parts(length, version=5, error="q") for length in lengths}
by_count = {length: parts(length, symbol_count=6, error="q") for length in (421, 430)}
unreadable = [length for length, (_, good, _) in by_version.items() if not good]
print("by version, unreadable:", unreadable)
print("430 by version:", by_version[430])
print("430 by count:  ", by_count[430])
assert unreadable == [169, 170, *range(421, 431)], "changed"
assert by_version[430][0] == 5 == len(by_version[430][2]) and "Truncated bit stream" in by_version[430][2][0], "changed"
assert all(good for _, good, _ in by_count.values()), "changed"
PY
