/*
 * `npm run page`: one file, built/verify.html, that verifies a pasted code in a browser. Its policy forbids the browser every
 * connection, so that nothing can be sent, and allows this script alone.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const BUILT = path.join(HERE, '..', 'built');

const { outputFiles } = await esbuild.build({
  entryPoints: [path.join(HERE, 'page.js')], bundle: true, format: 'iife', target: 'es2022', charset: 'utf8', minify: true, write: false,
});
const script = outputFiles[0].text.replaceAll('</script', '<\\/script');
const style = readFileSync(path.join(HERE, 'page.css'), 'utf8');
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; form-action 'none'; base-uri 'none'`;
const parts = { policy, style, script };
const page = readFileSync(path.join(HERE, 'page.html'), 'utf8').replace(/<!-- (policy|style|script) -->/g, (_, name) => parts[name]);
mkdirSync(BUILT, { recursive: true });
writeFileSync(path.join(BUILT, 'verify.html'), page);
