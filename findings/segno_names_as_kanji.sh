#!/usr/bin/env bash
# segno 1.6.6, read by zxing-cpp 3.1.1 and opencv-python-headless 5.0.0.93
#
# Names of two Chinese letters in a QR code: segno.make(name, encoding="utf-8", eci=True), which says aloud what it is.
# Guess: the code has the mark for UTF-8 and its bytes, and is read as the name.
# Really: of 600 names 176 are none of it, 王芳, 李明 and 刘斌 among them. Their six UTF-8 bytes look, two by two, like three
#   Japanese letters in Shift JIS; segno looks at the bytes only, and writes them in the mode for Japanese letters, without
#   the mark. Every reader that knows this mode gives three other letters, or broken ones. OpenCV gives the name, since it
#   takes the bytes of that mode for UTF-8; so it raises UnicodeDecodeError for real ones, such as 王小明 without encoding=,
#   which zxing-cpp reads. mode="byte" gives all names back in both readers.
# Why it matters: more than a quarter of the people have another's name, or none, on the display of a gate. 张伟 passes, and
#   who prints and checks with OpenCV sees all of them right. Say mode="byte", and read each code back with the library of
#   the stations.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q segno==1.6.6 zxing-cpp==3.1.1 opencv-python-headless==5.0.0.93
"$folder/venv/bin/python" - 2> "$folder/noise" <<'PY' || { cat "$folder/noise"; exit 1; }
import cv2
import numpy as np
import segno
import zxingcpp

FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞鑫波斌"
NAMES = [family + given for family in FAMILY for given in GIVEN]


def picture(symbol):
    rows = [[0 if dark else 255 for dark in row] for row in symbol.matrix_iter(border=4)]
    return np.kron(np.array(rows, np.uint8), np.ones((4, 4), np.uint8))


def zxing(symbol):
    return zxingcpp.read_barcodes(picture(symbol), formats=zxingcpp.BarcodeFormat.QRCode)[0].text


def opencv(symbol):
    try:
        return cv2.QRCodeDetectorAruco().detectAndDecode(picture(symbol))[0]
    except UnicodeDecodeError:
        return "UnicodeDecodeError"


made = {name: segno.make(name, encoding="utf-8", eci=True, micro=False) for name in NAMES}
kanji = [name for name in NAMES if made[name].mode == "kanji"]
others = [name for name in NAMES if name not in kanji][::10]
print(len(kanji), "of", len(NAMES), "as Japanese. zxing-cpp reads", *(f"{name}: {zxing(made[name])}" for name in kanji[::20]))
assert all(zxing(made[name]) != name and opencv(made[name]) == name for name in kanji), "changed"
assert all(zxing(made[name]) == name for name in others), "changed"
in_bytes = {name: segno.make(name, encoding="utf-8", mode="byte", micro=False) for name in kanji}
assert all(zxing(symbol) == opencv(symbol) == name for name, symbol in in_bytes.items()), "changed"
real = segno.make("王小明", micro=False)
print("王小明 without encoding:", real.mode, zxing(real), opencv(real))
assert (real.mode, zxing(real), opencv(real)) == ("kanji", "王小明", "UnicodeDecodeError"), "changed"
assert zxing(made["刘斌"]) == "蛻俶膜" and made["张伟"].mode == "byte" and len(kanji) == 176, "changed"
PY
