import { hash, randomBytes } from 'node:crypto';

const BLOCK = 64;
const DIGEST = 32;
const KEEP = 64 * 1024;
const LARGE = 1024 * 1024;

/** Where bytes are put together before they are hashed. Used synchronously, by one at a time. */
let scratch = Buffer.allocUnsafeSlow(KEEP);

/** Room for so many bytes; what one large text has made large is given back with the next. */
function room(bytes: number): Buffer {
  if (bytes > scratch.length || (scratch.length > LARGE && bytes <= LARGE)) {
    scratch = Buffer.allocUnsafeSlow(Math.max(KEEP, 2 * bytes));
  }
  return scratch;
}

/**
 * SHA-256 of a text in UTF-8, as 32 characters of one byte each. Every half of a surrogate pair that stands alone counts
 * as the same character.
 */
export function digestOf(text: string): string {
  const bytes = room(3 * text.length);
  return hash('sha256', bytes.subarray(0, bytes.write(text, 0, 'utf8')), 'binary');
}

/**
 * HMAC-SHA-256 under a key that never leaves it, full length (FIPS 198-1: the key of 32 bytes is padded to a block). Made
 * of two plain hashes, because those cost a fifth of what an HMAC object does for a short text.
 */
export class KeyedHash {
  readonly #inner = Buffer.alloc(BLOCK);
  readonly #outer = Buffer.alloc(BLOCK + DIGEST);

  constructor(key: Buffer = randomBytes(DIGEST)) {
    if (key.length !== DIGEST) throw new RangeError('the key must have 32 bytes');
    for (let index = 0; index < BLOCK; index++) {
      const byte = key[index] ?? 0;
      this.#inner[index] = 0x36 ^ byte;
      this.#outer[index] = 0x5c ^ byte;
    }
  }

  /** The hash of a text of one-byte characters, such as digests, as 32 characters of one byte each. */
  of(text: string): string {
    const bytes = room(BLOCK + text.length);
    bytes.set(this.#inner);
    const length = bytes.write(text, BLOCK, 'latin1');
    this.#outer.write(hash('sha256', bytes.subarray(0, BLOCK + length), 'binary'), BLOCK, 'latin1');
    return hash('sha256', this.#outer, 'binary');
  }
}
