/* Times as screens show them: in Beijing time, whatever zone the phone is in. */
const BEIJING = 8 * 60 * 60 * 1000;

/* 2020-03-15 14:03 for a time as the server writes it. */
function minute(text) {
  return shifted(Date.parse(text)).slice(0, 16).replace('T', ' ');
}

/* 2020-03-15 14:03:09 for milliseconds since 1970. */
function second(milliseconds) {
  return shifted(milliseconds).slice(0, 19).replace('T', ' ');
}

function shifted(milliseconds) {
  return new Date(milliseconds + BEIJING).toISOString();
}

module.exports = { minute, second };
