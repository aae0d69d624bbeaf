#!/usr/bin/env bash
# webencodings 0.6.1 (PyPI); iconv-lite 0.7.3, whatwg-encoding 3.1.1, text-encoding 0.7.0, @exodus/bytes 1.16.0 (npm)
#
# Names with rare characters, in the GBK and GB18030 in which Chinese spreadsheets are saved: 䶮 (FE 9F) and 龴 (FE 59).
# Guess: of libraries that implement one standard, WHATWG Encoding, all read the same bytes as the same text; and what is
#   labelled GBK is read by the decoder of GB18030, as the standard says.
# Really: 䶮 under "gbk" is U+4DAE in three, and two U+FFFD in webencodings, which takes Python's stricter gbk instead.
#   FE 59 is U+9FB4 in @exodus/bytes, which follows GB 18030-2022; U+E81E, of the private area, in the three older ones
#   whatever the label, and in webencodings as gb18030; as gbk it is U+FFFD and a letter Y, which joins the name.
#   No normalization makes one of the other: to NFKC both are characters of their own, and U+E81E is no letter.
# Why it matters: a name from a sheet is asked letter by letter. Fold U+E815 to U+E864 by a table of your own, and read as
#   gb18030 what says gbk. The people whom it concerns are those whom every other system has refused already.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q webencodings==0.6.1
npm install --silent --no-audit --no-fund --prefix "$folder" \
  iconv-lite@0.7.3 whatwg-encoding@3.1.1 text-encoding@0.7.0 @exodus/bytes@1.16.0 > "$folder/npm.log"
cd "$folder"
cat > read.mjs <<'JS'
import { TextDecoder as ExodusDecoder } from '@exodus/bytes/encoding.js';
import iconv from 'iconv-lite';
import textEncoding from 'text-encoding';
import whatwg from 'whatwg-encoding';

const READERS = {
  'iconv-lite': (bytes, label) => iconv.decode(bytes, label),
  'whatwg-encoding': (bytes, label) => whatwg.decode(bytes, whatwg.labelToName(label)),
  'text-encoding': (bytes, label) => new textEncoding.TextDecoder(label).decode(bytes),
  '@exodus/bytes': (bytes, label) => new ExodusDecoder(label).decode(bytes),
};
for (const [name, read] of Object.entries(READERS)) {
  const seen = ['FE9F', 'FE59'].flatMap((hex) => ['gbk', 'gb18030'].map((label) => read(Buffer.from(hex, 'hex'), label)));
  console.log(name, ...seen.map((text) => [...text].map((c) => c.codePointAt(0).toString(16)).join('+')));
}
JS
node read.mjs > seen
venv/bin/python - >> seen <<'PY'
from webencodings import decode

texts = [decode(bytes.fromhex(code), label)[0] for code in ("FE9F", "FE59") for label in ("gbk", "gb18030")]
print("webencodings", *("+".join(f"{ord(char):x}" for char in text) for text in texts))
PY
cat > expected <<'TEXT'
iconv-lite 4dae 4dae e81e e81e
whatwg-encoding 4dae 4dae e81e e81e
text-encoding 4dae 4dae e81e e81e
@exodus/bytes 4dae 4dae 9fb4 9fb4
webencodings fffd+fffd 4dae fffd+59 e81e
TEXT
echo "library: FE 9F as gbk, as gb18030; FE 59 as gbk, as gb18030"
cat seen
diff expected seen
