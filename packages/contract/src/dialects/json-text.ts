/**
 * JSON inside a string (the arguments of a tool call): its leaves with their places in the source, so that one leaf can
 * be replaced while every other byte stays as the model wrote it.
 */
export interface JsonLeaf {
  /** JSON pointer inside the text; a key's own pointer ends in `~key`. */
  readonly pointer: string;
  readonly leaf: 'string' | 'number' | 'key';
  /** The decoded text; a number as it is written. */
  readonly value: string;
  /** Source range `[start, end)` in UTF-16 units, quotes included. */
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the string that starts at `start` ends, behind its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

interface Container {
  readonly pointer: string;
  /** The next index of an array; null for an object. */
  index: number | null;
  key: string;
}

/**
 * Every string, number and key of a JSON text in source order, repeated keys included (a parser would hide all but one).
 * Returns null when the text is not JSON, such as the arguments of a call that was cut.
 */
export function jsonLeaves(text: string): JsonLeaf[] | null {
  try {
    JSON.parse(text);
  } catch {
    return null; // Not JSON is an answer here: the caller then scans the whole text as one leaf.
  }
  const leaves: JsonLeaf[] = [];
  const stack: Container[] = [];
  let expectKey = false;
  for (let at = 0; at < text.length; ) {
    const top = stack.at(-1);
    const pointer = top === undefined ? '' : `${top.pointer}/${top.index ?? top.key}`;
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const value = JSON.parse(text.slice(at, end)) as string;
      if (expectKey && top !== undefined) {
        top.key = escapePointer(value);
        leaves.push({ pointer: `${top.pointer}/${top.key}~key`, leaf: 'key', value, start: at, end });
      } else {
        leaves.push({ pointer, leaf: 'string', value, start: at, end });
      }
      at = end;
      continue;
    }
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = at;
      const value = NUMBER.exec(text)?.[0] ?? '';
      leaves.push({ pointer, leaf: 'number', value, start: at, end: at + value.length });
      at += value.length;
      continue;
    }
    if (code === 0x7b /* { */) {
      stack.push({ pointer, index: null, key: '' });
      expectKey = true;
    } else if (code === 0x5b /* [ */) {
      stack.push({ pointer, index: 0, key: '' });
      expectKey = false;
    } else if (code === 0x7d /* } */ || code === 0x5d /* ] */) {
      stack.pop();
      expectKey = false;
    } else if (code === 0x3a /* : */) {
      expectKey = false;
    } else if (code === 0x2c /* , */ && top !== undefined) {
      if (top.index === null) expectKey = true;
      else top.index += 1;
    }
    at += 1;
  }
  return leaves;
}

/** Replaces source ranges (in order, no overlap) by JSON strings. The text stays valid JSON. */
export function replaceLeaves(
  text: string,
  replacements: readonly { readonly start: number; readonly end: number; readonly value: string }[],
): string {
  let result = '';
  let from = 0;
  for (const { start, end, value } of replacements) {
    result += text.slice(from, start) + JSON.stringify(value);
    from = end;
  }
  return result + text.slice(from);
}

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** A text with the escapes of JSON strings read, wherever they stand: for what only nearly is JSON. */
export function decodeEscapes(text: string): string {
  return text.replace(ESCAPE, (_, hex: string | undefined, short: string | undefined) =>
    hex === undefined
      ? (SHORT_ESCAPES[short ?? ''] ?? short ?? '')
      : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
