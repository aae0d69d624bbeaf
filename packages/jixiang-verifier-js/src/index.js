/*
 * Verifies what a Jixiang code says by the published keys alone; written from docs/reference/ and nothing else.
 * Works in Node and in browsers: no network, no clock but the one that is given, no storage.
 */
export { readTrustList, verifyForeign } from './issuers.js';
export { parseKeys } from './keys.js';
export { Refused } from './refused.js';
export { readRevocationList } from './revocations.js';
export { verify } from './tokens.js';
