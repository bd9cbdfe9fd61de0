import type { ContentKind, Segment } from '@portcullis/policy';
import { opaque, protocolId } from './fields.ts';
import { isObject, type JsonObject, lookup, SegmentCollector } from './segments.ts';

// Which leaf of Anthropic's content blocks is what. The same blocks stand in requests, in answers and in streams.

const BLOCK_KINDS = lookup<ContentKind>({ image: 'images', container_upload: 'files' });

/** The kind of a block that calls a tool or brings a result, whatever tool it is; null for any other. */
function toolKind(type: unknown): ContentKind | null {
  if (typeof type !== 'string') return null;
  if (type.endsWith('tool_use')) return 'tool_args';
  return type.endsWith('tool_result') ? 'tool_result' : null;
}

/** The content of a message, of the system prompt or of a tool result: a text or a list of blocks. */
export function collectContent(
  into: SegmentCollector,
  path: string,
  kind: ContentKind,
  role: string | null,
  content: unknown,
  join: number | null,
): void {
  if (typeof content === 'string') into.text(path, kind, role, content, join);
  else if (!Array.isArray(content)) into.everything(path, kind, role, content);
  else {
    for (let index = 0; index < content.length; index += 1) {
      collectBlock(into, `${path}/${index}`, kind, role, content[index], join);
    }
  }
}

/** One block. `join` is the number of the message whose adjacent texts are also scanned joined (E9). */
function collectBlock(
  into: SegmentCollector,
  path: string,
  kind: ContentKind,
  role: string | null,
  block: unknown,
  join: number | null,
): void {
  if (!isObject(block)) {
    into.everything(path, kind, role, block);
    return;
  }
  const type = block['type'];
  const tool = toolKind(type);
  for (const key of Object.keys(block)) {
    const value = block[key];
    const at = `${path}/${key}`;
    if (key === 'type') into.member(path, 'other', role, key, value);
    else if (key === 'id' || key === 'tool_use_id') into.member(path, 'other', role, key, protocolId(value));
    else if (key === 'signature') into.member(path, 'other', role, key, opaque(value));
    else if (key === 'encrypted_content') into.member(path, 'other', role, key, opaque(value));
    else if (type === 'redacted_thinking' && key === 'data')
      into.member(path, 'reasoning', role, key, opaque(value));
    else if (type === 'thinking' && key === 'thinking') into.everything(at, 'reasoning', role, value);
    else if (type === 'text' && key === 'text' && typeof value === 'string')
      into.text(at, kind, role, value, join);
    else if (key === 'source' && (type === 'document' || type === 'image')) {
      collectSource(into, at, kind, role, value, type === 'image');
    } else if (tool === 'tool_result' && key === 'content') {
      collectContent(into, at, 'tool_result', role, value, null);
    } else if (tool !== null) into.member(path, tool, role, key, value);
    else if (type === 'document' || type === 'search_result') {
      if (key === 'content') collectContent(into, at, kind, role, value, null);
      else into.member(path, kind, role, key, value);
    } else
      into.member(
        path,
        (typeof type === 'string' ? BLOCK_KINDS[type] : undefined) ?? 'other',
        role,
        key,
        value,
      );
  }
}

function collectSource(
  into: SegmentCollector,
  path: string,
  kind: ContentKind,
  role: string | null,
  source: unknown,
  isImage: boolean,
): void {
  if (!isObject(source)) {
    into.everything(path, isImage ? 'images' : 'files', role, source);
    return;
  }
  const { type } = source;
  for (const key of Object.keys(source)) {
    const value = source[key];
    const at = `${path}/${key}`;
    if (isImage) into.member(path, 'images', role, key, value);
    else if (type === 'text' && key === 'data') into.everything(at, kind, role, value);
    else if (key === 'content') collectContent(into, at, kind, role, value, null);
    else if (type === 'base64' && key === 'data' && typeof value === 'string')
      encoded(into, at, role, source, value);
    else into.member(path, key === 'type' || key === 'media_type' ? 'other' : 'files', role, key, value);
  }
}

/** Bytes of a file in the form of a data URL, so that every detector knows that it cannot read them. */
function encoded(
  into: SegmentCollector,
  path: string,
  role: string | null,
  source: JsonObject,
  data: string,
): void {
  const media = typeof source['media_type'] === 'string' ? source['media_type'] : '';
  const mark = /^[\w.+/-]{0,100}$/.test(media) ? media : '';
  into.segments.push({
    path,
    kind: 'files',
    role,
    text: `data:${mark};base64,${data}`,
    join: null,
    leaf: 'key',
  });
}

const MESSAGE_KINDS = lookup<ContentKind>({ user: 'user', assistant: 'assistant', system: 'system' });

export function collectMessage(
  into: SegmentCollector,
  path: string,
  message: JsonObject,
  join: number,
): void {
  const role = typeof message['role'] === 'string' ? message['role'] : null;
  const kind = (role === null ? undefined : MESSAGE_KINDS[role]) ?? 'other';
  for (const key of Object.keys(message)) {
    if (key === 'content') collectContent(into, `${path}/content`, kind, role, message[key], join);
    else into.member(path, 'other', role, key, message[key]);
  }
}

/** The leaves of one block of an answer. */
export function answerBlockSegments(block: unknown, path: string, join: number | null): Segment[] {
  const into = new SegmentCollector();
  collectBlock(into, path, 'assistant', 'assistant', block, join);
  return into.segments;
}
