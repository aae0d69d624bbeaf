/*
 * What a mini-program keeps on this phone, in the browser's localStorage.
 *
 * Owns the limits that WeChat documents: 1 MB a key, 10 MB in all. Each phone sees only its own.
 */
const KEY = 1024 * 1024;
const WHOLE = 10 * KEY;

/* The storage whose keys begin so; it throws the given kind of error. */
export function makeStorage(prefix, Refusal, kept = localStorage) {
  const listeners = [];
  const names = () => Object.keys(kept).filter((key) => key.startsWith(prefix));
  const size = () => names().reduce((sum, key) => sum + key.length - prefix.length + kept.getItem(key).length, 0);
  const changed = () => listeners.forEach((listener) => listener());

  function needed(key) {
    const text = kept.getItem(prefix + key);
    if (text === null) throw new Refusal('data not found');
    return JSON.parse(text).value;
  }

  function set(key, value) {
    if (typeof key !== 'string' || !key) throw new Refusal('parameter error: key should be a string');
    const text = JSON.stringify({ value: value === undefined ? '' : value });
    const before = (kept.getItem(prefix + key) || '').length;
    if (text.length > KEY) throw new Refusal('entry size limit reached');
    if (size() - before + text.length > WHOLE) throw new Refusal('the size of the storage is exceeded');
    kept.setItem(prefix + key, text);
    changed();
  }

  return {
    needed,
    set,
    get: (key) => (kept.getItem(prefix + key) === null ? '' : needed(key)),
    remove: (key) => {
      kept.removeItem(prefix + key);
      changed();
    },
    clear: () => {
      names().forEach((key) => kept.removeItem(key));
      changed();
    },
    info: () => {
      const keys = names().map((key) => key.slice(prefix.length));
      return { keys, currentSize: Math.ceil(size() / 1024), limitSize: WHOLE / 1024 };
    },
    onChange: (listener) => listeners.push(listener),
  };
}
