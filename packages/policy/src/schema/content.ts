import { z } from 'zod';

/** When a guardrail runs. */
export const HOOKS = [
  'pre_call',
  'during_call',
  'post_call',
  'logging_only',
  'pre_mcp_call',
  'during_mcp_call',
] as const;
export const hookSchema = z.enum(HOOKS);
export type Hook = z.infer<typeof hookSchema>;

/**
 * What a piece of a request or answer is. Every string and number leaf and every object key belongs to exactly one kind;
 * fields a dialect does not know are `other`, never skipped (E9). `developer` messages are `system`.
 */
export const CONTENT_KINDS = [
  'system',
  'user',
  'assistant',
  'tool_result',
  'tool_args',
  'tool_defs',
  'reasoning',
  'refusal',
  'images',
  'audio',
  'files',
  'embeddings',
  'other',
] as const;
export const contentKindSchema = z.enum(CONTENT_KINDS);
export type ContentKind = z.infer<typeof contentKindSchema>;

/** Kinds whose bytes a text detector cannot read; unscanned ones are allowed by default (E9). */
export const BINARY_KINDS: ReadonlySet<ContentKind> = new Set(['images', 'audio']);

/**
 * One leaf of a request or answer as a detector sees it.
 *
 * - `path`: where it is, as a JSON pointer into the body; a leaf inside a JSON text adds `#` and a second pointer
 *   (`/messages/1/tool_calls/0/function/arguments#/to`); a key leaf ends in `~key`.
 * - `text`: the decoded text (a number leaf: as it is written in JSON). Never contains transport escapes.
 * - `join`: leaves with the same number are adjacent text parts of one message and are also scanned joined (E9).
 * - `leaf`: what may replace it. A `number` or `key` that a mask would change cannot always be delivered.
 */
export interface Segment {
  readonly path: string;
  readonly kind: ContentKind;
  readonly role: string | null;
  readonly text: string;
  readonly join: number | null;
  readonly leaf: 'string' | 'number' | 'key';
}

/** A replacement of `[start, end)` in the text of one segment, in UTF-16 code units. */
export interface Edit {
  readonly segment: number;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /**
   * What is masked is to be put back into the answer: in `pre_call` a stable placeholder of this kind (`EMAIL`:
   * `<EMAIL_1>`) takes the place of `replacement`. `continues`: the span goes on the value of the edit before it, in the
   * next of adjacent text parts; its own replacement is empty.
   */
  readonly restore?: { readonly type: string } | { readonly continues: true };
}
