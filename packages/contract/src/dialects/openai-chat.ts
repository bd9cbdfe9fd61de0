import type { ContentKind, Segment } from '@portcullis/policy';
import { PortcullisError } from '../errors.ts';
import { readControlFields, withoutControlFields } from './control-fields.ts';
import type { Dialect, ModelRequest, SoftBlock } from './dialect.ts';
import { checkTypes, choicesOf, type FieldType, invalid, protocolId, requiredModel } from './fields.ts';
import { ChatStreamCodec, DONE_MARKS, failedStream } from './openai-chat-stream.ts';
import { NO_USAGE, usageOf } from './usage.ts';
import { isObject, type JsonObject, lookup, SegmentCollector } from './segments.ts';

// The OpenAI chat completions dialect.
//
// Protocol fields are those that no model reads or writes: routing, sampling, ids, counters, times. They are listed by
// name, their types are checked, and they are no content. Everything else is a segment; unknown fields are `other` (E9).

const REQUEST_NUMBERS = lookup<FieldType>({
  stream: 'boolean',
  n: 'integer',
  temperature: 'number',
  top_p: 'number',
  top_k: 'number',
  min_p: 'number',
  max_tokens: 'integer',
  max_completion_tokens: 'integer',
  presence_penalty: 'number',
  frequency_penalty: 'number',
  repetition_penalty: 'number',
  seed: 'integer',
  logprobs: 'boolean',
  top_logprobs: 'integer',
  store: 'boolean',
  parallel_tool_calls: 'boolean',
});

/** Texts from a fixed list. Any other text in these fields is scanned. */
const REQUEST_WORDS = lookup<ReadonlySet<string>>({
  service_tier: new Set(['auto', 'default', 'flex', 'priority', 'scale']),
  reasoning_effort: new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']),
  verbosity: new Set(['low', 'medium', 'high']),
  tool_choice: new Set(['none', 'auto', 'required']),
});

/**
 * Checks what the gateway relies on and reads what is meant for it.
 * @throws PortcullisError `invalid_request` with the field at fault.
 */
export function readChatRequest(body: JsonObject): ModelRequest {
  const model = requiredModel(body);
  const messages = body['messages'];
  if (!Array.isArray(messages) || messages.length === 0) throw invalid('messages', 'a non-empty list');
  for (let index = 0; index < messages.length; index += 1) {
    const message: unknown = messages[index];
    if (!isObject(message)) throw invalid(`messages[${index}]`, 'an object');
    if (typeof message['role'] !== 'string') throw invalid(`messages[${index}].role`, 'a string');
    const content = message['content'];
    if (content !== undefined && content !== null && typeof content !== 'string' && !Array.isArray(content)) {
      throw invalid(`messages[${index}].content`, 'a string, a list of parts or null');
    }
  }
  checkTypes(body, REQUEST_NUMBERS);
  const options = body['stream_options'];
  if (options !== undefined && options !== null && !isObject(options))
    throw invalid('stream_options', 'an object');
  return {
    model,
    stream: body['stream'] === true,
    choices: choicesOf(body),
    control: readControlFields(body),
  };
}

const ROLE_KINDS = lookup<ContentKind>({
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool_result',
  function: 'tool_result',
});

/** Kind of the payload of a content part; `text` parts take the kind of their role. */
const PART_KINDS = lookup<ContentKind>({
  image_url: 'images',
  input_audio: 'audio',
  file: 'files',
  refusal: 'refusal',
});

function collectContent(
  into: SegmentCollector,
  path: string,
  kind: ContentKind,
  role: string | null,
  content: unknown,
  join: number,
): void {
  if (typeof content === 'string') {
    into.text(path, kind, role, content, join);
    return;
  }
  if (!Array.isArray(content)) {
    into.everything(path, kind === 'tool_result' ? kind : 'other', role, content);
    return;
  }
  for (let index = 0; index < content.length; index += 1) {
    const part: unknown = content[index];
    const at = `${path}/${index}`;
    if (!isObject(part)) {
      into.everything(at, kind, role, part);
      continue;
    }
    const type = part['type'];
    const partKind = typeof type === 'string' ? PART_KINDS[type] : undefined;
    for (const key of Object.keys(part)) {
      const value = part[key];
      if (key === 'type') into.member(at, 'other', role, key, value);
      else if (key === 'text' && typeof value === 'string') into.text(`${at}/text`, kind, role, value, join);
      else into.member(at, partKind ?? 'other', role, key, value);
    }
  }
}

