import { textOf } from './bytes.ts';
import { Lens } from './lens.ts';

/** Marks around text that was hidden, for the rule that reports it. Noncharacters: no other text holds them. */
export const HIDDEN_BEGIN = '\ufdd0';
export const HIDDEN_END = '\ufdd1';

/** Longest run that is read as one. */
const RUN = 4_096;
/** Shorter runs of variation selectors are accidents of fonts and keyboards. */
const SELECTORS = 4;

/** Longest text written backwards that is turned round. */
const REVERSED = 512;

const TRIGGER =
  /\u202e[^\n\u202c\u202e]{1,512}\u202c?|(?:\udb40[\udc20-\udc7e]){3,2048}|(?:[\ufe00-\ufe0f]|\udb40[\udd00-\uddef]){4,2048}|[\ufdd0\ufdd1]/g;
const CANDIDATE = /[\u202e\udb40\ufdd0\ufdd1]|[\ufe00-\ufe0f]{4}/;
const BLACK_FLAG = '\ud83c\udff4';

/**
 * Shows text smuggled in characters that nobody sees: Unicode tags (a copy of ASCII), and variation selectors that stand for
 * bytes; and turns round what an override of the writing direction shows backwards. Flag emoji are the one proper use of tags
 * and stay.
 */
export class HiddenLens extends Lens {
  protected settled(): number {
    const { buffer } = this;
    let at = buffer.length;
    const stop = Math.max(this.from, at - RUN - 8);
    while (at > stop && isPart(buffer.charCodeAt(at - 1))) at -= 1;
    const open = buffer.lastIndexOf('\u202e');
    if (open < this.from || open < buffer.length - REVERSED - 8) return at;
    return /[\n\u202c]/.test(buffer.slice(open)) ? at : Math.min(at, open);
  }

  protected rewrite(safe: number): void {
    const { buffer } = this;
    if (!CANDIDATE.test(buffer)) {
      this.pass(safe);
      return;
    }
    for (;;) {
      TRIGGER.lastIndex = this.from;
      const found = TRIGGER.exec(buffer);
      if (found === null || found.index >= safe) break;
      this.pass(found.index);
      this.show(found[0]);
    }
    this.pass(safe);
  }

  private show(run: string): void {
    const first = run.charCodeAt(0);
    const end = this.from + run.length;
    if (first >= 0xfdd0 && first <= 0xfdd1) {
      this.replace(end, '\ufffd');
      return;
    }
    if (first === 0x202e) {
      const text = Array.from(run.slice(1).replace(/\u202c$/, ''))
        .reverse()
        .join('');
      this.replace(end, text);
      return;
    }
    const tags = first === 0xdb40 && run.charCodeAt(1) < 0xdd00;
    const text = tags ? ofTags(run) : ofSelectors(run);
    const before = this.buffer.slice(Math.max(0, this.from - 2), this.from);
    if (text === null || (tags && before === BLACK_FLAG && run.length <= 14)) {
      this.pass(end);
      return;
    }
    this.replace(end, HIDDEN_BEGIN + text + HIDDEN_END);
  }
}

/** Parts of what this lens reads: selectors, and units of surrogate pairs, of which the flag is one. */
function isPart(code: number): boolean {
  return (code >= 0xd800 && code <= 0xdfff) || (code >= 0xfe00 && code <= 0xfe0f);
}

function ofTags(run: string): string {
  let text = '';
  for (let i = 1; i < run.length; i += 2) text += String.fromCharCode(run.charCodeAt(i) - 0xdc00);
  return text;
}

/** The first 16 selectors are the bytes 0 to 15, the supplementary ones 16 to 255. */
function ofSelectors(run: string): string | null {
  const bytes: number[] = [];
  for (const char of run) {
    const code = char.codePointAt(0) ?? 0;
    bytes.push(code < 0x10000 ? code - 0xfe00 : code - 0xe0100 + 16);
  }
  return bytes.length < SELECTORS ? null : textOf(Uint8Array.from(bytes));
}
