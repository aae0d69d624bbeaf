#!/usr/bin/env bash
# PyJWT 2.15.1, jwcrypto 1.6.1, joserfc 1.8.0, authlib 1.9.10, jwskate 0.12.2, python-jose 3.5.0 (PyPI, with cryptography 50.0.2);
# jose 6.2.18, node-jose 2.2.0, jwks-rsa 4.1.0 (npm); Node
#
# An issuer's key set (JWKS) has two keys with one kid, "2026": an RSA key for old readers and an EC key for new ones, or one to
# sign with and one to encrypt to. RFC 7517 names such keys as the case in which a kid may be there twice (section 4.5: other
# kty, equivalent alternatives). A token of the EC key, ES256, is verified.
# Guess: the reader takes the key of that kid that can make this signature: alg, kty and use say which. Or it refuses the set
#   wherever the keys stand.
# Really: it is a matter of their order. All read the token if its key comes first.
#   With the RSA key before it: jwcrypto, joserfc, jose and node-jose verify. PyJWT, authlib, jwskate, python-jose and jwks-rsa
#     take the first key of the kid, find that it is the wrong one, and stop; authlib with KeyError: 0.
#   With a key for encryption before it, whose `use` is "enc": authlib refuses it, and to jwskate the signature is false.
# Why it matters: the order of a set means nothing, and an issuer's next release, or a database without ORDER BY, changes it: then
#   half of the readers refuse every pass, and the others are fine. Give each key a kid of its own (its thumbprint); a reader
#   tries each key of the kid that fits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet PyJWT==2.15.1 jwcrypto==1.6.1 joserfc==1.8.0 authlib==1.9.10 jwskate==0.12.2 \
  python-jose==3.5.0 cryptography==50.0.2 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" jose@6.2.18 node-jose@2.2.0 \
  jwks-rsa@4.1.0 > "$folder/npm.log" 2>&1
cd "$folder"
cat > make.py <<'PY'
import json

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

signer, encrypter = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))


def public(algorithm, private, **rest):
    return algorithm.to_jwk(private.public_key(), as_dict=True) | {"kid": "2026"} | rest


signs = public(jwt.algorithms.ECAlgorithm, signer, use="sig", alg="ES256")
encrypts = public(jwt.algorithms.ECAlgorithm, encrypter, use="enc", alg="ECDH-ES")
old = public(jwt.algorithms.RSAAlgorithm, rsa.generate_private_key(65537, 2048), use="sig", alg="RS256")
sets = {
    "before RSA": [signs, old],
    "after RSA": [old, signs],
    "before enc": [signs, encrypts],
    "after enc": [encrypts, signs],
}
token = jwt.encode({"sub": "list"}, signer, algorithm="ES256", headers={"kid": "2026"})
json.dump({"token": token, "sets": {name: {"keys": keys} for name, keys in sets.items()}}, open("made.json", "w"))
PY
cat > read.py <<'PY'
import json
import logging
import warnings

import jwt
import jwskate
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet
from jwcrypto import jwk, jws

warnings.simplefilter("ignore")  # authlib says that joserfc should be taken
logging.disable()

from authlib.jose import JsonWebKey
from authlib.jose import jwt as authlib_jwt
from jose import jwt as python_jose

made = json.load(open("made.json"))
TOKEN, ES256 = made["token"], ["ES256"]


def by_jwcrypto(keys):
    signed = jws.JWS()
    signed.deserialize(TOKEN)
    signed.verify(jwk.JWKSet.from_json(json.dumps(keys)))


def by_jwskate(keys):
    assert jwskate.Jwt(TOKEN).verify_signature(jwskate.JwkSet(keys), alg="ES256")


READERS = {
    "PyJWT": lambda keys: jwt.decode(TOKEN, jwt.PyJWKSet.from_dict(keys)["2026"], algorithms=ES256),
    "jwcrypto": by_jwcrypto,
    "joserfc": lambda keys: joserfc_jwt.decode(TOKEN, KeySet.import_key_set(keys), algorithms=ES256),
    "authlib": lambda keys: authlib_jwt.decode(TOKEN, JsonWebKey.import_key_set(keys)),
    "jwskate": by_jwskate,
    "python-jose": lambda keys: python_jose.decode(TOKEN, keys, algorithms=ES256),
}


def said(read, keys):
    try:
        read(keys)
    except Exception as error:
        return type(error).__name__
    return "verified"


for name, read in READERS.items():
    print(f"{name}:", ", ".join(f"{place} {said(read, keys)}" for place, keys in made["sets"].items()))
PY
cat > read.mjs <<'JS'
import { readFileSync } from 'fs';
import { createPublicKey } from 'crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import jwksRsa from 'jwks-rsa';
import nodeJose from 'node-jose';

const { token, sets } = JSON.parse(readFileSync('made.json'));
const readers = {
  jose: (keys) => jwtVerify(token, createLocalJWKSet(keys)),
  'node-jose': async (keys) => nodeJose.JWS.createVerify(await nodeJose.JWK.asKeyStore(keys)).verify(token),
  'jwks-rsa': async (keys) => {
    const key = await jwksRsa({ jwksUri: 'http://127.0.0.1/', fetcher: async () => keys }).getSigningKey('2026');
    await jwtVerify(token, createPublicKey(key.getPublicKey()));
  },
};
for (const [name, read] of Object.entries(readers)) {
  const said = [];
  for (const [place, keys] of Object.entries(sets)) {
    said.push(`${place} ${await read(keys).then(() => 'verified', (error) => error.name)}`);
  }
  console.log(`${name}: ${said.join(', ')}`);
}
JS
venv/bin/python make.py
{ venv/bin/python read.py 2> "$folder/log"; node read.mjs; } | tee seen
diff seen - <<'TEXT'
PyJWT: before RSA verified, after RSA InvalidAlgorithmError, before enc verified, after enc verified
jwcrypto: before RSA verified, after RSA verified, before enc verified, after enc verified
joserfc: before RSA verified, after RSA verified, before enc verified, after enc verified
authlib: before RSA verified, after RSA KeyError, before enc verified, after enc InvalidUseError
jwskate: before RSA verified, after RSA UnsupportedAlg, before enc verified, after enc AssertionError
python-jose: before RSA verified, after RSA JWKError, before enc verified, after enc verified
jose: before RSA verified, after RSA verified, before enc verified, after enc verified
node-jose: before RSA verified, after RSA verified, before enc verified, after enc verified
jwks-rsa: before RSA verified, after RSA JOSENotSupported, before enc verified, after enc verified
TEXT
