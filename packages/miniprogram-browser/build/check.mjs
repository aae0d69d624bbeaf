/*
 * `npm run check`: WeChat's own compilers, wcc and wcsc, over every template and style sheet of the mini-program.
 *
 * Owns no rule of its own: what they refuse is told as they say it, and ends with exit 1. They come as programs for Linux,
 * macOS (Intel) and Windows; elsewhere it says that nothing was checked.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Fault, filesBelow, readProject } from './project.js';

const FOLDERS = { linux: ['linux', ''], darwin: ['mac', ''], win32: ['windows', '.exe'] };
const NONE = '没有适合本机的 wcc、wcsc，未检查。There is no wcc and wcsc for this machine: nothing was checked.';
const LARGEST = 64 * 1024 * 1024; // bytes of compiled output, which is thrown away

/* What the compilers say against the mini-program in `root`: sentences, none when all is well; null without compilers. */
export function refusals(root) {
  const wcc = compiler('wcc');
  const wcsc = compiler('wcsc');
  if (!wcc || !wcsc) return null;
  const project = readProject(root);
  const files = filesBelow(root, '');
  const ofStyles = styleRuns(project, files).map((run) => complaint(root, wcsc, run));
  return [complaint(root, wcc, templateArguments(project, files)), ...ofStyles].filter(Boolean);
}

function compiler(name) {
  const [folder, ending] = FOLDERS[process.platform] || [];
  const home = path.dirname(createRequire(import.meta.url).resolve('miniprogram-compiler/package.json'));
  const program = path.join(home, 'bin', String(folder), `${name}${ending}`);
  const ours = process.platform !== 'linux' || process.arch === 'x64';
  if (!folder || !ours || !existsSync(program)) return null;
  chmodSync(program, 0o755); // the package does not mark it as a program
  return program;
}

/* The units that use components come first: how many, then of each its file, a number and so many tags. */
function templateArguments({ units }, files) {
  const using = units.filter(({ uses }) => Object.keys(uses).length);
  const told = using.flatMap(({ path: unit, uses }) => [`${unit}.wxml`, Object.keys(uses).length, ...Object.keys(uses)]);
  const templates = files.filter((file) => /\.(wxml|wxs)$/.test(file));
  return ['-d', '-cc', [using.length, ...told].join(' '), ...templates, '-gn', '$gwx'];
}

/* Each style sheet alone, with all others behind it for its imports. */
function styleRuns({ units }, files) {
  const sheets = files.filter((file) => file.endsWith('.wxss'));
  const roots = ['app', ...units.map((unit) => unit.path)].map((name) => `${name}.wxss`).filter((file) => sheets.includes(file));
  return roots.map((file) => ['-db', '-pc', '1', file, ...sheets.filter((other) => other !== file)]);
}

function complaint(root, program, given) {
  const run = spawnSync(program, given, { cwd: root, maxBuffer: LARGEST, encoding: 'utf8' });
  if (run.error) return `${path.basename(program)}: ${run.error.message}`;
  const said = run.stderr.replace(/\n*error file count: \d+\s*/g, '').trim();
  return run.status === 0 ? '' : said || `${path.basename(program)} ended with ${run.status}`;
}

function main(root) {
  try {
    const found = refusals(root);
    if (found === null) return console.log(NONE);
    found.forEach((sentence) => console.error(sentence));
    if (!found.length) console.log('wcc and wcsc accept the mini-program');
    process.exitCode = found.length ? 1 : 0;
  } catch (error) {
    console.error(error instanceof Fault ? error.message : error);
    process.exitCode = 1;
  }
  return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(path.resolve(process.argv[2] || path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../miniprogram_stub')));
}
