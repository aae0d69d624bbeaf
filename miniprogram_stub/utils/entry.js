/* What an entry QR code tells the page that it opens: the scene, `from=poster`, as WeChat hands it over, encoded. */
function entryOf(query) {
  const entry = {};
  decode(query.scene || '')
    .split('&')
    .filter((part) => part.includes('='))
    .forEach((part) => {
      const [name, value] = part.split('=');
      entry[name] = value;
    });
  return entry;
}

/* Anyone can make a code with any scene: one that cannot be decoded tells nothing. */
function decode(scene) {
  try {
    return decodeURIComponent(scene);
  } catch (error) {
    return '';
  }
}

module.exports = { entryOf };
