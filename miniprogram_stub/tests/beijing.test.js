/* Times on screens and for the server, whatever zone the phone is in. */
const assert = require('node:assert/strict');
const { test } = require('node:test');

const beijing = require('../utils/beijing.js');

const LATE = Date.parse('2020-03-15T17:03:09Z'); // the 16th in Beijing

test('a time of the server is shown by the minute, in Beijing time', () => {
  assert.equal(beijing.minute('2020-03-15T17:03:09Z'), '2020-03-16 01:03');
  assert.equal(beijing.minute('2020-03-15T08:00:00+08:00'), '2020-03-15 08:00');
});

test('a moment is shown by the second, by its day and by its time of day', () => {
  assert.equal(beijing.second(LATE), '2020-03-16 01:03:09');
  assert.equal(beijing.day(LATE), '2020-03-16');
  assert.equal(beijing.time(LATE), '01:03');
});

test('a moment for the server names its offset and comes back as the same second', () => {
  assert.equal(beijing.stamp(LATE + 999), '2020-03-16T01:03:09+08:00');
  assert.equal(Date.parse(beijing.stamp(LATE)), LATE);
});

test('the zone of the phone changes nothing', () => {
  const before = process.env.TZ;
  process.env.TZ = 'America/New_York';
  assert.equal(beijing.second(LATE), '2020-03-16 01:03:09');
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
});
