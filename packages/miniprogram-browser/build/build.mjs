/*
 * `npm run build`: the mini-program's own source, compiled into built/ with the engine that runs it.
 *
 * Owns built/ and nothing else. A mistake in the source ends it with one line that names file and line, exit 1.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';

import { Fault, readProject, text } from './project.js';
import { compileStyles, scopeOf } from './styles.js';
import { compileTemplates } from './templates.js';

const HOME = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const PHONE = path.join(HOME, 'phone');

/* Compile the mini-program in `root` into `target`, which is made anew. Throws a Fault. */
export async function build(root, target) {
  const project = readProject(root);
  const files = { 'app.css': compileStyles(project), 'phone.js': await bundle(project, entry(project)) };
  const fresh = `${target}.new`;
  rmSync(fresh, { recursive: true, force: true });
  Object.entries(files).forEach(([name, content]) => put(path.join(fresh, name), content));
  ['phone.html', 'phone.css', 'elements.css'].forEach((name) => put(path.join(fresh, name), readFileSync(path.join(PHONE, name))));
  project.assets.forEach((file) => put(path.join(fresh, file), readFileSync(path.join(root, file))));
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
}

function put(file, content) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/* The program that starts the phone: the templates, what each unit is, and its code, loaded when the engine says so. */
function entry(project) {
  const units = project.units.map((unit) => {
    const facts = JSON.stringify({ ...unit, scope: scopeOf(unit) });
    return `{ ...${facts}, load: () => require('./${unit.path}.js') }`;
  });
  return `
    import { start } from ${JSON.stringify(path.join(PHONE, 'main.js'))};
    const templates = ${compileTemplates(project)};
    start({ app: ${JSON.stringify(project.app)}, templates, units: [${units.join(',\n')}], load: () => require('./app.js') });
  `;
}

async function bundle(project, contents) {
  const options = { bundle: true, write: false, format: 'iife', target: 'es2018', charset: 'utf8', logLevel: 'silent' };
  const plugins = [sameOrigin(project.root)];
  const stdin = { contents, resolveDir: project.root, sourcefile: 'entry.js' };
  const define = { 'process.env.NODE_ENV': '"production"' };
  try {
    const built = await esbuild.build({ ...options, absWorkingDir: HOME, nodePaths: [path.join(HOME, 'node_modules')], stdin, plugins, define });
    return built.outputFiles[0].text;
  } catch (error) {
    const [first] = error.errors || [];
    if (!first || !first.location) throw error;
    const file = path.relative(project.root, path.resolve(HOME, first.location.file));
    throw new Fault(file, first.location.line, first.text);
  }
}

/* In a browser the server is where the page comes from. */
function sameOrigin(root) {
  return {
    name: 'same-origin',
    setup(build) {
      build.onLoad({ filter: /[\\/]config\.js$/ }, (args) => {
        if (path.relative(root, args.path) !== 'config.js') return undefined;
        return { contents: `${text(root, 'config.js')}\nmodule.exports.server = '';`, loader: 'js' };
      });
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = Date.now();
  const root = path.resolve(process.argv[2] || path.join(HOME, '../../miniprogram_stub'));
  const target = path.resolve(process.argv[3] || path.join(HOME, 'built'));
  build(root, target).then(
    () => console.log(`${path.relative(process.cwd(), target)} built in ${((Date.now() - started) / 1000).toFixed(1)} s`),
    (error) => {
      console.error(error instanceof Fault ? error.message : error);
      process.exitCode = 1;
    },
  );
}
