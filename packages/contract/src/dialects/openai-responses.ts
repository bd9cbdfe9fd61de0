import type { Segment } from '@portcullis/policy';
import { PortcullisError } from '../errors.ts';
import { readControlFields, withoutControlFields } from './control-fields.ts';
import type { Dialect, ModelRequest, SoftBlock } from './dialect.ts';
import { checkTypes, type FieldType, invalid, requiredModel } from './fields.ts';
import { collectItem, longId, withoutProbabilities } from './responses-content.ts';
import { ResponsesStreamCodec } from './responses-stream.ts';
import { failedResponseStream } from './responses-writer.ts';
import { isObject, type JsonObject, lookup, SegmentCollector } from './segments.ts';
import { usageOf } from './usage.ts';

// The OpenAI responses dialect.

const TYPES = lookup<FieldType>({
  stream: 'boolean',
  store: 'boolean',
  background: 'boolean',
  parallel_tool_calls: 'boolean',
  max_output_tokens: 'integer',
  max_tool_calls: 'integer',
  temperature: 'number',
  top_p: 'number',
  top_logprobs: 'integer',
});

const WORDS = lookup<ReadonlySet<string>>({
  service_tier: new Set(['auto', 'default', 'flex', 'priority', 'scale']),
  truncation: new Set(['auto', 'disabled']),
  tool_choice: new Set(['none', 'auto', 'required']),
  prompt_cache_retention: new Set(['in_memory', '24h']),
});

function read(body: JsonObject): ModelRequest {
  const model = requiredModel(body);
  const { input } = body;
  if (input !== undefined && input !== null && typeof input !== 'string' && !Array.isArray(input)) {
    throw invalid('input', 'a text or a list of items');
  }
  checkTypes(body, TYPES);
  return { model, stream: body['stream'] === true, choices: 1, control: readControlFields(body) };
}

/** The provider keeps `metadata` with the response, unless it is told to keep nothing. */
function withoutControl(body: JsonObject): Record<string, unknown> {
  const keeps = body['store'] !== false;
  const { store, ...rest } = withoutControlFields(keeps ? { ...body, store: true } : body);
  return body['store'] === undefined ? rest : { ...rest, store: keeps ? body['store'] : store };
}

function requestSegments(body: JsonObject): Segment[] {
  const into = new SegmentCollector();
  for (const key in body) {
    const value = body[key];
    if (key === 'model' || TYPES[key] !== undefined) continue;
    if (typeof value === 'string' && WORDS[key]?.has(value)) continue;
    if (key === 'input' && Array.isArray(value)) {
      value.forEach((item: unknown, index) => collectItem(into, `/input/${index}`, item, index));
    } else if (key === 'input') into.everything('/input', 'user', 'user', value);
    else if (key === 'instructions') into.everything('/instructions', 'system', 'system', value);
    else if (key === 'tools') into.everything('/tools', 'tool_defs', null, value);
    else if (key === 'previous_response_id') into.everything(`/${key}`, 'other', null, longId(value));
    else if (key === 'include' || key === 'stream_options' || key === 'text' || key === 'reasoning') {
      into.everything(`/${key}`, 'other', null, value);
    } else into.memberOfRoot(key, value);
  }
  return into.segments;
}

/** What the provider writes around an answer, or repeats of a request's settings; their types are looked at. */
const ANSWER_TYPES = lookup<FieldType>({
  created_at: 'number',
  completed_at: 'number',
  background: 'boolean',
  parallel_tool_calls: 'boolean',
  store: 'boolean',
  max_output_tokens: 'integer',
  max_tool_calls: 'integer',
  temperature: 'number',
  top_p: 'number',
  top_logprobs: 'integer',
  presence_penalty: 'number',
  frequency_penalty: 'number',
});
const ANSWER_WORDS = lookup<ReadonlySet<string>>({
  object: new Set(['response']),
  status: new Set(['completed', 'failed', 'in_progress', 'cancelled', 'queued', 'incomplete']),
  ...WORDS,
});
const INCOMPLETE = new Set(['max_output_tokens', 'content_filter']);

function isProtocol(key: string, value: unknown): boolean {
  if (value === null || key === 'id' || key === 'model' || key === 'usage') return true;
  if (ANSWER_TYPES[key] !== undefined) return typeof value === 'number' || typeof value === 'boolean';
  if (typeof value === 'string' && ANSWER_WORDS[key]?.has(value)) return true;
  return key === 'incomplete_details' && isObject(value) && INCOMPLETE.has(String(value['reason']));
}

function answerSegments(body: JsonObject): Segment[] {
  const into = new SegmentCollector();
  for (const key of Object.keys(body)) {
    const value = body[key];
    if (isProtocol(key, value)) continue;
    if (key === 'output' && Array.isArray(value)) {
      value.forEach((item: unknown, index) => collectItem(into, `/output/${index}`, item, index));
    } else if (key === 'previous_response_id') into.everything(`/${key}`, 'other', null, longId(value));
    else into.memberOfRoot(key, value);
  }
  return into.segments;
}

/**
 * Without what repeats the request: instructions, tools and output format were judged on the way in, and what a
 * guardrail forbids an answer to say may well stand in the instructions.
 */
function guardedAnswer(body: unknown): JsonObject {
  if (!isObject(body) || !Array.isArray(body['output'])) {
    throw new PortcullisError(
      'upstream_invalid',
      'The provider answered with something that is no response.',
    );
  }
  const { instructions, tools, prompt, text, ...rest } = body;
  return {
    ...rest,
    ...(instructions === undefined ? {} : { instructions: null }),
    ...(tools === undefined ? {} : { tools: [] }),
    ...(prompt === undefined ? {} : { prompt: null }),
    ...(text === undefined ? {} : { text: { format: { type: 'text' } } }),
    output: body['output'].map(withoutProbabilities),
  };
}

function softBlock({ id, model, createdSeconds, message, usage }: SoftBlock): JsonObject {
  return {
    id,
    object: 'response',
    created_at: createdSeconds,
    status: 'incomplete',
    error: null,
    incomplete_details: { reason: 'content_filter' },
    instructions: null,
    metadata: {},
    model,
    output: [
      {
        id: `msg_${id}`,
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: message, annotations: [] }],
      },
    ],
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    usage: {
      input_tokens: usage?.prompt_tokens ?? 0,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: usage?.completion_tokens ?? 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage?.total_tokens ?? 0,
    },
  };
}

export const openAiResponses: Dialect = {
  name: 'openai-responses',
  callType: 'aresponses',
  path: '/responses',
  body: 'json',
  answers: { text: false, binary: false },
  keepsAnswers: true,
  generates: true,
  promptField: 'input',
  idPrefix: 'resp_',
  read,
  withoutControl,
  requestSegments,
  guardedAnswer,
  answerSegments,
  usage: usageOf,
  softBlock,
  errorBody: (body) => body,
  stream: {
    open: (start) => new ResponsesStreamCodec(start),
    endMarks: ['completed', 'failed', 'incomplete'].flatMap((end) => [
      `\nevent: response.${end}`,
      `"type":"response.${end}"`,
      `"type": "response.${end}"`,
    ]),
    failed: failedResponseStream,
  },
};
