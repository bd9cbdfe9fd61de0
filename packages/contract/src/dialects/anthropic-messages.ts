import type { Segment } from '@portcullis/policy';
import { type ErrorBody, PortcullisError } from '../errors.ts';
import { answerBlockSegments, collectContent, collectMessage } from './anthropic-content.ts';
import { AnthropicStreamCodec } from './anthropic-stream.ts';
import { anthropicError, failedMessageStream } from './anthropic-writer.ts';
import { readControlFields, withoutControlFields } from './control-fields.ts';
import type { Dialect, ModelRequest, SoftBlock } from './dialect.ts';
import { checkTypes, type FieldType, invalid, requiredModel } from './fields.ts';
import { isObject, type JsonObject, lookup, SegmentCollector } from './segments.ts';
import { usageOf } from './usage.ts';

// The Anthropic messages dialect.

const TYPES = lookup<FieldType>({
  stream: 'boolean',
  max_tokens: 'integer',
  temperature: 'number',
  top_p: 'number',
  top_k: 'integer',
});

const WORDS = lookup<ReadonlySet<string>>({
  service_tier: new Set(['auto', 'standard_only']),
});

function read(body: JsonObject): ModelRequest {
  const model = requiredModel(body);
  const messages = body['messages'];
  if (!Array.isArray(messages) || messages.length === 0) throw invalid('messages', 'a non-empty list');
  for (let index = 0; index < messages.length; index += 1) {
    const message: unknown = messages[index];
    if (!isObject(message)) throw invalid(`messages[${index}]`, 'an object');
    if (typeof message['role'] !== 'string') throw invalid(`messages[${index}].role`, 'a string');
    const content = message['content'];
    if (typeof content !== 'string' && !Array.isArray(content)) {
      throw invalid(`messages[${index}].content`, 'a string or a list of blocks');
    }
  }
  checkTypes(body, TYPES);
  return { model, stream: body['stream'] === true, choices: 1, control: readControlFields(body) };
}

/** `metadata` belongs to the provider here, which knows one member of it; the gateway's is `litellm_metadata`. */
function withoutControl(body: JsonObject): Record<string, unknown> {
  const rest = withoutControlFields(body);
  const { metadata } = body;
  const user = isObject(metadata) ? metadata['user_id'] : undefined;
  if (typeof user === 'string') rest['metadata'] = { user_id: user };
  else delete rest['metadata'];
  return rest;
}

function requestSegments(body: JsonObject): Segment[] {
  const into = new SegmentCollector();
  for (const key in body) {
    const value = body[key];
    if (key === 'model' || TYPES[key] !== undefined) continue;
    if (typeof value === 'string' && WORDS[key]?.has(value)) continue;
    if (key === 'messages' && Array.isArray(value)) {
      value.forEach((message: unknown, index) => {
        collectMessage(into, `/messages/${index}`, message as JsonObject, index);
      });
    } else if (key === 'system') collectContent(into, '/system', 'system', 'system', value, -1);
    else if (key === 'tools') into.everything('/tools', 'tool_defs', null, value);
    else if (key === 'thinking' && isThinking(value)) continue;
    else if (key === 'stop_sequences' || key === 'tool_choice')
      into.everything(`/${key}`, 'other', null, value);
    else into.memberOfRoot(key, value);
  }
  return into.segments;
}

function isThinking(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.entries(value).every(([key, item]) =>
      key === 'type'
        ? item === 'enabled' || item === 'disabled' || item === 'adaptive'
        : key === 'budget_tokens' && Number.isSafeInteger(item),
    )
  );
}

const ANSWER_PROTOCOL: ReadonlySet<string> = new Set(['id', 'type', 'role', 'model', 'stop_reason', 'usage']);

function answerSegments(body: JsonObject): Segment[] {
  const into = new SegmentCollector();
  for (const key of Object.keys(body)) {
    const value = body[key];
    if (ANSWER_PROTOCOL.has(key)) continue;
    if (key === 'content' && Array.isArray(value)) {
      value.forEach((block: unknown, index) => {
        into.segments.push(...answerBlockSegments(block, `/content/${index}`, 0));
      });
    } else into.memberOfRoot(key, value);
  }
  return into.segments;
}

function guardedAnswer(body: unknown): JsonObject {
  if (isObject(body) && Array.isArray(body['content'])) return body;
  throw new PortcullisError('upstream_invalid', 'The provider answered with something that is no message.');
}

function softBlock({ id, model, message, usage }: SoftBlock): JsonObject {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text: message }],
    stop_reason: 'refusal',
    stop_sequence: null,
    usage: { input_tokens: usage?.prompt_tokens ?? 0, output_tokens: usage?.completion_tokens ?? 0 },
  };
}

const shared = {
  body: 'json',
  answers: { text: false, binary: false },
  promptField: 'messages',
  idPrefix: 'msg_',
  read,
  withoutControl,
  requestSegments,
  errorBody: (body: ErrorBody, status: number, callId: string) => ({
    ...anthropicError(body, status),
    request_id: callId,
  }),
} as const;

export const anthropicMessages: Dialect = {
  ...shared,
  name: 'anthropic-messages',
  callType: 'anthropic_messages',
  path: '/messages',
  generates: true,
  guardedAnswer,
  answerSegments,
  usage: usageOf,
  softBlock,
  stream: {
    open: (start) => new AnthropicStreamCodec(start),
    endMarks: ['\nevent: message_stop', '"type":"message_stop"', '"type": "message_stop"'],
    failed: failedMessageStream,
  },
};

export const anthropicCountTokens: Dialect = {
  ...shared,
  name: 'anthropic-count-tokens',
  callType: 'anthropic_count_tokens',
  path: '/messages/count_tokens',
  generates: false,
  guardedAnswer(body) {
    if (isObject(body) && typeof body['input_tokens'] === 'number') return body;
    throw new PortcullisError('upstream_invalid', 'The provider answered with something that is no count.');
  },
  answerSegments(body) {
    const into = new SegmentCollector();
    for (const key of Object.keys(body)) {
      if (key !== 'input_tokens' || typeof body[key] !== 'number') into.memberOfRoot(key, body[key]);
    }
    return into.segments;
  },
  usage: () => null,
  softBlock: () => null,
  stream: null,
};
