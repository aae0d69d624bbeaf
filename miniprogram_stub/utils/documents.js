/*
 * Identity documents: their kinds, what a reader types of one, and checks by document for those without a phone.
 *
 * Only the server knows whose a document is, so that nothing of this works without network. Keeps nothing.
 */
const duty = require('./duty.js');
const { stopFeverish } = require('./judging.js');
const problems = require('./problems.js');
const { inspector } = require('./request.js');

/*
 * The server's names for the kinds, in the order of the words in utils/texts.js. Birth certificates are not among them:
 * a guardian adds and shows such a child. What is typed is sent as it is: the server folds it.
 */
const KINDS = [
  'id-card',
  'residence-permit',
  'hong-kong-macau-permit',
  'taiwan-permit',
  'permanent-residence',
  'passport',
  'travel-document',
  'taiwan-one-time-permit',
];
const PATH = '/api/v1/checks/document';
const ENDS = /[\t\r\n]+/; // what readers put after each part
const UNREACHED = ['offline', 'not-our-server', 'answer-too-large'];

/* {number, name} of what a reader typed into one field: the part with digits is the number, in whatever order. */
function split(text) {
  const parts = text.split(ENDS).map((part) => part.trim()).filter(Boolean);
  const number = parts.find((part) => /[0-9]/.test(part)) || '';
  return { number, name: parts.find((part) => part !== number) || '' };
}

/* Whether a reader typed more than the part of one field. */
function isWhole(text) {
  return ENDS.test(text.trim());
}

/* Check {type, number, name}: a result as of duty.check, whose action is `ask` and whose state is null for nobody. */
function check(document) {
  return ask(PATH, document);
}

/* Register a temperature likewise; a fever stops, whatever the color would allow. */
async function measure(document, celsius) {
  const result = await ask(`${PATH}/temperature`, { ...document, celsius });
  return result.state && celsius >= duty.feverCelsius() ? stopFeverish(result) : result;
}

async function ask(path, data) {
  try {
    return duty.read(await inspector.post(path, data, { timeout: duty.AT_THE_DOOR }));
  } catch (problem) {
    throw UNREACHED.includes(problem.type) ? problems.made('document-offline') : problem;
  }
}

module.exports = { KINDS, split, isWhole, check, measure };
