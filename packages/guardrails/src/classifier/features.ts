import { CLASS_COUNT, classOf } from './word-classes.ts';

/** Buckets that features are hashed into. */
export const BUCKET_BITS = 18;
export const BUCKETS = 1 << BUCKET_BITS;

/** Only this much of a text is read, in UTF-16 units. */
export const READ_UNITS = 65_536;

/** Of a longer word, only so many characters give character features: keys and encoded data are all alike. */
const WORD_UNITS = 20;
/** A unit of text ends at the end of a sentence once it has this many words, and in any case after so many. */
const UNIT_WORDS = 6;
const LONGEST_UNIT = 32;
/** Parts of speech are seen together up to this many words apart. */
const CLASS_REACH = 6;

const PRIME = 0x01000193;
const [SEED_CHARS, SEED_PAIR, SEED_TRIPLE, SEED_SKIP, SEED_CLASS, SEED_CLASSES, SEED_MARK, SEED_SHAPE] = [
  0x1b873593, 0x3c6ef372, 0x5be0cd19, 0x2545f491, 0x6a09e667, 0x510e527f, 0x1f83d9ab, 0x9b05688c,
];
const START = 0x7fb5d329 | 0;

/** Turns a hash into a bucket. */
function bucket(hash: number): number {
  let h = hash ^ (hash >>> 15);
  h = Math.imul(h, 0x2c1b3c6d);
  h ^= h >>> 12;
  h = Math.imul(h, 0x297a2d39);
  return (h ^ (h >>> 15)) >>> (32 - BUCKET_BITS);
}

/**
 * Reads a text as hashed features: words, pairs and triples of words, groups of four characters inside words, marks, and which
 * parts of speech stand close together. Training and use read with the same code.
 *
 * One object is used again and again: reading allocates nothing once its arrays have grown.
 */
export class FeatureReader {
  /** Buckets, in the order of the text. */
  features = new Int32Array(8_192);
  count = 0;
  /** The text is cut into units of about a sentence: where in `features` each ends. */
  unitEnds = new Int32Array(512);
  units = 0;
  /** Words read. */
  words = 0;

  private readonly lastSeen = new Int32Array(CLASS_COUNT);
  private previous = START;
  private beforePrevious = START;
  private unitWords = 0;
  private repeats = 0;
  /** Where the features of the word that is being read begin. */
  private wordFrom = 0;
  private lastMark = 0;
  private upperWords = 0;

  /** Reads a folded text (see `text/view.ts`); case does not matter. */
  read(text: string): void {
    this.count = 0;
    this.units = 0;
    this.words = 0;
    this.upperWords = 0;
    this.lastSeen.fill(-1_000);
    this.startUnit();
    const length = Math.min(text.length, READ_UNITS);
    let at = 0;
    while (at < length) {
      const code = text.charCodeAt(at);
      if (isWordCode(code)) at = this.readWord(text, at, length);
      else if (code === 32) at += 1;
      else at = this.readMark(text, at, length);
    }
    if (this.words > 3 && this.upperWords * 2 > this.words) this.push(SEED_SHAPE ^ 1);
    if (this.count > (this.units === 0 ? 0 : (this.unitEnds[this.units - 1] as number))) this.endUnit();
  }

  private readWord(text: string, from: number, length: number): number {
    let hash = 0x811c9dc5 | 0;
    let at = from;
    let [a, b, c] = [32, 32, 32];
    let digits = 0;
    let upper = 0;
    const ideograph = isIdeograph(text.charCodeAt(from));
    const surrogate = isSurrogate(text.charCodeAt(from));
    this.reserve(WORD_UNITS + CLASS_COUNT + 16);
    this.wordFrom = this.count;
    this.lastMark = 0;
    for (; at < length; at++) {
      let code = text.charCodeAt(at);
      if (code >= 48 && code <= 57) {
        digits += 1;
        code = 48;
      } else if (code < 128) {
        if (!isAsciiWord(code)) break;
        if (code >= 65 && code <= 90) {
          upper += 1;
          code += 32;
        }
      } else {
        if (!isWordCode(code) || (at > from && !surrogate && (isIdeograph(code) || isSurrogate(code)))) break;
        if (surrogate && at > from + 1) break;
        code = lower(code);
      }
      if (at - from < WORD_UNITS) {
        hash = Math.imul(hash ^ code, PRIME);
        if (at > from + 1) this.push(gram(a, b, c, code));
        [a, b, c] = [b, c, code];
      }
      if (ideograph) {
        at += 1;
        break;
      }
    }
    const size = at - from;
    if (!ideograph && size >= 2) this.push(gram(a, b, c, 32));
    if (size > 24) this.push(SEED_SHAPE ^ (digits > 2 && upper > 2 ? 2 : 3));
    if (upper >= 2 && upper === size) this.upperWords += 1;
    this.word(hash);
    return at;
  }

