#!/usr/bin/env bash
# miniprogram-compiler 0.2.3 (npm), which brings WeChat's own compiler of templates, wcc, for Linux; Node
#
# Texts and numbers in the expressions of a template, {{…}}, which look like JavaScript.
# Guess: a line break in a text is written '\n'; 010 is 10, or is refused; what is not supported is refused.
# Really, as if escapes were resolved before the expression is read, so that a line ends in the middle of a text:
#   '\n' is an empty text, and 'a\nb' is refused at the b. '\t' works, and '\u4e00' loses its backslash and stays text.
#   010 is 8, and 08 is 8 too; 1e3 and 0x10 are refused.
# Why it matters: a separator of lines, or a number with a leading zero such as a month, comes out otherwise than written,
#   and the compiler's exit code says nothing of it. Make such values in the page's script or in WXS.
set -euo pipefail
export LC_ALL=C.UTF-8
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund miniprogram-compiler@0.2.3
cat > show.js <<'JS'
const { spawnSync } = require('child_process');
const fs = require('fs');
const vm = require('vm');

const wcc = 'node_modules/miniprogram-compiler/bin/linux/wcc';
fs.chmodSync(wcc, 0o755);
console.log(String(spawnSync(wcc, ['--help']).stdout).match(/version \S+/)[0]);

const PHONE = 'var window = {}, navigator = { userAgent: "" }, __wxAppData = {}, console = { log() {}, warn() {}, error() {} };';

function value(expression) {
  fs.writeFileSync('a.wxml', `<view a="{{${expression}}}" />`);
  const { status, stdout, stderr } = spawnSync(wcc, ['-d', 'a.wxml', '-gn', '$gwx']);
  if (status) return `refused: ${String(stderr).trim().split('\n')[0].replace(/.*message: /, '')}`;
  const run = `${PHONE}${stdout}; $gwx("a.wxml")({}).children[0].attr.a`; // each in a world of its own
  return JSON.stringify(vm.runInNewContext(run));
}

const CASES = ["'\\n'", "'a\\nb'", "'a\\tb'", "'\\u4e00'", '010', '08', '1e3', '0x10'];
CASES.forEach((expression) => console.log(`{{${expression}}} => ${value(expression)}`));
JS
node show.js | tee seen
diff - seen <<'SEEN' || { echo "changed"; exit 1; }
version v0.5vv_20200413_syb_scopedata
{{'\n'}} => ""
{{'a\nb'}} => refused: unexpected token `b`.
{{'a\tb'}} => "a\tb"
{{'\u4e00'}} => "u4e00"
{{010}} => 8
{{08}} => 8
{{1e3}} => refused: unexpected token `e3`.
{{0x10}} => refused: unexpected token `x10`.
SEEN
