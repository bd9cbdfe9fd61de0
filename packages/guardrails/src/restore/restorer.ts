import type { Segment } from '@portcullis/policy';
import type { PlaceholderVault, RequestPlaceholders, Sealed } from './vault.ts';

/**
 * What one request masked, and the way back. The runner makes it in `pre_call` at the first value that a guardrail masks
 * for restoring, so that requests without one have none. It goes with its request and is never recorded.
 */
export interface Restorer {
  /** The text with every placeholder of this request put back. */
  restore(text: string): string;
  /** The same for the string leaves of an answer; the very list when none holds a placeholder. */
  restoreSegments(segments: readonly Segment[]): readonly Segment[];
  /** Whether a text may hold a placeholder, whole or in part: the cheap question before the others. */
  mayHold(text: string): boolean;
  /** Opens one growing text. */
  openText(): RestoredText;
}

/** One growing text, put back piece by piece. Any chunking gives the same text. */
export interface RestoredText {
  /** Takes the next piece and gives what is certain: of a partly received placeholder nothing leaves before its end. */
  push(text: string, done: boolean): string;
  /** UTF-16 units held back; less than the longest placeholder of the request. */
  readonly heldChars: number;
}

/** Collects what one request masks. */
export class Placeholders implements Restorer {
  readonly #vault: PlaceholderVault;
  readonly #scope: string | null;
  readonly #now: () => number;
  readonly #request: RequestPlaceholders;
  readonly #sealed = new Map<string, Sealed>();
  #longest = 0;

  constructor(vault: PlaceholderVault, scope: string | null, content: readonly Segment[], now: () => number) {
    this.#vault = vault;
    this.#scope = scope;
    this.#now = now;
    this.#request = {
      kept: new Map(),
      counters: new Map(),
      isInContent: (placeholder) => content.some(({ text }) => text.includes(placeholder)),
    };
  }

  /** The placeholder that stands for a value of this kind. */
  placeholderFor(type: string, value: string): string {
    const sealed = this.#vault.seal(this.#request, this.#scope, kindName(type), value, this.#now());
    this.#sealed.set(sealed.placeholder, sealed);
    this.#longest = Math.max(this.#longest, sealed.placeholder.length);
    return sealed.placeholder;
  }

  restore(text: string): string {
    return this.mayHold(text) ? this.#restored(text) : text;
  }

  restoreSegments(segments: readonly Segment[]): readonly Segment[] {
    let restored: Segment[] | null = null;
    for (const [place, segment] of segments.entries()) {
      if (segment.leaf !== 'string') continue;
      const text = this.restore(segment.text);
      if (text === segment.text) continue;
      restored ??= segments.slice();
      restored[place] = { ...segment, text };
    }
    return restored ?? segments;
  }

  mayHold(text: string): boolean {
    return this.#longest > 0 && text.includes('<');
  }

  openText(): RestoredText {
    let held = '';
    return {
      get heldChars() {
        return held.length;
      },
      push: (text, done) => {
        const all = held + text;
        const certain = done ? all.length : this.#certainUpTo(all);
        held = all.slice(certain);
        return this.restore(all.slice(0, certain));
      },
    };
  }

  #restored(text: string): string {
    let result = '';
    let at = 0;
    for (let open = text.indexOf('<'); open >= 0; open = text.indexOf('<', open + 1)) {
      if (open < at) continue;
      const close = text.indexOf('>', open);
      if (close < 0) break;
      if (close - open >= this.#longest) continue;
      const sealed = this.#sealed.get(text.slice(open, close + 1));
      if (sealed === undefined) continue;
      result += text.slice(at, open) + this.#vault.open(sealed);
      at = close + 1;
    }
    return result + text.slice(at);
  }

  /** Where a placeholder begins that may be completed by what follows; the end of the text when none does. */
  #certainUpTo(text: string): number {
    const open = text.lastIndexOf('<');
    if (open < 0 || text.length - open >= this.#longest) return text.length;
    const tail = text.slice(open);
    for (const placeholder of this.#sealed.keys()) {
      if (placeholder.length > tail.length && placeholder.startsWith(tail)) return open;
    }
    return text.length;
  }
}

/** The name of a kind inside a placeholder: capitals, digits and underscores, so that no format has to escape it. */
function kindName(type: string): string {
  const name = type
    .toUpperCase()
    .replace(/[^A-Z0-9]+/gu, '_')
    .replace(/^_+|_+$/gu, '')
    .slice(0, 64);
  return name === '' ? 'VALUE' : name;
}
