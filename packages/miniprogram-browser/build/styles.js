/*
 * WXSS to one plain style sheet.
 *
 * Owns rpx, imports, and who sees whose rules: those of app.wxss hold everywhere; those of a page in this page with the
 * components in it that ask for it; those of a component in it alone, for its classes carry its name.
 */
import postcss from 'postcss';

import { Fault, has, lineOf, resolved, text } from './project.js';

const LENGTH = /(-?\d*\.?\d+)(rpx|vh)\b/g; // a page is as high as the screen without the bar above
const CLASS = /\.(-?[_a-zA-Z][\w-]*)/g;

/* The style sheet of all units, app.wxss first. Throws a Fault. */
export function compileStyles(project) {
  const sheets = [sheet(project, 'app.wxss', (selector) => selector)];
  project.units.forEach((unit) => {
    sheets.push(sheet(project, `${unit.path}.wxss`, unit.kind === 'page' ? ofPage(unit) : ofComponent(unit)));
  });
  return sheets.join('\n');
}

/* The name before the classes of a component; '' when its rules are shared with everyone. */
export function scopeOf(unit) {
  if (unit.kind === 'page' || /^(page-)?shared$/.test(isolation(unit))) return '';
  return unit.path.replace(/[^\w]+/g, '-');
}

function isolation(unit) {
  return unit.config.styleIsolation || '';
}

function ofPage(unit) {
  const here = `:where(page[is="${unit.path}"])`;
  return (selector) => (/^page\b/.test(selector) ? selector.replace(/^page/, `page${here}`) : `${here} ${selector}`);
}

function ofComponent(unit) {
  const scope = scopeOf(unit);
  if (!scope) return (selector) => selector;
  const host = `[wx-host="${scope}"]`;
  return (selector) => {
    const named = selector.replace(CLASS, `.${scope}--$1`);
    return named.includes(':host') ? named.replace(/:host/g, host) : `:where(${host}) ${named}`;
  };
}

function sheet(project, file, scoped) {
  if (!has(project.root, file)) return '';
  const root = parsed(project, file, []);
  root.walkRules((rule) => {
    const within = rule.parent.type === 'atrule' && /keyframes$/.test(rule.parent.name);
    if (!within) rule.selectors = rule.selectors.map(scoped);
  });
  return root.toString();
}

function parsed(project, file, above) {
  if (above.includes(file)) throw new Fault(file, 1, 'imports itself');
  const root = parse(text(project.root, file), file);
  root.walkAtRules('import', (rule) => {
    const other = resolved(file, rule.params.replace(/^(url\()?['"]?|['"]?\)?$/g, ''));
    if (!has(project.root, other)) throw new Fault(file, rule.source.start.line, `${other} is missing`);
    rule.replaceWith(parsed(project, other, [...above, file]));
  });
  root.walkDecls((declaration) => {
    declaration.value = declaration.value.replace(LENGTH, 'calc($1 * var(--$2))');
    const local = /url\(\s*['"]?(?!data:|https:)/.test(declaration.value);
    if (local) throw new Fault(file, declaration.source.start.line, 'WXSS cannot show a file of the mini-program: use <image>');
  });
  return root;
}

function parse(content, file) {
  try {
    return postcss.parse(content);
  } catch (error) {
    throw new Fault(file, error.line || lineOf(content, ''), error.reason || error.message);
  }
}
