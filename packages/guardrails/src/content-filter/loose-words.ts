import { plainLetter } from '../text/fold.ts';
import { Automaton } from './automaton.ts';
import { isGlue, type KeywordRule, type Match, type Rule } from './rule.ts';

/** Keywords with fewer letters turn up by chance; longer ones would make a stream wait too long. */
const LETTERS = { least: 4, most: 120 } as const;
/** Between two letters of a keyword stand at most so many other characters. */
const GAP = 4;
/** A letter repeated more often than this ends every keyword. */
const REPEATS = 48;
/** How far after a letter the decision about a keyword that ends there looks. */
const LOOKAHEAD = REPEATS + 2;

/** Signs and digits that stand for letters, by letter. */
const LEET: Readonly<Record<string, string>> = {
  a: '4@',
  b: '8',
  e: '3',
  g: '9',
  i: '1!|',
  l: '1|!',
  o: '0',
  s: '5$',
  t: '7+',
  z: '2',
};

/**
 * Letters as they are compared at first: small, with digits and signs for letters, `i` and `l` as one (both are written `1`).
 * 0 for everything else.
 */
const CANONICAL = new Uint8Array(128);
for (let code = 97; code <= 122; code++) {
  CANONICAL[code] = code === 108 ? 105 : code;
  CANONICAL[code - 32] = code === 108 ? 105 : code;
}
for (const [letter, signs] of Object.entries(LEET)) {
  for (const sign of signs) CANONICAL[sign.charCodeAt(0)] = CANONICAL[letter.charCodeAt(0)] as number;
}

interface LooseWord {
  readonly rule: KeywordRule;
  /** Its words, of small letters. */
  readonly words: readonly string[];
  readonly letters: number;
}

/** The keywords of a program that are also found when somebody spelled them oddly. Immutable. */
export class LooseWords {
  readonly words: readonly LooseWord[];
  readonly automaton: Automaton;
  readonly longest: number;

  /** @returns null when no keyword can be looked for in this way. */
  static of(rules: readonly Rule[]): LooseWords | null {
    const words = rules.flatMap((rule) => (rule.kind === 'keyword' ? looseWord(rule) : []));
    return words.length === 0 ? null : new LooseWords(words);
  }

  private constructor(words: readonly LooseWord[]) {
    this.words = words;
    this.automaton = new Automaton(words.map((word) => squash(word.words.join(''))));
    this.longest = words.reduce((most, word) => Math.max(most, word.letters), 0);
  }
}

function looseWord(rule: KeywordRule): LooseWord[] {
  const text = rule.text.toLowerCase();
  if (!/^[a-z]+(?: [a-z]+)*$/.test(text)) return [];
  const words = text.split(' ');
  const letters = words.reduce((sum, word) => sum + word.length, 0);
  return letters < LETTERS.least || letters > LETTERS.most ? [] : [{ rule, words, letters }];
}

/** The first form of comparison: canonical letters without repetitions. */
function squash(letters: string): string {
  let text = '';
  for (let i = 0; i < letters.length; i++) {
    const char = String.fromCharCode(CANONICAL[letters.charCodeAt(i)] ?? 0);
    if (!text.endsWith(char)) text += char;
  }
  return text;
}

/**
 * Looks for oddly spelled keywords in a growing folded text: digits and signs for letters, something between the letters or
 * between the words, no spaces at all, letters repeated. Keywords written plainly are found elsewhere.
 */
export class LooseScan {
  readonly found: Match[] = [];

  private readonly loose: LooseWords;
  private readonly table: Int32Array;
  private text = '';
  private base = 0;
  private state = 0;
  private last = 0;
  private gap = 0;
  private repeats = 0;
  /** Where the canonical letters read last begin, and where the last repetition of each begins a word. */
  private readonly starts: number[] = [];
  private readonly restarts: number[] = [];
  /** Keywords whose letters have been read: which, and where they begin and how far they had been read. */
  private readonly waiting: {
    readonly word: LooseWord;
    readonly starts: readonly number[];
    readonly read: number;
  }[] = [];

  constructor(loose: LooseWords) {
    this.loose = loose;
    this.table = loose.automaton.table;
  }

  reset(): void {
    this.found.length = 0;
    this.text = '';
    this.base = 0;
    this.forgetLetters();
    this.waiting.length = 0;
  }

  /** Takes the next piece. @returns the position before which no match begins that is not in {@link found}. */
  advance(piece: string, done: boolean): number {
    const from = this.text.length;
    this.text = from === 0 ? piece : this.text + piece;
    for (let i = from; i < this.text.length; i++) this.read(this.text.charCodeAt(i), this.base + i);
    const end = this.base + this.text.length;
    let left = 0;
    for (const candidate of this.waiting) {
      if (done || candidate.read + LOOKAHEAD <= end) this.judge(candidate);
      else this.waiting[left++] = candidate;
    }
    this.waiting.length = left;
    const depth = this.loose.automaton.depth(this.state);
    let open = end;
    if (!done) {
      open = this.starts[this.starts.length - depth] ?? end;
      for (const candidate of this.waiting) open = Math.min(open, candidate.starts[0] ?? open);
    }
    this.forget(open - 1);
    return open;
  }

  /** Position before which nothing is looked at any more. */
  get retainedFrom(): number {
    return this.base;
  }

  private forgetLetters(): void {
    this.state = 0;
    this.last = 0;
    this.gap = 0;
    this.repeats = 0;
    this.starts.length = 0;
    this.restarts.length = 0;
  }

