/** Short keys for caches: what two requests have in common, in the same spelling. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** A longer key is replaced by its digest, so that no key makes a cache heavy. */
const MAX_KEY = 200;

/** The text itself, or its SHA-256 when it is long. A digest cannot be taken for a text: texts here are JSON. */
export function shortKey(text: string): string {
  return text.length <= MAX_KEY ? text : sha256Hex(text);
}

/** SHA-256 of a text's UTF-8 bytes, hexadecimal. */
export function sha256Hex(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}

/** The distinct numbers, ascending. */
export function sortedUnique(numbers: readonly number[]): number[] {
  if (numbers.length < 2) return [...numbers];
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** Orders texts by code units, as every list of names is ordered (C5). */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