function collectFunction(into: SegmentCollector, path: string, role: string | null, call: unknown): void {
  if (!isObject(call)) {
    into.everything(path, 'tool_args', role, call);
    return;
  }
  for (const key of Object.keys(call)) {
    const value = call[key];
    if ((key === 'arguments' || key === 'input') && typeof value === 'string') {
      into.jsonText(`${path}/${key}`, 'tool_args', role, value);
    } else {
      into.member(path, 'tool_args', role, key, value);
    }
  }
}

function collectToolCalls(into: SegmentCollector, path: string, role: string | null, calls: unknown): void {
  if (!Array.isArray(calls)) {
    into.everything(path, 'tool_args', role, calls);
    return;
  }
  calls.forEach((call: unknown, index) => {
    const at = `${path}/${index}`;
    if (!isObject(call)) {
      into.everything(at, 'tool_args', role, call);
      return;
    }
    for (const key of Object.keys(call)) {
      const value = call[key];
      if (key === 'function' || key === 'custom') collectFunction(into, `${at}/${key}`, role, value);
      else if (key === 'id' || key === 'index') into.member(at, 'other', role, key, protocolId(value));
      else into.member(at, 'tool_args', role, key, value);
    }
  });
}

function collectMessage(into: SegmentCollector, path: string, message: JsonObject, join: number): void {
  const role = typeof message['role'] === 'string' ? message['role'] : null;
  const kind = (role === null ? undefined : ROLE_KINDS[role]) ?? 'other';
  for (const key of Object.keys(message)) {
    const value = message[key];
    switch (key) {
      case 'content':
        collectContent(into, `${path}/content`, kind, role, value, join);
        break;
      case 'tool_calls':
        collectToolCalls(into, `${path}/tool_calls`, role, value);
        break;
      case 'function_call':
        collectFunction(into, `${path}/function_call`, role, value);
        break;
      case 'refusal':
        into.everything(`${path}/refusal`, 'refusal', role, value);
        break;
      case 'reasoning_content':
      case 'reasoning':
      case 'reasoning_details':
      case 'thinking_blocks':
        into.everything(`${path}/${key}`, 'reasoning', role, value);
        break;
      case 'tool_call_id':
        into.everything(`${path}/tool_call_id`, 'other', role, protocolId(value));
        break;
      case 'name':
        into.everything(`${path}/name`, kind, role, value);
        break;
      default:
        into.member(path, 'other', role, key, value);
    }
  }
}

/** Every segment of a request as it will be sent (the result of {@link upstreamChatBody}), in document order. */
export function chatRequestSegments(body: JsonObject): Segment[] {
  const into = new SegmentCollector();
  for (const key in body) {
    const value = body[key];
    if (key === 'messages' && Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) {
        collectMessage(into, `/messages/${index}`, value[index] as JsonObject, index);
      }
      continue;
    }
    if (key === 'model' || REQUEST_NUMBERS[key] !== undefined) continue;
    if (typeof value === 'string' && REQUEST_WORDS[key]?.has(value)) continue;
    if (key === 'tools' || key === 'functions') into.everything(`/${key}`, 'tool_defs', null, value);
    else if (key === 'prediction') into.everything('/prediction', 'assistant', null, value);
    else if (key === 'stream_options' || key === 'modalities' || key === 'stop') {
      into.everything(`/${key}`, 'other', null, value);
    } else into.memberOfRoot(key, value);
  }
  return into.segments;
}

