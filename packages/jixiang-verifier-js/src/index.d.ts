/** The first check that a token or a list does not pass. */
export type Check =
  | 'malformed' | 'unknown-key' | 'forged' | 'not-yet-valid' | 'expired' | 'broken'
  | 'older' | 'from-future' | 'list-expired' | 'issuer-suspended' | 'key-revoked';

/** A token or a list that must not be used. */
export class Refused extends Error {
  readonly check: Check;
}

/** The published keys, as `parseKeys` returns them. */
export interface KeySet {
  readonly keys: readonly Key[];
  readonly retired: readonly Key[];
}

export interface Key {
  readonly kid: string;
  readonly publicKey: Uint8Array;
  /** The second since 1970 from which the next key signs. */
  readonly until: number;
}

/** What a phone shows: the state at `issuedAt`. From a strip it is valid from `beginsAt`, with an older state. */
export interface Code {
  readonly form: 'JX1' | 'JX3';
  readonly state: 'UNVERIFIED' | 'GREEN' | 'YELLOW' | 'ORANGE' | 'RED';
  readonly issuedAt: Date;
  readonly beginsAt: Date;
  readonly endsAt: Date;
}

/** A card on paper: no state, and nothing without the document of its holder. */
export interface Card {
  readonly form: 'JX2';
  /** The number in the list of cards that were reported lost: 16 hexadecimal digits. */
  readonly number: string;
  readonly issuedAt: Date;
  readonly endsAt: Date;
}

/** Cards that were reported lost, as of `madeAt`. A list with a greater version takes its place. */
export interface RevocationList {
  readonly version: number;
  readonly cards: number;
  readonly madeAt: Date;
  /** Whether a card may have been reported lost: then ask for another proof. */
  mayList(number: string): boolean;
}

/** Who states what a code of theirs says. */
export interface Issuer {
  readonly id: string;
  readonly region: string;
  readonly names: { readonly zh: string; readonly en: string; readonly ko: string };
  readonly isActive: boolean;
}

/** A trust list that is sound. Keep its version with the root key, also when the list is over. */
export interface TrustList {
  readonly version: number;
  readonly expiresAt: Date;
  readonly keys: readonly (Key & { readonly issuer: Issuer; readonly revoked: boolean; readonly since: number })[];
}

/** The statement of an issuer: nothing that the reader's own province knows. */
export type ForeignCode = Code & { readonly issuer: Issuer };

/** A trust list that the root key (43 characters of base64url) has signed; `known`: the greatest version ever read. Throws Refused. */
export function readTrustList(content: string, root: string, options?: { known?: number; at?: Date }): TrustList;

/** What a code says that an issuer of the list has signed. Throws Refused. */
export function verifyForeign(text: string, list: TrustList, options?: { at?: Date; skewSeconds?: number }): ForeignCode;

/** The keys of the JSON of `/.well-known/jixiang-keys`. Throws a TypeError with all that is wrong. */
export function parseKeys(published: unknown): KeySet;

/** What a code says at a moment (now, unless another is given). Throws Refused. */
export function verify(text: string, keys: KeySet, options?: { at?: Date; skewSeconds?: number }): Code | Card;

/** A list that works. Throws Refused: go on with the one before, or with none. */
export function readRevocationList(content: Uint8Array, keys: KeySet): RevocationList;
