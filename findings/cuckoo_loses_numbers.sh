#!/usr/bin/env bash
# bloom-filters 3.0.4 (npm); Node
#
# CuckooFilter.create(n, rate) for numbers of revoked cards: unlike a Bloom filter one can take numbers out again. As many
# go in as it was made for, and add() answers true for each.
# Guess: it never says no to a number that is in it; where it is full, add() answers false, or raises.
# Really: it has lost a third of the numbers, in silence: `length` is still the number of those that went in. Half full it has
#   lost a few, up to a quarter none were. CuckooFilter.from(numbers, rate) fares alike. The package's BloomFilter,
#   CountingBloomFilter and XorFilter keep all.
# Why it matters: a third of the revoked cards are good at every gate that asks this filter, and the statistics of the filter
#   look right. Ask the filter for each number that went in before it is published.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" bloom-filters@3.0.4 > "$folder/npm.log"
cd "$folder"
cat > count.js <<'JS'
const assert = require('assert');
const filters = require('bloom-filters');

const SIZE = 5000;
const RATE = 0.001;
const numbers = Array.from({ length: SIZE }, (_, number) => `22${1000000 + number}`);
const lost = (filter, put) => put.filter((number) => !filter.has(number)).length;

for (const share of [0.25, 0.5, 0.8, 1]) {
  const put = numbers.slice(0, share * SIZE);
  const filter = filters.CuckooFilter.create(SIZE, RATE);
  const refused = put.filter((number) => !filter.add(number)).length;
  const gone = lost(filter, put);
  console.log(`${share * 100} % full: refused ${refused}, length ${filter.length}, lost ${gone} of ${put.length}`);
  assert.deepStrictEqual([refused, filter.length], [0, put.length], 'changed');
  assert(share === 0.25 ? gone === 0 : share === 1 ? gone > SIZE / 4 : gone > 0, 'changed');
}
const others = {
  'CuckooFilter.from': filters.CuckooFilter.from(numbers, RATE),
  'BloomFilter.from': filters.BloomFilter.from(numbers, RATE),
  'XorFilter.create': filters.XorFilter.create(numbers, 16),
};
const gone = Object.fromEntries(Object.entries(others).map(([name, filter]) => [name, lost(filter, numbers)]));
console.log('full, lost of 5000:', JSON.stringify(gone));
assert(gone['CuckooFilter.from'] > SIZE / 4 && !gone['BloomFilter.from'] && !gone['XorFilter.create'], 'changed');
JS
node count.js
