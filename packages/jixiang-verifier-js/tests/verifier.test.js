/* The vectors of the three forms and of the list, and what keys and texts can get wrong. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { parseKeys, readRevocationList, Refused, verify } from '../src/index.js';

const read = (name) => JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), 'utf8'));
const FILES = { tokens: read('tokens'), papers: read('papers'), strips: read('strips') };
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
