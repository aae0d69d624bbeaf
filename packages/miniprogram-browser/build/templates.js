/*
 * WXML and WXS to JavaScript, by glass-easel's compiler.
 *
 * Owns which mistakes in a template end the build: what the compiler finds, a tag that nobody made, a file that is missing.
 */
import { createRequire } from 'node:module';
import path from 'node:path';

import { TAGS } from '../phone/tags.js';
import { Fault, has, resolved, text } from './project.js';

const { TmplGroup } = createRequire(import.meta.url)('glass-easel-template-compiler');
const OF_WXML = ['block', 'template', 'import', 'include', 'wxs', 'slot'];
const TAG = /<!--[\s\S]*?-->|<wxs\b[^>]*>[\s\S]*?<\/wxs>|<([a-zA-Z][\w-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>/g;

/* One JavaScript expression: an object of all templates by their path without .wxml. Throws a Fault. */
export function compileTemplates(project) {
  const group = new TmplGroup();
  const added = new Set();
  project.units.forEach((unit) => addTemplate(project, group, added, unit.path, unit.uses, null));
  return group.getTmplGenObjectGroups();
}

function addTemplate(project, group, added, name, uses, from) {
  const file = `${name}.wxml`;
  if (from && !has(project.root, file)) throw new Fault(from, 1, `${file} is missing`);
  const source = text(project.root, file);
  checkTags(source, file, uses);
  if (added.has(name)) return;
  added.add(name);
  refuse(group.addTmpl(name, source), file);
  group.getScriptDependencies(name).forEach((script) => addScript(project, group, added, script, file));
  group.getDirectDependencies(name).forEach((other) => addTemplate(project, group, added, other, uses, file));
}

/* Notes of the compiler are about style; all else is broken. */
function refuse(findings, file) {
  const found = findings.find((finding) => finding.isError || finding.level === 'Warn');
  if (found) throw new Fault(file, found.startLine + 1, found.message);
}

function checkTags(source, file, uses) {
  for (const match of source.matchAll(TAG)) {
    const tag = match[1];
    if (!tag || OF_WXML.includes(tag) || uses[tag] || TAGS.includes(tag)) continue;
    const line = source.slice(0, match.index).split('\n').length;
    throw new Fault(file, line, `<${tag}> is neither in usingComponents nor made in browser/elements`);
  }
}

/* WXS modules name each other with their ending; the compiler knows them without it. */
function addScript(project, group, added, name, from) {
  const file = `${name}.wxs`;
  if (added.has(file)) return;
  added.add(file);
  if (!has(project.root, file)) throw new Fault(from, 1, `${file} is missing`);
  const needed = [];
  const source = text(project.root, file).replace(/require\(\s*(['"])(.+?)\.wxs\1\s*\)/g, (whole, quote, other) => {
    needed.push(resolved(name, other));
    return `require('${other}')`;
  });
  group.addScript(name, source);
  needed.forEach((other) => addScript(project, group, added, path.posix.normalize(other), file));
}
