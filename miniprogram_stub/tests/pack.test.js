/* The libraries as a phone gets them: packed, and with no module but their own to ask for. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const vm = require('node:vm');

/* Load a packed library as a phone does: there is no module to require, and no browser around it. */
function onPhone(file) {
  const module = { exports: {} };
  const require = (name) => {
    throw new Error(`module '${name}' is not defined`);
  };
  const run = vm.runInNewContext(`(function (module, exports, require) {${fs.readFileSync(file, 'utf8')}})`, { Uint8Array });
  run(module, module.exports, require);
  return module.exports;
}

test('the libraries load where nothing can be required, and do their work', async () => {
  const { pack } = await import('../pack.mjs');
  const target = fs.mkdtempSync(path.join(os.tmpdir(), 'packed-'));
  try {
    await pack(target);
    const nacl = onPhone(path.join(target, 'tweetnacl', 'index.js'));
    assert.equal(nacl.sign.detached.verify(new Uint8Array(3), new Uint8Array(64).fill(1), new Uint8Array(32).fill(1)), false);
    assert.equal(onPhone(path.join(target, 'fast-sha256', 'index.js'))(new Uint8Array(0))[0], 0xe3);
    const loaded = onPhone(path.join(target, 'qrcode-generator', 'index.js'));
    const code = (loaded.default || loaded)(8, 'M');
    code.addData('JX1:', 'Alphanumeric');
    code.make();
    assert.equal(code.getModuleCount(), 49);
  } finally {
    fs.rmSync(target, { recursive: true });
  }
});
