#!/usr/bin/env bash
# node-thermal-printer 4.6.1, esc-pos-encoder 3.0.0, @point-of-sale/receipt-printer-encoder 4.0.1, escpos-buffer 4.1.0,
# receiptline 4.0.4 (npm); Node; python-escpos 3.1, zxing-cpp 3.1.1 (PyPI)
#
# A slip with a code and a name in it, for the receipt printer of a service window (ESC/POS). The printer itself draws the QR
# code: it is sent GS ( k, the number of bytes, and the bytes. And lines of text.
# Guess: the bytes are the text in UTF-8, as in every QR library, and counted as bytes; or a letter that is not ASCII raises.
#   A sign in a line of text is printed or not, wherever it stands.
# Really, without an error, and right for every text in ASCII, such as a token:
#   node-thermal-printer sends UTF-8 and counts letters. Of 王芳 the code gets two bytes of six; the printer
#     takes the other four for text, and prints them.
#   esc-pos-encoder and its successor put a question mark in place of each letter, so all names of two letters have one code.
#   escpos-buffer sends the lower byte of each UTF-16 unit: 8B and B3, also one code for many names.
#   python-escpos is right, and so is receiptline, which sends a picture.
#   In a line of text python-escpos looks for one of the common 20,902 Han. If there is one, all is sent as GB18030, and if
#     not, by pages such as CP437: 36.5℃ is "36.5?" and 体温 36.5℃ is whole; Hangul is whole only beside a Han.
# Why it matters: a code that was printed is not looked at again, and it scans: as something else, the same for many people.
#   Put only ASCII into a printer's QR command, or send it a picture; write a line as Han and the rest together.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-escpos==3.1 zxing-cpp==3.1.1 numpy==2.4.2 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" node-thermal-printer@4.6.1 esc-pos-encoder@3.0.0 \
  @point-of-sale/receipt-printer-encoder@4.0.1 escpos-buffer@4.1.0 receiptline@4.0.4 > "$folder/npm.log"
cd "$folder"
cat > send.js <<'JS'
const { writeFileSync } = require('fs');
const EscPosEncoder = require('esc-pos-encoder');
const { InMemory, Printer } = require('escpos-buffer');
const ReceiptPrinterEncoder = require('@point-of-sale/receipt-printer-encoder');
const { PrinterTypes, ThermalPrinter } = require('node-thermal-printer');
const receiptline = require('receiptline');

const makers = {
  'node-thermal-printer': (text) => {
    const printer = new ThermalPrinter({ type: PrinterTypes.EPSON, interface: 'sent' });
    printer.printQR(text);
    return printer.getBuffer();
  },
  'esc-pos-encoder': (text) => new EscPosEncoder().initialize().qrcode(text).encode(),
  'receipt-printer-encoder': (text) => new ReceiptPrinterEncoder({ language: 'esc-pos' }).initialize().qrcode(text).encode(),
  'escpos-buffer': async (text) => {
    const wire = new InMemory();
    await (await Printer.CONNECT('TM-T20', wire)).qrcode(text);
    return wire.buffer();
  },
  receiptline: (text) => Buffer.from(
    receiptline.transform(`{code:${text};option:qrcode,6,m}`, { cpl: 42, encoding: 'gb18030', command: 'escpos' }), 'latin1'),
};
(async () => {
  for (const [name, make] of Object.entries(makers)) {
    for (const text of process.argv.slice(2)) writeFileSync(`${name} ${text}`, Buffer.from(await make(text)));
  }
})();
JS
cat > receive.py <<'PY'
"""Read what a printer reads: the bytes that are stored for a QR code, or the picture of one."""

import sys
from pathlib import Path

import numpy
import zxingcpp
from escpos.printer import Dummy

NPM = ("node-thermal-printer", "esc-pos-encoder", "receipt-printer-encoder", "escpos-buffer", "receiptline")


def received(sent):
    if b"\x1d8L" in sent:  # GS 8 L, with a picture of lines
        picture = sent.split(b"\x1d8L", 1)[1][4:]
        width, height = int.from_bytes(picture[6:8], "little"), int.from_bytes(picture[8:10], "little")
        row = (width + 7) // 8
        dots = numpy.unpackbits(numpy.frombuffer(picture[10 : 10 + row * height], numpy.uint8)).reshape(height, row * 8)
        drawn = numpy.pad((1 - dots[:, :width]) * 255, 24, constant_values=255).astype(numpy.uint8)
        return f"{zxingcpp.read_barcodes(drawn, formats=zxingcpp.BarcodeFormat.QRCode)[0].text} as a picture"
    start = sent.index(b"1P0")
    size = int.from_bytes(sent[start - 2 : start], "little")
    stored, rest = sent[start + 3 : start + size], sent[start + size :]
    left = rest[: rest.index(b"\x1d(k")]
    return stored.decode(errors="backslashreplace") + (f" and {len(left)} bytes as text" if left else "")


for text in sys.argv[1:]:
    for name in NPM:
        print(f"{name}: QR code of {text}: {received(Path(f'{name} {text}').read_bytes())}")
    printer = Dummy(profile="TM-T88V")
    printer.qr(text, native=True)
    print(f"python-escpos: QR code of {text}: {received(printer.output)}")
for line in ("36.5℃", "体温 36.5℃", "길상", "吉祥 길상", "䶮", "王䶮"):
    printer = Dummy(profile="TM-T88V")
    printer.text(line)
    print(f"python-escpos: line {line}: {printer.output.removeprefix(bytes([0x1B, ord('t'), 0])).decode('gb18030')}")
PY
node send.js JX1:ABC 王芳
venv/bin/python receive.py JX1:ABC 王芳 | tee seen
diff seen - <<'TEXT'
node-thermal-printer: QR code of JX1:ABC: JX1:ABC
esc-pos-encoder: QR code of JX1:ABC: JX1:ABC
receipt-printer-encoder: QR code of JX1:ABC: JX1:ABC
escpos-buffer: QR code of JX1:ABC: JX1:ABC
receiptline: QR code of JX1:ABC: JX1:ABC as a picture
python-escpos: QR code of JX1:ABC: JX1:ABC
node-thermal-printer: QR code of 王芳: \xe7\x8e and 4 bytes as text
esc-pos-encoder: QR code of 王芳: ??
receipt-printer-encoder: QR code of 王芳: ??
escpos-buffer: QR code of 王芳: \x8b\xb3
receiptline: QR code of 王芳: 王芳 as a picture
python-escpos: QR code of 王芳: 王芳
python-escpos: line 36.5℃: 36.5?
python-escpos: line 体温 36.5℃: 体温 36.5℃
python-escpos: line 길상: ??
python-escpos: line 吉祥 길상: 吉祥 길상
python-escpos: line 䶮: ?
python-escpos: line 王䶮: 王䶮
TEXT
