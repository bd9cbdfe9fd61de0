/** JSON in one spelling: keys sorted by code units, no white space. Equal values give equal bytes on every replica (C5). */

/** How deep a value may nest. Requests are limited to the same depth, so nothing legitimate is refused. */
const MAX_DEPTH = 64;

/** The canonical JSON of a value, or `null` when it is not JSON: too deep, cyclic, or of a type that JSON does not have. */
export function canonicalJsonOf(value: unknown): string | null {
  return write(value, 0);
}

/** The canonical JSON of a value that is known to be JSON. */
export function canonicalJson(value: unknown): string {
  const text = write(value, 0);
  if (text === null) throw new TypeError('the value is not JSON');
  return text;
}

function write(value: unknown, depth: number): string | null {
  if (depth > MAX_DEPTH) return null;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : null;
  if (typeof value !== 'object') return null;
  return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
}

function writeArray(items: readonly unknown[], depth: number): string | null {
  const parts: string[] = [];
  for (const item of items) {
    const part = write(item, depth + 1);
    if (part === null) return null;
    parts.push(part);
  }
  return `[${parts.join(',')}]`;
}

/** Members that are `undefined` are left out, as `JSON.stringify` does. */
function writeObject(value: object, depth: number): string | null {
  const parts: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    const part = write(member, depth + 1);
    if (part === null) return null;
    parts.push(`${JSON.stringify(key)}:${part}`);
  }
  return `{${parts.join(',')}}`;
}
