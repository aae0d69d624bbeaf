/*
 * The files that a person hands to the mini-program: pictures of the album, documents of a chat, and reading them.
 *
 * Owns the temporary paths: each is good until the phone is closed, as in WeChat, and names nothing but what was chosen here.
 * What the mini-program writes itself stays on the phone, as in WeChat.
 * Chosen pictures stay as they are: WeChat makes some smaller, by rules of its own and not on every phone.
 */
export const USER_DATA_PATH = 'wxfile://usr'; // where the files are that the mini-program writes itself
const ENDINGS = { image: 'image/*', video: 'video/*' };

/* The calls about files; `choose(accept, several)` asks the person and resolves to files, or to null when they do not want to. */
export function makeFiles(choose, Refusal, phone, lasting = localStorage) {
  const kept = new Map();
  const written = `file:${phone.name}:`; // what is written, as base64

  function keep(file) {
    const path = URL.createObjectURL(file);
    kept.set(path, file);
    return path;
  }

  async function chosen(accept, count) {
    const files = await choose(accept, count > 1);
    if (!files || !files.length) throw new Refusal('cancel');
    return files.slice(0, count);
  }

  async function chooseMedia({ count = 9, mediaType = ['image', 'video'] }) {
    const files = await chosen(mediaType.map((type) => ENDINGS[type]).join(','), count);
    const tempFiles = files.map((file) => ({ tempFilePath: keep(file), size: file.size, fileType: kindOf(file) }));
    const types = new Set(tempFiles.map(({ fileType }) => fileType));
    return { tempFiles, type: types.size > 1 ? 'mix' : tempFiles[0].fileType, failedCount: 0 };
  }

  async function chooseMessageFile({ count, type = 'all', extension = [] }) {
    const accept = type === 'file' ? extension.map((ending) => `.${ending}`).join(',') : ENDINGS[type] || '';
    const files = await chosen(accept, count);
    return { tempFiles: files.map((file) => ({ path: keep(file), size: file.size, name: file.name, type: kindOf(file) })) };
  }

  function known(path, deed) {
    const text = kept.has(path) ? null : lasting.getItem(written + path);
    if (text !== null) kept.set(path, new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]));
    if (!kept.has(path)) throw new Refusal(`no such file or directory, ${deed} ${path}`);
    return kept.get(path);
  }

  /* The width is kept to, the height follows; a picture is never made wider. */
  async function compressImage({ src, quality = 80, compressedWidth }) {
    const file = known(src, 'open');
    const picture = await createImageBitmap(file).catch(() => {
      throw new Refusal('the picture cannot be read');
    });
    const scale = Math.min(1, (compressedWidth || picture.width) / picture.width);
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
    const drawn = await new Promise((resolve) => canvas.toBlob(resolve, file.type, quality / 100));
    return { tempFilePath: keep(drawn) };
  }

  function getFileInfo({ filePath }) {
    return { size: known(filePath, 'stat').size };
  }

  /* Text in an encoding, or an ArrayBuffer when none is named. */
  async function readFile({ filePath, encoding }) {
    const buffer = await known(filePath, 'open').arrayBuffer();
    if (!encoding) return { data: buffer };
    if (encoding === 'base64') return { data: base64(buffer) };
    if (encoding === 'utf8' || encoding === 'utf-8') return { data: new TextDecoder().decode(buffer) };
    throw new Refusal(`the encoding ${encoding} is not made in browser/files.js`);
  }

  /* Every status is a success; what came is in the file. */
  async function downloadFile({ url, header = {} }) {
    const made = new URL(url, location.origin);
    if (made.origin !== location.origin) throw new Refusal('url not in domain list');
    if (!phone.online) throw new Refusal('net::ERR_INTERNET_DISCONNECTED');
    const response = await fetch(made, { headers: header, cache: 'no-store' });
    phone.tell('requested', { path: made.pathname, method: 'GET', status: response.status });
    return { statusCode: response.status, tempFilePath: keep(await response.blob()) };
  }

  /* The browser shows it in a page of its own. */
  function openDocument({ filePath, fileType }) {
    const file = known(filePath, 'open');
    phone.tell('opened', { type: fileType, size: file.size });
    const shown = filePath.startsWith('blob:') ? filePath : URL.createObjectURL(new Blob([file], { type: `application/${fileType}` }));
    window.open(shown, '_blank', 'noopener');
  }

  async function writeFile({ filePath, data }) {
    if (!filePath.startsWith(`${USER_DATA_PATH}/`)) throw new Refusal(`permission denied, open ${filePath}`);
    const file = new Blob([data]);
    try {
      lasting.setItem(written + filePath, base64(await file.arrayBuffer()));
    } catch (error) {
      throw new Refusal('the maximum size of the file storage limit is exceeded');
    }
    kept.set(filePath, file);
  }

  function unlink({ filePath }) {
    known(filePath, 'unlink');
    kept.delete(filePath);
    lasting.removeItem(written + filePath);
  }

  /* To whom it is sent is asked by WeChat, and not told to the mini-program. */
  function shareFileMessage({ filePath, fileName }) {
    phone.tell('shared', { name: fileName, size: known(filePath, 'open').size });
  }

  return { chooseMedia, chooseMessageFile, compressImage, downloadFile, getFileInfo, openDocument, readFile, shareFileMessage, unlink, writeFile };
}

function kindOf(file) {
  return ['image', 'video'].find((kind) => file.type.startsWith(`${kind}/`)) || 'file';
}

export function base64(buffer) {
  return btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(''));
}
