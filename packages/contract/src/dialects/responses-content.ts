import type { ContentKind, Segment } from '@portcullis/policy';
import { opaque, protocolId } from './fields.ts';
import { isObject, type JsonObject, lookup, SegmentCollector } from './segments.ts';

// Which leaf of the items of OpenAI's responses dialect is what. The same items stand in requests and in answers.

const ROLE_KINDS = lookup<ContentKind>({
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
});

const PART_KINDS = lookup<ContentKind>({
  input_image: 'images',
  computer_screenshot: 'images',
  input_audio: 'audio',
  output_audio: 'audio',
  input_file: 'files',
});

/** Texts of a part that have a kind of their own. */
const TEXT_KINDS = lookup<ContentKind>({
  refusal: 'refusal',
  reasoning_text: 'reasoning',
  summary_text: 'reasoning',
});

/** A text, or a list of parts. */
function collectParts(
  into: SegmentCollector,
  path: string,
  kind: ContentKind,
  role: string | null,
  parts: unknown,
  join: number | null,
): void {
  if (typeof parts === 'string') {
    into.text(path, kind, role, parts, join);
    return;
  }
  if (!Array.isArray(parts)) {
    into.everything(path, kind, role, parts);
    return;
  }
  for (let index = 0; index < parts.length; index += 1) {
    collectPart(into, `${path}/${index}`, kind, role, parts[index], join);
  }
}

function collectPart(
  into: SegmentCollector,
  path: string,
  kind: ContentKind,
  role: string | null,
  part: unknown,
  join: number | null,
): void {
  if (!isObject(part)) {
    into.everything(path, kind, role, part);
    return;
  }
  const type = typeof part['type'] === 'string' ? part['type'] : '';
  const own = TEXT_KINDS[type];
  for (const key of Object.keys(part)) {
    const value = part[key];
    const at = `${path}/${key}`;
    if (key === 'type') into.member(path, 'other', role, key, value);
    else if (key === 'text' && typeof value === 'string')
      into.text(at, own ?? kind, role, value, own ? null : join);
    else if (key === 'refusal') into.everything(at, 'refusal', role, value);
    else if (key === 'transcript') into.everything(at, kind, role, value);
    else into.member(path, PART_KINDS[type] ?? (key === 'annotations' ? kind : 'other'), role, key, value);
  }
}

/** Members of items that the provider writes and no model or caller chooses. */
const ITEM_WORDS = lookup<ReadonlySet<string>>({
  status: new Set([
    'in_progress',
    'completed',
    'incomplete',
    'searching',
    'generating',
    'interpreting',
    'failed',
  ]),
  phase: new Set(['commentary', 'final_answer']),
});

/** The kind of the members of an item that is no message, by its type. */
function itemKind(type: string): ContentKind {
  if (type.endsWith('_output')) return 'tool_result';
  if (type === 'reasoning' || type === 'compaction') return 'reasoning';
  if (type === 'image_generation_call') return 'images';
  return type.endsWith('_call') || type.startsWith('mcp_') ? 'tool_args' : 'other';
}

export function collectItem(into: SegmentCollector, path: string, item: unknown, join: number): void {
  if (!isObject(item)) {
    into.everything(path, 'user', 'user', item);
    return;
  }
  const type = typeof item['type'] === 'string' ? item['type'] : 'message';
  const role = typeof item['role'] === 'string' ? item['role'] : null;
  const kind =
    type === 'message' ? ((role === null ? undefined : ROLE_KINDS[role]) ?? 'other') : itemKind(type);
  for (const key of Object.keys(item)) {
    const value = item[key];
    const at = `${path}/${key}`;
    if (key === 'id' || key === 'call_id' || key === 'approval_request_id') {
      into.member(path, 'other', role, key, longId(value));
    } else if (key === 'type' || key === 'role') into.member(path, 'other', role, key, value);
    else if (typeof value === 'string' && ITEM_WORDS[key]?.has(value)) continue;
    else if (key === 'encrypted_content') into.member(path, 'other', role, key, opaque(value));
    else if (type === 'message' && key === 'content') collectParts(into, at, kind, role, value, join);
    else if (type === 'reasoning') collectParts(into, at, 'reasoning', role, value, null);
    else if (key === 'output' && kind === 'tool_result') collectOutput(into, at, value);
    else if (key === 'arguments' && typeof value === 'string') into.jsonText(at, 'tool_args', role, value);
    else if (key === 'output' || key === 'outputs' || key === 'results' || key === 'error') {
      into.everything(at, 'tool_result', role, value);
    } else if (type === 'image_generation_call' && key !== 'result')
      into.member(path, 'other', role, key, value);
    else into.member(path, kind, role, key, value);
  }
}

/** What a tool gave: a text, parts, or a screenshot. */
function collectOutput(into: SegmentCollector, path: string, value: unknown): void {
  if (isObject(value)) collectPart(into, path, 'tool_result', 'tool', value, null);
  else collectParts(into, path, 'tool_result', 'tool', value, null);
}

/** Ids of this dialect are longer than those of others. */
const LONG_ID = /^[a-z]{1,12}_[A-Za-z0-9_-]{1,256}$/;
export function longId(value: unknown): unknown {
  return typeof value === 'string' && LONG_ID.test(value) ? null : protocolId(value);
}

/** The leaves of one item of an answer. */
export function answerItemSegments(item: unknown, path: string, join: number): Segment[] {
  const into = new SegmentCollector();
  collectItem(into, path, item, join);
  return into.segments;
}

/** An item of an answer without token probabilities, which would repeat what a mask removed. */
export function withoutProbabilities(item: unknown): unknown {
  if (!isObject(item) || !Array.isArray(item['content'])) return item;
  const content: readonly unknown[] = item['content'];
  const told = (part: unknown): part is JsonObject => isObject(part) && part['logprobs'] != null;
  if (!content.some(told)) return item;
  return { ...item, content: content.map((part) => (told(part) ? { ...part, logprobs: [] } : part)) };
}
