#!/usr/bin/env bash
# @digitalbazaar/base45 1.0.0, base45 3.0.0, base45-js 1.0.2 and base45-ts 1.0.3 (npm); Node
#
# Base45 is how health certificates go into a QR code. The bytes are a part of a larger array: without the first two bytes,
# which are the header of what a deflate or a CBOR library has made.
# Guess: `bytes.subarray(2)` is a Uint8Array as good as any, and `bytes.slice(2)` the same bytes: the texts are equal.
# Really: @digitalbazaar/base45 encodes as many bytes from the beginning of the larger array, so what should have been left
#   out is in, and as much is missing at the end. It raises nothing, and decodes to the right length. The other three
#   encode the part.
# Why it matters: the test with a whole Uint8Array passes, and the code in the QR is a good Base45 of something else: it
#   fails at the signature, in the hands of everybody who scans it. Hand over a copy (slice).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @digitalbazaar/base45@1.0.0 base45@3.0.0 base45-js@1.0.2 base45-ts@1.0.3 \
  > "$folder/npm.log"
cd "$folder"
cat > encode.mjs <<'JS'
import { createRequire } from 'module';
import * as digitalbazaar from '@digitalbazaar/base45';
import * as ts from 'base45-ts';

const require = createRequire(import.meta.url);
const LIBRARIES = { '@digitalbazaar/base45': digitalbazaar, base45: require('base45'), 'base45-js': require('base45-js'), 'base45-ts': ts };
const bytes = Uint8Array.from([0x78, 0xda, 1, 2, 3, 4]);
for (const [name, { encode, decode }] of Object.entries(LIBRARIES)) {
  const [copy, view] = [encode(bytes.slice(2)), encode(bytes.subarray(2))];
  console.log(`${name}: slice ${copy} subarray ${view}, which is`, Array.from(decode(view)).join(' '));
}
JS
node encode.mjs | tee seen
diff seen - <<'TEXT'
@digitalbazaar/base45: slice X507H0 subarray NCFX50, which is 120 218 1 2
base45: slice X507H0 subarray X507H0, which is 1 2 3 4
base45-js: slice X507H0 subarray X507H0, which is 1 2 3 4
base45-ts: slice X507H0 subarray X507H0, which is 1 2 3 4
TEXT
