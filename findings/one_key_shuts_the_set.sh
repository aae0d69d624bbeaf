#!/usr/bin/env bash
# PyJWT 2.15.1, jwcrypto 1.6.1, joserfc 1.8.0, authlib 1.9.10, jwskate 0.12.2 (PyPI, with cryptography 50.0.2); jose 6.2.18,
# node-jose 2.2.0, jwks-rsa 4.1.0 (npm); Node
#
# An issuer's key set (JWKS) has two keys: the one that signs, ES256 on P-256, and one of another kind beside it, such as SM2
# for partners in China, Brainpool (BP-256) as in German health cards, Ed25519, or ML-DSA (kty AKP). A token
# of the first key, by its kid, is verified.
# Guess: the other key does not matter. RFC 7517 says so (section 5: ignore what is not understood or not supported), and
#   libraries that read a set with a new kind of key read one with a new curve.
# Really: PyJWT, jwcrypto, jose and jwks-rsa verify beside all of them. The others lose the whole set, each by other neighbours:
#   joserfc skips a key whose kty it does not know, and raises KeyError for a curve that it does not know.
#   authlib, of the same hands, is the other way round.
#   jwskate refuses the set for either. node-jose refuses it for Ed25519, which everybody else reads.
# Why it matters: the day on which an issuer adds a key for one partner is the day on which others can verify nothing, though
#   no signature has changed; and some raise no error of the library's own. Publish another kind of key in a set of
#   its own, at its own address; a reader takes the keys one by one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet PyJWT==2.15.1 jwcrypto==1.6.1 joserfc==1.8.0 authlib==1.9.10 jwskate==0.12.2 \
  cryptography==50.0.2 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" jose@6.2.18 node-jose@2.2.0 \
  jwks-rsa@4.1.0 > "$folder/npm.log"
cd "$folder"
cat > make.py <<'PY'
import base64
import json

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def text(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def on_curve(crv, x, y):
    return {"kty": "EC", "crv": crv, "x": text(x.to_bytes(32, "big")), "y": text(y.to_bytes(32, "big"))}


def public(private):
    numbers = private.public_key().public_numbers()
    return numbers.x, numbers.y


signer = ec.generate_private_key(ec.SECP256R1())
SM2_OF_PRIVATE_KEY_1 = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
others = {
    "P-256": on_curve("P-256", *public(ec.generate_private_key(ec.SECP256R1()))),
    "SM2": on_curve("SM2", *SM2_OF_PRIVATE_KEY_1),
    "BP-256": on_curve("BP-256", *public(ec.generate_private_key(ec.BrainpoolP256R1()))),
    "Ed25519": {"kty": "OKP", "crv": "Ed25519", "x": text(Ed25519PrivateKey.generate().public_key().public_bytes_raw())},
    "ML-DSA-44": {"kty": "AKP", "alg": "ML-DSA-44", "pub": text(bytes(range(256)) * 5 + bytes(32))},
}
first = on_curve("P-256", *public(signer)) | {"kid": "first"}
sets = {name: {"keys": [first, other | {"kid": "other"}]} for name, other in others.items()}
token = jwt.encode({"sub": "list"}, signer, algorithm="ES256", headers={"kid": "first"})
json.dump({"token": token, "sets": sets}, open("made.json", "w"))
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

made = json.load(open("made.json"))
TOKEN, ES256 = made["token"], ["ES256"]


def by_jwcrypto(keys):
    signed = jws.JWS()
    signed.deserialize(TOKEN)
    signed.verify(jwk.JWKSet.from_json(json.dumps(keys)))


def by_jwskate(keys):
    assert jwskate.Jwt(TOKEN).verify_signature(jwskate.JwkSet(keys), alg="ES256")


READERS = {
    "PyJWT": lambda keys: jwt.decode(TOKEN, jwt.PyJWKSet.from_dict(keys)["first"], algorithms=ES256),
    "jwcrypto": by_jwcrypto,
    "joserfc": lambda keys: joserfc_jwt.decode(TOKEN, KeySet.import_key_set(keys), algorithms=ES256),
    "authlib": lambda keys: authlib_jwt.decode(TOKEN, JsonWebKey.import_key_set(keys)),
    "jwskate": by_jwskate,
}


def said(read, keys):
    try:
        read(keys)
    except Exception as error:
        return type(error).__name__
    return "verified"


for name, read in READERS.items():
    print(f"{name}:", ", ".join(f"{other} {said(read, keys)}" for other, keys in made["sets"].items()))
PY
cat > read.mjs <<'JS'
import { readFileSync } from 'fs';
import { createLocalJWKSet, jwtVerify } from 'jose';
import jwksRsa from 'jwks-rsa';
import nodeJose from 'node-jose';

const { token, sets } = JSON.parse(readFileSync('made.json'));
const readers = {
  jose: (keys) => jwtVerify(token, createLocalJWKSet(keys)),
  'node-jose': async (keys) => nodeJose.JWS.createVerify(await nodeJose.JWK.asKeyStore(keys)).verify(token),
  'jwks-rsa': async (keys) => {
    const key = await jwksRsa({ jwksUri: 'http://127.0.0.1/', fetcher: async () => keys }).getSigningKey('first');
    await jwtVerify(token, (await import('crypto')).createPublicKey(key.getPublicKey()));
  },
};
for (const [name, read] of Object.entries(readers)) {
  const said = [];
  for (const [other, keys] of Object.entries(sets)) {
    said.push(`${other} ${await read(keys).then(() => 'verified', (error) => error.message)}`);
  }
  console.log(`${name}: ${said.join(', ')}`);
}
JS
venv/bin/python make.py
{ venv/bin/python read.py 2> "$folder/log"; node read.mjs; } | tee seen
diff seen - <<'TEXT'
PyJWT: P-256 verified, SM2 verified, BP-256 verified, Ed25519 verified, ML-DSA-44 verified
jwcrypto: P-256 verified, SM2 verified, BP-256 verified, Ed25519 verified, ML-DSA-44 verified
joserfc: P-256 verified, SM2 KeyError, BP-256 KeyError, Ed25519 verified, ML-DSA-44 verified
authlib: P-256 verified, SM2 verified, BP-256 verified, Ed25519 verified, ML-DSA-44 KeyError
jwskate: P-256 verified, SM2 UnsupportedEllipticCurve, BP-256 UnsupportedEllipticCurve, Ed25519 verified, ML-DSA-44 InvalidJwk
jose: P-256 verified, SM2 verified, BP-256 verified, Ed25519 verified, ML-DSA-44 verified
node-jose: P-256 verified, SM2 verified, BP-256 verified, Ed25519 unsupported key type, ML-DSA-44 unsupported key type
jwks-rsa: P-256 verified, SM2 verified, BP-256 verified, Ed25519 verified, ML-DSA-44 verified
TEXT