/** Fields of an answer that the provider writes and no model does. */
const ANSWER_PROTOCOL: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'model',
  'system_fingerprint',
  'service_tier',
  'usage',
]);
const CHOICE_PROTOCOL: ReadonlySet<string> = new Set([
  'index',
  'finish_reason',
  'native_finish_reason',
  'stop_reason',
]);

/**
 * Every segment of a whole answer. Token probabilities are no segments: {@link guardedAnswer} takes them out, because
 * they would repeat, token by token, what a mask removed.
 */
export function chatAnswerSegments(body: JsonObject): Segment[] {
  const into = new SegmentCollector();
  for (const key of Object.keys(body)) {
    const value = body[key];
    if (key === 'choices' && Array.isArray(value)) {
      value.forEach((choice: unknown, index) => {
        const path = `/choices/${index}`;
        if (!isObject(choice)) {
          into.everything(path, 'assistant', 'assistant', choice);
          return;
        }
        for (const name of Object.keys(choice)) {
          const part = choice[name];
          if (CHOICE_PROTOCOL.has(name) || name === 'logprobs') continue;
          if (name === 'message' && isObject(part))
            collectAnswerMessage(into, `${path}/message`, part, index);
          else into.member(path, 'other', 'assistant', name, part);
        }
      });
    } else if (!ANSWER_PROTOCOL.has(key)) {
      into.memberOfRoot(key, value);
    }
  }
  return into.segments;
}

function collectAnswerMessage(into: SegmentCollector, path: string, message: JsonObject, join: number): void {
  const { audio, ...rest } = message;
  collectMessage(into, path, message['role'] === undefined ? { role: 'assistant', ...rest } : rest, join);
  if (!isObject(audio)) {
    into.everything(`${path}/audio`, 'audio', 'assistant', audio);
    return;
  }
  for (const key of Object.keys(audio)) {
    if (key === 'transcript')
      into.everything(`${path}/audio/transcript`, 'assistant', 'assistant', audio[key]);
    else if (key === 'data') into.everything(`${path}/audio/data`, 'audio', 'assistant', audio[key]);
    else if (key !== 'id' && key !== 'expires_at')
      into.member(`${path}/audio`, 'other', 'assistant', key, audio[key]);
  }
}

/**
 * A copy of an answer without token probabilities, to be scanned and sent when a post_call guardrail runs.
 * @throws PortcullisError `upstream_invalid` when the body is no chat completion.
 */
export function guardedAnswer(body: unknown): JsonObject {
  if (!isObject(body) || !Array.isArray(body['choices'])) {
    throw new PortcullisError(
      'upstream_invalid',
      'The provider answered with something that is no chat completion.',
    );
  }
  const choices: readonly unknown[] = body['choices'];
  if (!choices.some((choice) => isObject(choice) && choice['logprobs'] != null)) return body;
  return {
    ...body,
    choices: choices.map((choice) => (isObject(choice) ? { ...choice, logprobs: null } : choice)),
  };
}

/** A soft block (E7): HTTP 200 with the message as the assistant's answer and finish reason `content_filter`. */
function softBlock(answer: SoftBlock): JsonObject {
  return {
    id: answer.id,
    object: 'chat.completion',
    created: answer.createdSeconds,
    model: answer.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: answer.message, refusal: null },
        logprobs: null,
        finish_reason: 'content_filter',
      },
    ],
    usage: answer.usage ?? NO_USAGE,
  };
}

export const openAiChat: Dialect = {
  name: 'openai-chat',
  callType: 'acompletion',
  path: '/chat/completions',
  body: 'json',
  answers: { text: false, binary: false },
  generates: true,
  promptField: 'messages',
  idPrefix: 'chatcmpl-',
  read: readChatRequest,
  withoutControl: withoutControlFields,
  requestSegments: chatRequestSegments,
  guardedAnswer,
  answerSegments: chatAnswerSegments,
  usage: usageOf,
  softBlock,
  errorBody: (body) => body,
  stream: {
    open: (start) => new ChatStreamCodec(start),
    endMarks: DONE_MARKS,
    failed: failedStream,
  },
};
