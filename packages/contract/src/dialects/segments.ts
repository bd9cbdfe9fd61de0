import type { ContentKind, Segment } from '@portcullis/policy';
import { decodeEscapes, jsonLeaves, replaceLeaves } from './json-text.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A table without a prototype: a caller's key such as `constructor` finds nothing in it. */
export function lookup<Value>(entries: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return Object.assign(Object.create(null) as Record<string, Value>, entries);
}

/**
 * Keys whose text the dialects fix. A text that is always the same carries nothing of the caller's, so it is no segment;
 * every other key is one (E9).
 */
const VOCABULARY: ReadonlySet<string> = new Set(
  (
    'type text content role name id index function arguments tool_calls tool_call_id parameters properties required ' +
    'description strict items enum additionalProperties anyOf oneOf allOf $ref $defs $schema format pattern title ' +
    'default minimum maximum minLength maxLength minItems maxItems const json_schema schema image_url url detail ' +
    'input_audio data file file_data file_id filename refusal reasoning_content reasoning audio transcript ' +
    'annotations url_citation start_index end_index function_call input custom cache_control ' +
    'thinking signature source media_type tool_use_id input_schema is_error citations ttl title context caller ' +
    'output summary encrypted_content call_id status logprobs filename file_url queries action results'
  ).split(' '),
);

/** Values of `type` and `role` that the dialects fix; any other value is a segment like every text. */
const FIXED_VALUES = lookup<ReadonlySet<string>>({
  role: new Set(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  type: new Set(
    (
      'text image_url input_audio file refusal function custom object string number integer boolean array null ' +
      'json_schema json_object content url_citation ephemeral tool_use tool_result thinking redacted_thinking image ' +
      'document base64 url message function_call function_call_output custom_tool_call custom_tool_call_output ' +
      'input_text output_text input_image input_file summary_text reasoning_text item_reference tool any auto none ' +
      'enabled disabled adaptive server_tool_use web_search_tool_result 5m 1h'
    ).split(' '),
  ),
});

/** Collects the segments of one body in document order. */
export class SegmentCollector {
  readonly segments: Segment[] = [];

  text(path: string, kind: ContentKind, role: string | null, text: string, join: number | null = null): void {
    if (text.length > 0) this.segments.push({ path, kind, role, text, join, leaf: 'string' });
  }

  key(path: string, kind: ContentKind, role: string | null, key: string): void {
    if (key.length > 0 && !VOCABULARY.has(key)) {
      this.segments.push({ path: `${path}~key`, kind, role, text: key, join: null, leaf: 'key' });
    }
  }

  /**
   * JSON in a string: each leaf is a segment. A number there may be replaced by a string, so it counts as one.
   * What is not JSON is one text, and where it holds escapes, a second one without them, because whoever repairs the
   * JSON would read that. The second cannot be replaced.
   */
  jsonText(path: string, kind: ContentKind, role: string | null, text: string): void {
    const leaves = jsonLeaves(text);
    if (leaves === null) {
      this.text(path, kind, role, text);
      if (!text.includes('\\')) return;
      const decoded = decodeEscapes(text);
      if (decoded === text) return;
      this.segments.push({ path: `${path}#~decoded`, kind, role, text: decoded, join: null, leaf: 'key' });
      return;
    }
    for (const { pointer, leaf, value } of leaves) {
      const shown = leaf === 'number' ? 'string' : leaf;
      this.segments.push({ path: `${path}#${pointer}`, kind, role, text: value, join: null, leaf: shown });
    }
  }

  /** Every string, number and key below `value`, all of one kind. For what a dialect does not look into. */
  everything(path: string, kind: ContentKind, role: string | null, value: unknown): void {
    if (typeof value === 'string') {
      this.text(path, kind, role, value);
    } else if (typeof value === 'number') {
      this.segments.push({ path, kind, role, text: String(value), join: null, leaf: 'number' });
    } else if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) {
        this.everything(`${path}/${index}`, kind, role, value[index]);
      }
    } else if (isObject(value)) {
      for (const key of Object.keys(value)) this.member(path, kind, role, key, value[key]);
    }
  }

  /** A member of the body itself that the dialect does not know (E9: `other`, never skipped). */
  memberOfRoot(key: string, value: unknown): void {
    this.member('', 'other', null, key, value);
  }

  /** One member of an object that the dialect does not know: its key and everything below. */
  member(path: string, kind: ContentKind, role: string | null, key: string, value: unknown): void {
    const at = `${path}/${pointerToken(key)}`;
    this.key(at, kind, role, key);
    if (typeof value === 'string' && FIXED_VALUES[key]?.has(value)) return;
    this.everything(at, kind, role, value);
  }
}

