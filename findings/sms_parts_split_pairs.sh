#!/usr/bin/env bash
# sms-length 0.2.2 and sms-segments-calculator 1.3.0 (npm), on Node 18 or later
#
# For how many messages a long text is charged: 67 UCS-2 units or 153 GSM-7 units a part.
# Guess: the two calculators agree, for the rule is one division.
# Really: they agree until a character of two units lies across the end of a part. It cannot be cut, so that the part ends
#   one unit early and the last unit needs a part of its own. sms-length divides and says two messages; Twilio's calculator
#   fills part after part and says three. One rare Han (𠮷, two UTF-16 units) after 66 others does it, and in
#   GSM-7 one "{" after 152 letters.
# Why it matters: a bill, and a ceiling computed before sending, is a third too low for texts of such a length; names with
#   rare characters, or a template with braces, decide it. Ask the gateway for what it charged, and count that.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund sms-length@0.2.2 sms-segments-calculator@1.3.0 >/dev/null
node - <<'JS'
const { count } = require('sms-length');
const { SegmentedMessage } = require('sms-segments-calculator');

const cases = {
  '134 Han': '吉'.repeat(134),
  '135 Han': '吉'.repeat(135),
  '66 Han, a rare one, 66 Han': `${'吉'.repeat(66)}𠮷${'吉'.repeat(66)}`,
  '152 letters, a brace, 152 letters': `${'a'.repeat(152)}{${'a'.repeat(152)}`,
};
const seen = Object.entries(cases).map(
  ([name, text]) => `${name}: ${count(text).messages} ${new SegmentedMessage(text, 'auto').segmentsCount}`,
);
console.log(seen.join('\n'));
const expected = [
  '134 Han: 2 2',
  '135 Han: 3 3',
  '66 Han, a rare one, 66 Han: 2 3',
  '152 letters, a brace, 152 letters: 2 3',
];
process.exit(seen.join() === expected.join() ? 0 : 1);
JS
