/*
 * `npm run pack`: the libraries that run on a phone, packed into miniprogram_npm/ where WeChat looks for them.
 *
 * In place of "Build npm" in DevTools, which leaves a `require('crypto')` in tweetnacl that no phone can answer.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const LIBRARIES = ['tweetnacl', 'fast-sha256', 'qrcode-generator'];

export function pack(target) {
  rmSync(target, { recursive: true, force: true });
  const options = { bundle: true, platform: 'browser', format: 'cjs', target: 'es2018', absWorkingDir: HERE };
  return Promise.all(
    LIBRARIES.map((name) => esbuild.build({ ...options, entryPoints: [name], outfile: path.join(target, name, 'index.js') })),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await pack(path.join(HERE, 'miniprogram_npm'));
