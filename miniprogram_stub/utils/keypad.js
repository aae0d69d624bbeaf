/* Typing a temperature with three taps: 3, 7, 5 is 37.5. */
const LOWEST = 34;
const HIGHEST = 43;

/* The digits after one more key, '0' to '9' or 'delete'; at most three, the point sets itself. */
function press(digits, key) {
  if (key === 'delete') return digits.slice(0, -1);
  return digits.length < 3 ? digits + key : digits;
}

/* What the display shows: 37.5 for '375', 37. for '37'. */
function shown(digits) {
  return digits.length < 2 ? digits : `${digits.slice(0, 2)}.${digits.slice(2)}`;
}

/* The temperature in °C; 37 is 37.0. NaN when nothing sensible has been typed. */
function celsius(digits) {
  return digits.length < 2 ? NaN : Number(digits.padEnd(3, '0')) / 10;
}

/* Whether the server would take it. */
function inRange(digits) {
  return celsius(digits) >= LOWEST && celsius(digits) <= HIGHEST;
}

module.exports = { press, shown, celsius, inRange };