const ESCAPED_IN_POINTER = /[~/#]/;

/** A key as a token of a path. `#` (as `~2`) is escaped too, because it starts the pointer inside a JSON text. */
function pointerToken(key: string): string {
  if (!ESCAPED_IN_POINTER.test(key)) return key;
  return key.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('#', '~2');
}

function pathTokens(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~2', '#').replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A copy of `root` with the string at `tokens` replaced; everything beside the path is shared. */
function withValue(root: unknown, tokens: readonly string[], depth: number, value: string): unknown {
  if (depth === tokens.length) return value;
  const token = tokens[depth] ?? '';
  if (Array.isArray(root)) {
    const copy: unknown[] = root.slice();
    const index = Number(token);
    copy[index] = withValue(copy[index], tokens, depth + 1, value);
    return copy;
  }
  const object = root as JsonObject;
  // Spread defines own properties, so a key such as __proto__ stays a plain member.
  return { ...object, [token]: withValue(object[token], tokens, depth + 1, value) };
}

function valueAt(root: unknown, tokens: readonly string[]): unknown {
  let value = root;
  for (const token of tokens) value = (value as Readonly<Record<string, unknown>>)[token];
  return value;
}

/** A rewrite that has no place to go (E1 `undeliverable`): the reason names the path, never the text. */
export interface Undeliverable {
  readonly path: string;
  readonly reason: string;
}

export type Rewritten<T> =
  | { readonly ok: true; readonly body: T }
  | { readonly ok: false; readonly undeliverable: Undeliverable };

/** The text of a JSON string after its leaves became `after`; `before` are its segments in the order of collection. */
export function rewriteJsonText(text: string, before: readonly Segment[], after: readonly Segment[]): string {
  const leaves = jsonLeaves(text);
  if (leaves === null) return after[0]?.text ?? text;
  const replacements: { start: number; end: number; value: string }[] = [];
  leaves.forEach((leaf, index) => {
    const value = after[index]?.text;
    if (value !== undefined && value !== before[index]?.text) {
      replacements.push({ start: leaf.start, end: leaf.end, value });
    }
  });
  return replaceLeaves(text, replacements);
}

/**
 * A copy of `body` in which every changed segment has its new text; `before` and `after` are parallel.
 * Parts that did not change are shared with `body`, which is not touched.
 */
export function withSegments<T>(
  body: T,
  before: readonly Segment[],
  after: readonly Segment[],
): Rewritten<T> {
  let result: unknown = body;
  for (let index = 0; index < before.length; index += 1) {
    const was = before[index];
    const is = after[index];
    if (was === undefined || is === undefined || was.text === is.text) continue;
    if (was.leaf !== 'string') {
      return {
        ok: false,
        undeliverable: { path: was.path, reason: `a ${was.leaf} cannot be replaced by a masked text` },
      };
    }
    const hash = was.path.indexOf('#');
    if (hash < 0) {
      result = withValue(result, pathTokens(was.path), 0, is.text);
      continue;
    }
    const outer = was.path.slice(0, hash + 1);
    const sibling = (at: number): boolean => before[at]?.path.startsWith(outer) ?? false;
    let first = index;
    while (sibling(first - 1)) first -= 1;
    let last = index;
    while (sibling(last + 1)) last += 1;
    const tokens = pathTokens(was.path.slice(0, hash));
    const text = valueAt(body, tokens) as string;
    const rewritten = rewriteJsonText(text, before.slice(first, last + 1), after.slice(first, last + 1));
    result = withValue(result, tokens, 0, rewritten);
    index = last;
  }
  return { ok: true, body: result as T };
}
