#!/usr/bin/env bash
# joserfc 1.8.0, PyJWT 2.15.1 (PyPI, with cryptography 50.0.2); jose 6.2.18 (npm); Node, Python
#
# A list of issuers, or a pass, is signed with Ed25519 as a JWS. Since RFC 9864 (October 2025) the signature has two names
# in `alg`: `EdDSA`, which is deprecated, and `Ed25519`. The bytes are the same.
# Guess: libraries take both for a while, so that either name is read everywhere.
# Really: there is no name that all three read as they come. joserfc reads neither unless it is asked for by that very name;
#   PyJWT does not know `Ed25519` at all; and jose reads both, but not one under a JWK that has the other in its
#   optional `alg`.
# Why it matters: a signer who "updates the name" shuts readers out, and one who does not is refused by others; a key set
#   whose `alg` was renewed before its signatures makes all of them invalid. Write one name in keys and signatures, change
#   both on one day, and have readers allow both, by name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet joserfc==1.8.0 PyJWT==2.15.1 cryptography==50.0.2 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --prefix "$folder" jose@6.2.18 > "$folder/npm.log"
cd "$folder"
cat > make.mjs <<'JS'
import { writeFileSync } from 'fs';
import { exportJWK, FlattenedSign, flattenedVerify, generateKeyPair } from 'jose';

const { publicKey, privateKey } = await generateKeyPair('Ed25519');
const { alg: _, ...plain } = await exportJWK(publicKey);
const made = { key: plain };
for (const alg of ['EdDSA', 'Ed25519']) {
  made[alg] = await new FlattenedSign(new TextEncoder().encode('list')).setProtectedHeader({ alg }).sign(privateKey);
}
writeFileSync('made.json', JSON.stringify(made));
for (const of of ['', 'EdDSA', 'Ed25519']) {
  for (const alg of ['EdDSA', 'Ed25519']) {
    const answer = await flattenedVerify(made[alg], of ? { ...plain, alg: of } : { ...plain }).then(() => 'read', () => 'refused');
    console.log(`jose: signature ${alg}, JWK ${of || 'without alg'}: ${answer}`);
  }
}
JS
cat > read.py <<'PY'
import json
import warnings

import jwt
from joserfc import jwk, jws

warnings.simplefilter("ignore")
made = json.load(open("made.json"))


def said(act):
    try:
        act()
    except Exception as error:
        return f"refused ({type(error).__name__})"
    return "read"


key = jwk.OKPKey.import_key(made["key"])
for alg in ("EdDSA", "Ed25519"):
    for allowed in (None, ["EdDSA"], ["Ed25519"], ["EdDSA", "Ed25519"]):
        answer = said(lambda: jws.deserialize_json(made[alg], key, algorithms=allowed))
        print(f"joserfc: signature {alg}, allowed {allowed and '+'.join(allowed) or 'as it comes'}: {answer}")
for alg in ("EdDSA", "Ed25519"):
    compact = ".".join(made[alg][part] for part in ("protected", "payload", "signature"))
    public = jwt.algorithms.OKPAlgorithm.from_jwk(made["key"])
    answer = said(lambda: jwt.api_jws.PyJWS().decode(compact, public, algorithms=["EdDSA", "Ed25519"]))
    print(f"PyJWT: signature {alg}, allowed both: {answer}")
PY
{ node make.mjs; venv/bin/python read.py; } | tee seen
diff seen - <<'TEXT'
jose: signature EdDSA, JWK without alg: read
jose: signature Ed25519, JWK without alg: read
jose: signature EdDSA, JWK EdDSA: read
jose: signature Ed25519, JWK EdDSA: refused
jose: signature EdDSA, JWK Ed25519: refused
jose: signature Ed25519, JWK Ed25519: read
joserfc: signature EdDSA, allowed as it comes: refused (UnsupportedAlgorithmError)
joserfc: signature EdDSA, allowed EdDSA: read
joserfc: signature EdDSA, allowed Ed25519: refused (UnsupportedAlgorithmError)
joserfc: signature EdDSA, allowed EdDSA+Ed25519: read
joserfc: signature Ed25519, allowed as it comes: refused (UnsupportedAlgorithmError)
joserfc: signature Ed25519, allowed EdDSA: refused (UnsupportedAlgorithmError)
joserfc: signature Ed25519, allowed Ed25519: read
joserfc: signature Ed25519, allowed EdDSA+Ed25519: read
PyJWT: signature EdDSA, allowed both: read
PyJWT: signature Ed25519, allowed both: refused (InvalidAlgorithmError)
TEXT