  private word(hash: number): void {
    const { previous, beforePrevious } = this;
    // A word said again and again says nothing new, and would else outweigh everything.
    if (hash === previous || (hash === beforePrevious && this.repeats > 0)) {
      this.repeats += 1;
      this.count = this.wordFrom;
      return;
    }
    this.repeats = hash === beforePrevious ? 1 : 0;
    this.push(hash);
    this.push(Math.imul(previous, SEED_PAIR | 1) ^ hash);
    this.push(Math.imul(Math.imul(beforePrevious, SEED_PAIR | 1) ^ previous, SEED_TRIPLE | 1) ^ hash);
    this.push(Math.imul(beforePrevious, SEED_SKIP | 1) ^ hash);
    const own = classOf(hash);
    if (own >= 0) {
      this.push(SEED_CLASS ^ own);
      for (let other = 0; other < CLASS_COUNT; other++) {
        const distance = this.words - (this.lastSeen[other] as number);
        if (distance <= CLASS_REACH) this.push(SEED_CLASSES ^ Math.imul(other * 64 + own + 1, PRIME));
      }
      this.lastSeen[own] = this.words;
    }
    this.beforePrevious = previous;
    this.previous = hash;
    this.words += 1;
    this.unitWords += 1;
    if (this.unitWords >= LONGEST_UNIT) this.endUnit();
  }

  /** Up to three marks that are not part of a word, as one. */
  private readMark(text: string, from: number, length: number): number {
    let hash = SEED_MARK;
    let at = from;
    let ends = false;
    while (at < length && at < from + 3) {
      const code = text.charCodeAt(at);
      if (code === 32 || isWordCode(code)) break;
      if (code === 46 || code === 33 || code === 63 || code === 10 || code === 0x3002) ends = true;
      hash = Math.imul(hash ^ code, PRIME);
      at += 1;
    }
    if (hash !== this.lastMark) {
      this.lastMark = hash;
      this.reserve(8);
      this.push(hash);
      this.push(Math.imul(this.previous, SEED_PAIR | 1) ^ hash);
    }
    if (ends && this.unitWords >= UNIT_WORDS) this.endUnit();
    return at;
  }

  private startUnit(): void {
    this.previous = START;
    this.beforePrevious = START;
    this.unitWords = 0;
    this.repeats = 0;
  }

  private endUnit(): void {
    if (this.units === this.unitEnds.length) {
      const grown = new Int32Array(this.unitEnds.length * 2);
      grown.set(this.unitEnds);
      this.unitEnds = grown;
    }
    this.unitEnds[this.units] = this.count;
    this.units += 1;
    this.startUnit();
  }

  private push(hash: number): void {
    this.features[this.count] = bucket(hash);
    this.count += 1;
  }

  private reserve(more: number): void {
    if (this.count + more <= this.features.length) return;
    const grown = new Int32Array(this.features.length * 2);
    grown.set(this.features);
    this.features = grown;
  }
}

function gram(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(SEED_CHARS ^ a, PRIME);
  hash = Math.imul(hash ^ b, PRIME);
  hash = Math.imul(hash ^ c, PRIME);
  return Math.imul(hash ^ d, PRIME);
}

/** Letters, digits and `_`. */
function isAsciiWord(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95
  );
}

/** Part of a word: everything outside ASCII but spaces, punctuation and symbols that are no emoji. */
function isWordCode(code: number): boolean {
  if (code < 128) return isAsciiWord(code);
  if (code < 0xc0) return code === 0xaa || code === 0xb5 || code === 0xba;
  return !((code >= 0x2010 && code <= 0x206f) || (code >= 0x3000 && code <= 0x303f) || code === 0xd7);
}

function isIdeograph(code: number): boolean {
  return (code >= 0x3040 && code <= 0x9fff) || (code >= 0x2600 && code <= 0x27bf);
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

/** The small letter of the scripts whose capitals stand at a fixed distance. */
function lower(code: number): number {
  if (code >= 0xc0 && code <= 0xde) return code + 32;
  if (code >= 0x391 && code <= 0x3a9) return code + 32;
  if (code >= 0x410 && code <= 0x42f) return code + 32;
  if (code >= 0x400 && code <= 0x40f) return code + 80;
  if (code >= 0x100 && code <= 0x137 && (code & 1) === 0) return code + 1;
  return code;
}
