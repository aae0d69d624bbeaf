/*
 * Addresses inside the mini-program: of pages with their query, and of files.
 *
 * Values of a query stay as they are written: a phone does not decode them either, so a page has to.
 */

/* Path and query of an address, which may be written as seen from the page at `from`. */
export function split(url, from = '') {
  const [written, search = ''] = url.split('#')[0].split('?');
  const pairs = search.split('&').filter(Boolean).map((pair) => [pair.split('=')[0], pair.split('=').slice(1).join('=')]);
  return { path: joined(written, from), query: Object.fromEntries(pairs) };
}

/* A picture or sound as the page or component at `from` writes it, as an address below the document. */
export function fileAddress(source, from) {
  return !source || /^(data:|https?:|blob:)/.test(source) ? source : joined(source, from);
}

/* The address to begin with, out of the document's own query: start names the page, and all but phone goes on to it. */
export function firstAddress(search, usual) {
  const pairs = search.replace(/^\?/, '').split('&').filter(Boolean);
  const start = pairs.find((pair) => pair.startsWith('start='));
  const [page, more] = (start ? decodeURIComponent(start.slice('start='.length)) : usual).replace(/^\//, '').split('?');
  const query = [more, ...pairs.filter((pair) => !/^(start|phone)=/.test(pair))].filter(Boolean).join('&');
  return query ? `/${page}?${query}` : `/${page}`;
}

function joined(written, from) {
  const base = written.startsWith('/') ? '' : from.slice(0, from.lastIndexOf('/') + 1);
  const parts = [];
  (base + written).split('/').forEach((part) => {
    if (part === '..') parts.pop();
    else if (part && part !== '.') parts.push(part);
  });
  return parts.join('/');
}
