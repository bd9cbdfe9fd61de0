import { plainLetter } from '../text/fold.ts';

/** Event bit of a transition into a state where at least one literal ends. */
const HIT = 1;

/** Most literals, and most characters of all literals together, that one automaton takes. */
const AUTOMATON_LIMITS = { literals: 100_000, characters: 1_500_000 } as const;

/** Bounds the memory of one automaton to 256 MB while it is built. */
const TABLE_ENTRIES = 64_000_000;

/**
 * Aho-Corasick over lower-case literals in typed arrays: finds every occurrence of every literal in one pass, whatever
 * their number. ASCII case is folded while reading; other letters match in the two cases JavaScript knows for them.
 *
 * A state is the offset of its row in `table`; an entry holds the next state shifted by one and the bit `HIT`.
 */
export class Automaton {
  /** Class of an ASCII character in the low byte; bit 8 marks the digits. */
  readonly ascii: Uint16Array;
  readonly table: Int32Array;
  /** Whether any literal holds a character outside ASCII. */
  readonly wide: boolean;
  readonly longest: number;

  private readonly wideClasses = new Map<number, number>();
  private readonly width: number;
  private readonly depths: Int32Array;
  private readonly lengths: Int32Array;
  /** Literals that end in a state: `outputs[heads[state] .. heads[state + 1]]`. */
  private readonly heads: Int32Array;
  private readonly outputs: Int32Array;

  /**
   * @param literals Folded lower-case texts; their index is their id. Empty ones are not allowed.
   * @throws RangeError above {@link AUTOMATON_LIMITS}.
   */
  constructor(literals: readonly string[]) {
    const characters = literals.reduce((sum, literal) => sum + literal.length, 0);
    if (literals.length > AUTOMATON_LIMITS.literals || characters > AUTOMATON_LIMITS.characters) {
      throw new RangeError(
        `at most ${AUTOMATON_LIMITS.literals} keywords of together ${AUTOMATON_LIMITS.characters} characters`,
      );
    }
    this.ascii = new Uint16Array(128);
    for (let digit = 48; digit < 58; digit++) this.ascii[digit] = 256;
    this.width = this.assignClasses(literals);
    this.wide = this.wideClasses.size > 0;
    this.lengths = Int32Array.from(literals, (literal) => literal.length);
    this.longest = literals.reduce((longest, literal) => Math.max(longest, literal.length), 0);

    const trie = this.buildTrie(literals, characters);
    this.depths = trie.depths;
    const linked = this.link(trie);
    this.table = linked.table;
    this.heads = linked.heads;
    this.outputs = linked.outputs;
  }

  /** For each ASCII character whether no literal begins with it, in either case. */
  idleCharacters(): Uint8Array {
    return Uint8Array.from(this.ascii, (info) => (this.table[info & 255] === 0 ? 1 : 0));
  }

  /** Class of a character outside ASCII: of the letter without its accent when no literal has it with one; 0 for none. */
  wideClass(code: number): number {
    const own = this.wide ? this.wideClasses.get(code) : undefined;
    if (own !== undefined) return own;
    const plain = plainLetter(code);
    return plain === 0 ? 0 : (this.ascii[plain] as number) & 255;
  }

  /** Length of the longest literal beginning that the text read so far ends with. */
  depth(state: number): number {
    return this.depths[state / this.width] ?? 0;
  }

  /** Calls `sink` for each literal that ends in `state`, longest first. */
  forEachHit(state: number, sink: (literal: number, length: number) => void): void {
    const row = state / this.width;
    const end = this.heads[row + 1] ?? 0;
    for (let i = this.heads[row] ?? 0; i < end; i++) {
      const literal = this.outputs[i] ?? 0;
      sink(literal, this.lengths[literal] ?? 0);
    }
  }

  /** Classes of ASCII characters come first, so that they fit the low byte. */
  private assignClasses(literals: readonly string[]): number {
    const codes = new Set<number>();
    for (const literal of literals) for (let i = 0; i < literal.length; i++) codes.add(literal.charCodeAt(i));
    let next = 1;
    for (const code of [...codes].sort((a, b) => a - b)) {
      const upper = String.fromCharCode(code).toUpperCase();
      const other = upper.length === 1 ? upper.charCodeAt(0) : code;
      if (code < 128) {
        this.ascii[code] = (this.ascii[code] ?? 0) | next;
        if (other < 128 && other !== code) this.ascii[other] = next;
      } else {
        this.wideClasses.set(code, next);
        if (other >= 128 && !codes.has(other)) this.wideClasses.set(other, next);
      }
      next += 1;
    }
    // A phrase may be broken over lines. Where no literal asks for them, tabs and line ends count as the space.
    for (const code of [9, 10, 13]) if (!codes.has(code)) this.ascii[code] = (this.ascii[32] ?? 0) & 255;
    return next;
  }

  private classOf(code: number): number {
    return code < 128 ? (this.ascii[code] ?? 0) & 255 : this.wideClass(code);
  }

  private buildTrie(literals: readonly string[], characters: number) {
    const width = this.width;
    if ((characters + 1) * width > TABLE_ENTRIES)
      throw new RangeError('the keywords are too many for one guardrail; split the list');
    const next = new Int32Array((characters + 1) * width);
    const depths = new Int32Array(characters + 1);
    const ends: number[][] = [[]];
    let count = 1;
    literals.forEach((literal, id) => {
      let row = 0;
      for (let i = 0; i < literal.length; i++) {
        const slot = row * width + this.classOf(literal.charCodeAt(i));
        let child = next[slot] ?? 0;
        if (child === 0) {
          child = count;
          count += 1;
          next[slot] = child;
          depths[child] = i + 1;
          ends.push([]);
        }
        row = child;
      }
      ends[row]?.push(id);
    });
    return { next, depths, ends, count };
  }

  private link(trie: { next: Int32Array; ends: number[][]; count: number }) {
    const { next, ends, count } = trie;
    const width = this.width;
    const fail = new Int32Array(count);
    const order: number[] = [];
    for (let c = 0; c < width; c++) if ((next[c] ?? 0) !== 0) order.push(next[c] ?? 0);
    for (let i = 0; i < order.length; i++) {
      const row = order[i] ?? 0;
      const back = fail[row] ?? 0;
      const inherited = ends[back] ?? [];
      if (inherited.length > 0) ends[row] = [...(ends[row] ?? []), ...inherited];
      for (let c = 0; c < width; c++) {
        const child = next[row * width + c] ?? 0;
        const other = next[back * width + c] ?? 0;
        if (child === 0) next[row * width + c] = other;
        else {
          fail[child] = other;
          order.push(child);
        }
      }
    }
    const heads = new Int32Array(count + 1);
    const outputs: number[] = [];
    for (let row = 0; row < count; row++) {
      heads[row] = outputs.length;
      for (const id of ends[row] ?? []) outputs.push(id);
    }
    heads[count] = outputs.length;
    const table = new Int32Array(count * width);
    for (let i = 0; i < table.length; i++) {
      const row = next[i] ?? 0;
      table[i] = ((row * width) << 1) | ((ends[row] ?? []).length > 0 ? HIT : 0);
    }
    return { table, heads, outputs: Int32Array.from(outputs) };
  }
}
