/* Times as screens and the server write them: in Beijing time, whatever zone the phone is in. */
const BEIJING = 8 * 60 * 60 * 1000;

/* 2020-03-15 14:03 for a time as the server writes it. */
function minute(text) {
  return shifted(Date.parse(text)).slice(0, 16).replace('T', ' ');
}

/* 2020-03-15 14:03:09 for milliseconds since 1970, as are all times below. */
function second(milliseconds) {
  return shifted(milliseconds).slice(0, 19).replace('T', ' ');
}

/* 2020-03-15 */
function day(milliseconds) {
  return shifted(milliseconds).slice(0, 10);
}

/* 14:03, for what is of today. */
function time(milliseconds) {
  return shifted(milliseconds).slice(11, 16);
}

/* 2020-03-15T14:03:09+08:00, as the server takes it. */
function stamp(milliseconds) {
  return `${shifted(milliseconds).slice(0, 19)}+08:00`;
}

/* The moment at which something ends: midnight is told as the end of its day, 12月11日24时 and 2020-12-11 24:00. */
function end(text, language, now) {
  const at = Date.parse(text);
  if (time(at) !== '00:00') return minute(text);
  const last = day(at - 1);
  if (language !== 'zh') return `${last} 24:00`;
  const [year, month, date] = last.split('-').map(Number);
  return `${last.slice(0, 4) === day(now).slice(0, 4) ? '' : `${year}年`}${month}月${date}日24时`;
}

function shifted(milliseconds) {
  return new Date(milliseconds + BEIJING).toISOString();
}

module.exports = { minute, end, second, day, time, stamp };
