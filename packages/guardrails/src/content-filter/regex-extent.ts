/**
 * How far a regular expression can reach: computed from its syntax, so that a stream knows when a match is certain.
 *
 * Understands the common syntax of JavaScript and of the Rust `regex` crate. Lengths are upper (`max`) and lower (`min`)
 * bounds in UTF-16 units; `max` is Infinity for an unbounded repeat. `before` and `after` bound what assertions look at
 * outside the match. `states` estimates the size of the expanded automaton.
 */
export interface Extent {
  readonly min: number;
  readonly max: number;
  readonly before: number;
  readonly after: number;
  readonly states: number;
  /** Code points that the expression names one by one, outside ranges. */
  readonly literals: ReadonlySet<number>;
  /** ASCII text that every match contains, in either case; empty when none is known. */
  readonly required: string;
}

/** What is known of a part of an expression. */
interface Size extends Omit<Extent, 'literals'> {
  /** The very text that the part matches, when it can only be one. */
  readonly exactly: string | null;
}

const EMPTY: Size = { min: 0, max: 0, before: 0, after: 0, states: 0, required: '', exactly: '' };
const EDGE: Size = { ...EMPTY, before: 1, after: 1, states: 1 };

/**
 * Measures an expression.
 * @throws SyntaxError for syntax it does not know; the engine that compiles the expression has the last word on that.
 */
export function regexExtent(source: string): Extent {
  const reader = new Reader(source);
  const size = reader.alternation();
  if (!reader.atEnd()) throw new SyntaxError('unbalanced parenthesis');
  const { min, max, before, after, states } = size;
  // In verbose mode spaces are no text, so what was read as one text may not be one.
  const required = reader.verbose ? '' : size.required;
  return { min, max, before, after, states, literals: reader.literals, required };
}

class Reader {
  readonly literals = new Set<number>();
  verbose = false;
  private at = 0;
  private depth = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  atEnd(): boolean {
    return this.at >= this.source.length;
  }

  alternation(): Size {
    this.depth += 1;
    if (this.depth > 100) throw new SyntaxError('groups are nested too deeply');
    let result = this.sequence();
    while (this.take('|')) result = either(result, this.sequence());
    this.depth -= 1;
    return result;
  }

  private sequence(): Size {
    let result = EMPTY;
    let run = '';
    let required = '';
    let exactly = true;
    while (!this.atEnd() && !this.ahead('|') && !this.ahead(')')) {
      const part = this.quantified();
      result = then(result, part);
      run = part.exactly === null ? '' : run + part.exactly;
      exactly &&= part.exactly !== null;
      required = longest(required, longest(run, part.required));
    }
    return { ...result, required, exactly: exactly ? run : null };
  }

  private quantified(): Size {
    let size = this.atom();
    for (;;) {
      const bounds = this.quantifier();
      if (bounds === null) return size;
      size = repeat(size, bounds[0], bounds[1]);
    }
  }

  private quantifier(): [number, number] | null {
    const lazy = (bounds: [number, number]): [number, number] => {
      this.take('?');
      return bounds;
    };
    if (this.take('*')) return lazy([0, Infinity]);
    if (this.take('+')) return lazy([1, Infinity]);
    if (this.take('?')) return lazy([0, 1]);
    const counted = /^\{(\d{1,9})?(,(\d{1,9})?)?\}/.exec(this.source.slice(this.at, this.at + 32));
    if (counted === null || (counted[1] === undefined && counted[3] === undefined)) return null;
    this.at += counted[0].length;
    const low = Number(counted[1] ?? 0);
    const high = counted[2] === undefined ? low : counted[3] === undefined ? Infinity : Number(counted[3]);
    return lazy([low, high]);
  }

  private atom(): Size {
    const char = this.next();
    switch (char) {
      case '(':
        return this.group();
      case '[':
        return this.characterClass();
      case '\\':
        return this.escape();
      case '^':
      case '$':
        return EDGE;
      case '.':
        return one(2);
      default:
        return this.literal(char);
    }
  }

  private group(): Size {
    if (!this.take('?')) return this.close(this.alternation());
    if (this.take('=') || this.take('!')) {
      const inner = this.close(this.alternation());
      return { ...EMPTY, after: inner.max + inner.after, before: inner.before, states: inner.states };
    }
    if (this.take('<=') || this.take('<!')) {
      const inner = this.close(this.alternation());
      return { ...EMPTY, before: inner.max + inner.before, after: inner.after, states: inner.states };
    }
    const name = /^(?:P?<[A-Za-z_][0-9A-Za-z_.[\]]*>|:)/.exec(this.source.slice(this.at, this.at + 300));
    if (name !== null) {
      this.at += name[0].length;
      return this.close(this.alternation());
    }
    const flags = /^[a-zA-Z-]{1,16}/.exec(this.source.slice(this.at, this.at + 20));
    if (flags === null) throw new SyntaxError('unknown group');
    // In verbose mode spaces and comments are no text, so nothing counted here would hold.
    const verbose = /^[^-]*x/.test(flags[0]);
    this.verbose ||= verbose;
    this.at += flags[0].length;
    const size = this.take(')') ? EMPTY : this.take(':') ? this.close(this.alternation()) : null;
    if (size === null) throw new SyntaxError('unknown group');
    return verbose ? { ...size, max: Infinity } : size;
  }

