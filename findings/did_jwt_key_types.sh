#!/usr/bin/env bash
# did-jwt 8.0.18, did-resolver 6.0.0, jose 6.2.18 (npm); Node
#
# An issuer publishes its Ed25519 key in a DID document, as trust lists of health passes do, and a verifier checks its
# signature with the usual library. The key is the same JWK each time; only the `type` of the verification method differs.
# Guess: `JsonWebKey`, the type that the W3C's Controlled Identifiers of 2025 define, is read, and the older
#   `JsonWebKey2020` perhaps no longer.
# Really: the other way round. `JsonWebKey2020` is read, and so is `Ed25519VerificationKey2020` with a JWK that is no part of
#   its definition; with `JsonWebKey` the document "does not have public keys for EdDSA".
# Why it matters: a document that was brought up to date makes every pass of its issuer unreadable, and the message says that
#   a key is missing which is there. Publish `JsonWebKey2020` until readers have followed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" did-jwt@8.0.18 did-resolver@6.0.0 jose@6.2.18 > "$folder/npm.log"
cd "$folder"
cat > read.mjs <<'JS'
import { createJWT, EdDSASigner, verifyJWT } from 'did-jwt';
import { exportJWK, generateKeyPair } from 'jose';

const { publicKey, privateKey } = await generateKeyPair('Ed25519', { extractable: true });
const { x } = await exportJWK(publicKey);
const { d } = await exportJWK(privateKey);
const did = 'did:web:issuer.example';
const signer = EdDSASigner(new Uint8Array(Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')])));
const jwt = await createJWT({ state: 'GREEN' }, { issuer: did, signer }, { alg: 'EdDSA', kid: `${did}#1` });
for (const type of ['JsonWebKey2020', 'JsonWebKey', 'Ed25519VerificationKey2020']) {
  const method = { id: `${did}#1`, type, controller: did, publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x } };
  const didDocument = { id: did, verificationMethod: [method], assertionMethod: [method.id] };
  const resolver = { resolve: async () => ({ didDocument, didDocumentMetadata: {}, didResolutionMetadata: {} }) };
  const answer = await verifyJWT(jwt, { resolver }).then(() => 'read', ({ message }) => message);
  console.log(`${type}: ${answer}`);
}
JS
node read.mjs | tee seen
diff seen - <<'TEXT'
JsonWebKey2020: read
JsonWebKey: no_suitable_keys: DID document for did:web:issuer.example does not have public keys for EdDSA
Ed25519VerificationKey2020: read
TEXT
