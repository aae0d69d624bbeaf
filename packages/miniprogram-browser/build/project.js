/*
 * What the mini-program consists of: its pages and components with their files, read from the source as WeChat reads it.
 *
 * Owns the check that everything named is there. Writes nothing. A mistake is a Fault, which names file and line.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const OURS = ['node_modules', 'miniprogram_npm', 'tests'];
const ASSETS = /\.(svg|png|jpe?g|gif|webp|wav|mp3)$/;

export class Fault extends Error {
  constructor(file, line, message) {
    super(`${file}:${line}: ${message}`);
  }
}

/* The whole of it: {root, app, units: [{path, kind, config, uses}], styles, assets}. Throws a Fault. */
export function readProject(root) {
  const app = readJson(root, 'app.json');
  needFile(root, 'app.js', 'app.json', 1);
  const units = new Map();
  (app.pages || []).forEach((page) => readUnit(root, app, units, page, 'page', { file: 'app.json', name: page }));
  if (!units.size) throw new Fault('app.json', 1, 'there are no pages');
  Object.values(app.usingComponents || {}).forEach((used) => {
    readUnit(root, app, units, resolved('app', used), 'component', { file: 'app.json', name: used });
  });
  return { root, app, units: [...units.values()], assets: filesBelow(root, '').filter((file) => ASSETS.test(file)) };
}

/* The path of a component or file as it is written in `from`, seen from the root. */
export function resolved(from, written) {
  const base = written.startsWith('/') ? '' : path.posix.dirname(from);
  return path.posix.join(base, written).replace(/^\//, '');
}

export function text(root, file) {
  return readFileSync(path.join(root, file), 'utf8');
}

export function has(root, file) {
  return existsSync(path.join(root, file));
}

/* The line, from 1, on which a text first contains a word. */
export function lineOf(content, word) {
  const at = content.indexOf(word);
  return at < 0 ? 1 : content.slice(0, at).split('\n').length;
}

function readUnit(root, app, units, unitPath, kind, where) {
  if (units.has(unitPath)) return;
  const line = lineOf(text(root, where.file), where.name);
  ['.wxml', '.js'].forEach((ending) => needFile(root, unitPath + ending, where.file, line));
  const config = has(root, `${unitPath}.json`) ? readJson(root, `${unitPath}.json`) : {};
  if (kind === 'component' && config.component !== true) {
    throw new Fault(`${unitPath}.json`, 1, 'a component needs "component": true');
  }
  const uses = {};
  units.set(unitPath, { path: unitPath, kind, config, uses });
  Object.entries(app.usingComponents || {}).forEach(([tag, used]) => {
    uses[tag] = resolved('app', used);
  });
  Object.entries(config.usingComponents || {}).forEach(([tag, used]) => {
    uses[tag] = resolved(unitPath, used);
    readUnit(root, app, units, uses[tag], 'component', { file: `${unitPath}.json`, name: used });
  });
}

function needFile(root, file, from, line) {
  if (!has(root, file)) throw new Fault(from, line, `${file} is missing`);
}

function readJson(root, file) {
  if (!has(root, file)) throw new Fault(file, 1, 'is missing');
  const content = text(root, file);
  try {
    return JSON.parse(content);
  } catch (error) {
    const position = /position (\d+)/.exec(error.message);
    const line = position ? content.slice(0, Number(position[1])).split('\n').length : 1;
    throw new Fault(file, line, `is not JSON: ${error.message}`);
  }
}

/* All files below a folder of the mini-program, without those that are not part of it. */
export function filesBelow(root, folder) {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (!entry.isDirectory()) return [name];
    return entry.name.startsWith('.') || (!folder && OURS.includes(entry.name)) ? [] : filesBelow(root, name);
  });
}