  private close(size: Size): Size {
    if (!this.take(')')) throw new SyntaxError('unclosed group');
    return size;
  }

  private escape(): Size {
    const char = this.next();
    if (char === 'b' || char === 'B') {
      this.take('{start}');
      this.take('{end}');
      this.take('{start-half}');
      this.take('{end-half}');
      return EDGE;
    }
    if ('AzZ<>G'.includes(char)) return EDGE;
    if (char === 'd') return one(1);
    if (char === 's') return one(1);
    if (char === 'w' || char === 'D' || char === 'S' || char === 'W') return one(2);
    if (char === 'p' || char === 'P') {
      if (this.take('{')) this.skipTo('}');
      else this.next();
      return one(2);
    }
    return this.literal(this.escapedCharacter(char));
  }

  /** The character named by an escape whose letter has been read. */
  private escapedCharacter(char: string): string {
    const controls: Readonly<Record<string, string>> = {
      n: '\n',
      r: '\r',
      t: '\t',
      f: '\f',
      v: '\v',
      a: '\u0007',
      '0': '\0',
    };
    const control = controls[char];
    if (control !== undefined) return control;
    const digits = { x: 2, u: 4, U: 8 }[char];
    if (digits === undefined) return char;
    const rest = this.source.slice(this.at, this.at + 12);
    const hex = /^\{([0-9A-Fa-f]{1,8})\}/.exec(rest) ?? new RegExp(`^([0-9A-Fa-f]{${digits}})`).exec(rest);
    if (hex === null) return char;
    this.at += hex[0].length;
    const code = Number.parseInt(hex[1] ?? '0', 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : char;
  }

  private characterClass(): Size {
    let wide = this.take('^');
    // A bracket directly after the opening one is a literal.
    this.take(']');
    for (;;) {
      const char = this.next();
      if (char === ']') return one(wide ? 2 : 1);
      if (char === '[') {
        if (this.ahead(':')) this.skipTo(']');
        else if (this.characterClass().max > 1) wide = true;
        continue;
      }
      let single = char;
      if (char === '\\') {
        const letter = this.next();
        if ('dDsSwWpPbB'.includes(letter)) {
          if (letter === 'p' || letter === 'P') {
            if (this.take('{')) this.skipTo('}');
            else this.next();
          }
          if (letter !== 'd' && letter !== 's') wide = true;
          continue;
        }
        single = this.escapedCharacter(letter);
      }
      const range = this.ahead('-') && this.source[this.at + 1] !== ']';
      if ((single.codePointAt(0) ?? 0) > 0xffff || range) wide ||= range ? this.rangeIsWide() : true;
      else if (!range) this.literals.add(single.codePointAt(0) ?? 0);
    }
  }

  /** Whether the upper end of the range that begins here lies above the basic plane. */
  private rangeIsWide(): boolean {
    this.next();
    let char = this.next();
    if (char === '\\') char = this.escapedCharacter(this.next());
    return (char.codePointAt(0) ?? 0) > 0xffff;
  }

  private literal(char: string): Size {
    const code = char.codePointAt(0) ?? 0;
    this.literals.add(code);
    const exactly = code < 0x80 ? char : null;
    return { ...one(char.length), min: char.length, exactly, required: exactly ?? '' };
  }

  private next(): string {
    const code = this.source.codePointAt(this.at);
    if (code === undefined) throw new SyntaxError('the expression ends too early');
    const char = String.fromCodePoint(code);
    this.at += char.length;
    return char;
  }

  private skipTo(char: string): void {
    const found = this.source.indexOf(char, this.at);
    if (found < 0) throw new SyntaxError(`missing ${char}`);
    this.at = found + 1;
  }

  private ahead(text: string): boolean {
    return this.source.startsWith(text, this.at);
  }

  private take(text: string): boolean {
    if (!this.ahead(text)) return false;
    this.at += text.length;
    return true;
  }
}

function one(max: number): Size {
  return { min: 1, max, before: 0, after: 0, states: 1, required: '', exactly: null };
}

function then(a: Size, b: Size): Size {
  return {
    min: a.min + b.min,
    max: a.max + b.max,
    // An assertion in the middle looks at most as far outside as it does at the edge.
    before: Math.max(a.before, b.before),
    after: Math.max(a.after, b.after),
    states: a.states + b.states,
    required: '',
    exactly: null,
  };
}

function either(a: Size, b: Size): Size {
  return {
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    before: Math.max(a.before, b.before),
    after: Math.max(a.after, b.after),
    states: a.states + b.states,
    required: '',
    exactly: null,
  };
}

function longest(a: string, b: string): string {
  return b.length > a.length ? b : a;
}

function repeat(size: Size, low: number, high: number): Size {
  const times = (length: number, count: number) => (length === 0 || count === 0 ? 0 : length * count);
  return {
    ...size,
    min: times(size.min, low),
    max: times(size.max, high),
    states: Math.max(1, size.states) * (high === Infinity ? Math.max(1, low) : Math.max(1, high)),
    required: low === 0 ? '' : size.required,
    exactly: null,
  };
}
