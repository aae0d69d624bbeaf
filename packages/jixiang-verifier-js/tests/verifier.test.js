/* The vectors of the three forms and of the list, and what keys and texts can get wrong. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { parseKeys, readRevocationList, readTrustList, Refused, verify, verifyForeign } from '../src/index.js';

const read = (name) => JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), 'utf8'));
const FILES = { tokens: read('tokens'), papers: read('papers'), strips: read('strips') };
const FOREIGN = read('foreign');
const PUBLISHED = FILES.papers.key_set;

const check = (act) => {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { refused: error.check };
  }
};

for (const [name, file] of Object.entries(FILES)) {
  for (const { name: what, text, keys, at, expect } of file.vectors) {
    test(`${name}: ${what}`, () => {
      const published = file.key_sets ? file.key_sets[keys] : file.key_set;
      const answer = check(() => verify(text, parseKeys(published), { at: new Date(at), skewSeconds: file.skew_seconds }));
      const said = Object.fromEntries(
        Object.keys(expect).map((key) => {
          const value = answer[key.replace(/_(.)/g, (_, letter) => letter.toUpperCase())];
          return [key, value instanceof Date ? value.getTime() : value];
        }),
      );
      const wanted = Object.entries(expect).map(([key, value]) => [key, key.endsWith('_at') ? Date.parse(value) : value]);
      assert.deepEqual(said, Object.fromEntries(wanted));
    });
  }
}

for (const { name, content, expect } of FILES.papers.lists) {
  test(`list: ${name}`, () => {
    const answer = check(() => readRevocationList(Buffer.from(content, 'hex'), parseKeys(PUBLISHED)));
    if (expect.refused) return assert.deepEqual(answer, { refused: expect.refused });
    assert.equal(answer.version, expect.version);
    assert.deepEqual(expect.hits.filter((number) => !answer.mayList(number)), []);
    assert.deepEqual(expect.misses.filter((number) => answer.mayList(number)), []);
  });
}

for (const { name, text, known, at, expect } of FOREIGN.lists) {
  test(`trust list: ${name}`, () => {
    const answer = check(() => ({ version: readTrustList(text, FOREIGN.root, { known, at: new Date(at) }).version }));
    assert.deepEqual(answer, expect);
  });
}

for (const { name, text, list, at, expect } of FOREIGN.vectors) {
  test(`another province: ${name}`, () => {
    const now = new Date(at);
    const trusted = readTrustList(FOREIGN.used[list], FOREIGN.root, { at: now });
    const answer = check(() => {
      const { issuer, state, issuedAt, endsAt } = verifyForeign(text, trusted, { at: now, skewSeconds: FOREIGN.skew_seconds });
      return { issuer: issuer.id, state, issued_at: issuedAt.getTime(), ends_at: endsAt.getTime() };
    });
    const wanted = Object.entries(expect).map(([key, value]) => [key, key.endsWith('_at') ? Date.parse(value) : value]);
    assert.deepEqual(answer, Object.fromEntries(wanted));
  });
}

test('all that is wrong with keys is said at once', () => {
  const [good] = PUBLISHED.keys;
  const published = { keys: [good, { ...good, kty: 'RSA' }, { ...good, x: 'AAAA' }], retired: [{ ...good, until: 'soon' }] };
  assert.throws(() => parseKeys(published), /keys\[1\].*keys\[2\].*retired\[0\]/);
  for (const content of [null, undefined, [], {}, 'keys']) assert.throws(() => parseKeys(content), /jixiang-keys/);
});

test('what is no text is malformed', () => {
  for (const text of [undefined, null, 7, {}, ['JX1:']]) {
    assert.deepEqual(check(() => verify(text, parseKeys(PUBLISHED))), { refused: 'malformed' });
  }
});
