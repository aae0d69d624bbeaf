#!/usr/bin/env bash
# cbor2 6.3.0, against 5.9.0
#
# Bytes that a database or a buffer hands out as memoryview go into a CBOR Web Token or a COSE message.
# Guess: they are written as bytes, or refused: 5.9.0 refuses them ("cannot serialize type").
# Really: 6.3.0 takes whatever is registered as a Sequence, and writes an array of numbers, for a memoryview as for an array
#   of machine bytes: b"\x01\xff" comes out as [1, 255], in twice the length. bytes and bytearray are bytes as before.
# Why it matters: a signature, a hash, a key id of that kind is another thing to every reader, and the token is well
#   formed and well signed. An upgrade turns an error that everybody sees into it. Write bytes(value) where bytes are meant.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/see.py" <<'PY'
import array
import sys

import cbor2

BYTES = b"\x01\xff"
KINDS = {"bytes": BYTES, "bytearray": bytearray(BYTES), "memoryview": memoryview(BYTES), "array": array.array("B", BYTES)}
seen = {}
for kind, value in KINDS.items():
    try:
        seen[kind] = cbor2.loads(cbor2.dumps(value))
    except cbor2.CBOREncodeError as error:
        seen[kind] = str(error).partition("<")[0]
print(sys.argv[1], seen)
other = {"6.3.0": [1, 255], "5.9.0": "cannot serialize type "}[sys.argv[1]]
assert seen == {"bytes": BYTES, "bytearray": BYTES, "memoryview": other, "array": other}, "changed"
PY
for version in 5.9.0 6.3.0; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install -q "cbor2==$version"
  "$folder/$version/bin/python" "$folder/see.py" "$version"
done