  private read(code: number, position: number): void {
    const canonical = CANONICAL[code < 128 ? code : plainLetter(code)] as number;
    if (canonical === 0) {
      this.gap += 1;
      if (this.gap > GAP && this.last !== 0) this.forgetLetters();
      return;
    }
    if (canonical === this.last) {
      this.repeats += 1;
      if (this.repeats > REPEATS) {
        this.forgetLetters();
        return;
      }
      if (this.gap > 0) this.restarts[this.restarts.length - 1] = position;
      this.gap = 0;
      return;
    }
    this.last = canonical;
    this.gap = 0;
    this.repeats = 0;
    const { automaton } = this.loose;
    const entry = this.table[this.state + ((automaton.ascii[canonical] as number) & 255)] as number;
    this.state = entry >> 1;
    this.starts.push(position);
    this.restarts.push(position);
    if (this.starts.length > 4 * this.loose.longest + 64) {
      this.starts.splice(0, this.starts.length - this.loose.longest);
      this.restarts.splice(0, this.restarts.length - this.loose.longest);
    }
    if ((entry & 1) === 0) return;
    automaton.forEachHit(this.state, (literal, length) => {
      const word = this.loose.words[literal];
      if (word === undefined) return;
      const at = this.starts.length - length;
      const first = this.starts[at] ?? position;
      const other = this.restarts[at] ?? first;
      this.waiting.push({ word, starts: other === first ? [first] : [first, other], read: position });
    });
  }

  private judge({ word, starts }: { readonly word: LooseWord; readonly starts: readonly number[] }): void {
    for (const start of starts) {
      const end = this.align(word, start - this.base);
      if (end === null) continue;
      this.found.push({
        rule: word.rule,
        start,
        end: this.base + end,
        value: this.text.slice(start - this.base, end),
        strength: 0,
        via: 'reading',
      });
      return;
    }
  }

  /** Reads the keyword letter by letter from an index of the text. @returns where it ends, or null when it is not there or plain. */
  private align(word: LooseWord, from: number): number | null {
    const { text } = this;
    if (from > 0 && isGlue(text.charCodeAt(from - 1))) return null;
    const seen = { leet: 0, apart: 0, uneven: false, joined: 0, odd: 0, longer: 0, stretched: false };
    let at = from;
    for (let w = 0; w < word.words.length; w++) {
      const letters = word.words[w] ?? '';
      let apart = 0;
      for (let n = 0; n < letters.length; n++) {
        const letter = letters[n] ?? '';
        if (w > 0 || n > 0) {
          const gap = this.skip(at, letter);
          if (gap < 0) return null;
          if (n > 0) {
            if (gap > 0) apart += 1;
          } else if (gap === 0) seen.joined += 1;
          else if (/[,;:.!?]\s/.test(text.slice(at, at + gap + 1))) return null;
          else if (text.slice(at, at + gap).trim() !== '') seen.odd += 1;
          at += gap;
        }
        const code = text.charCodeAt(at);
        if (!stands(code, letter)) return null;
        if ((code | 32) !== letter.charCodeAt(0)) seen.leet += 1;
        at += 1;
        const next = letters[n + 1] ?? (w + 1 < word.words.length ? '' : null);
        if (next === letter) continue;
        let more = 0;
        while (more < REPEATS && same(text.charCodeAt(at + more), code)) more += 1;
        // The next word may begin with the same letter, directly after this one.
        const runs =
          next === '' && word.words[w + 1]?.startsWith(letter) === true && isGlue(text.charCodeAt(at + more));
        if (runs && more > 0) more -= 1;
        if (more > 0) {
          seen.longer += 1;
          seen.stretched ||= more > 1;
          at += more;
        }
      }
      seen.apart += apart;
      seen.uneven ||= apart > 0 && apart < letters.length - 1;
    }
    if (isGlue(text.charCodeAt(at))) return null;
    return this.accepts(word, seen) ? at : null;
  }

  /** Length of what stands before the next letter; -1 when it is too much. */
  private skip(at: number, letter: string): number {
    for (let gap = 0; gap <= GAP; gap++) {
      const code = this.text.charCodeAt(at + gap);
      if (stands(code, letter)) return gap;
      if (isGlue(code) || Number.isNaN(code)) return -1;
    }
    return -1;
  }

  /** Whether the way in which it is written is odd, and odd enough to be meant. */
  private accepts(
    { letters }: LooseWord,
    seen: {
      leet: number;
      apart: number;
      uneven: boolean;
      joined: number;
      odd: number;
      longer: number;
      stretched: boolean;
    },
  ): boolean {
    const plain = seen.leet + seen.apart + seen.joined + seen.odd + seen.longer === 0;
    if (plain || seen.leet > letters * 0.6) return false;
    // Something stands between all letters of a word, or between none.
    if (seen.uneven) return false;
    if (seen.longer > 0 && letters < 10 && !seen.stretched) return false;
    if (seen.joined > 0 && letters < 10) return false;
    return seen.odd === 0 || letters >= 6;
  }

  private forget(position: number): void {
    const drop = Math.min(position - this.base, this.text.length);
    if (drop < 2_048) return;
    this.text = this.text.slice(drop);
    this.base += drop;
  }
}

/** Whether a character is the letter or stands for it. */
function stands(unit: number, letter: string): boolean {
  const code = unit < 128 ? unit : plainLetter(unit);
  if ((code | 32) === letter.charCodeAt(0) && code < 128) return true;
  return code < 128 && (LEET[letter]?.includes(String.fromCharCode(code)) ?? false);
}

function same(a: number, b: number): boolean {
  return a === b || ((a | 32) === (b | 32) && (a | 32) >= 97 && (a | 32) <= 122);
}
