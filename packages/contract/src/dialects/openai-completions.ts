import type { Segment } from '@portcullis/policy';
import { type ErrorBody, PortcullisError } from '../errors.ts';
import { readControlFields, withoutControlFields } from './control-fields.ts';
import type { Dialect, ModelRequest, Usage } from './dialect.ts';
import { checkTypes, choicesOf, type FieldType, invalid, requiredModel } from './fields.ts';
import { DONE_MARKS, failedStream } from './openai-chat-stream.ts';
import { isObject, type JsonObject, lookup, SegmentCollector } from './segments.ts';
import { collectList } from './simple.ts';
import {
  broken,
  joinJsonText,
  parseEvent,
  type ReleasedText,
  splitJsonText,
  sse,
  type StreamCodec,
  type StreamEvent,
  type StreamStart,
  type TextChannel,
} from './stream.ts';
import { collectPrompt } from './tokens.ts';
import { NO_USAGE, readUsage, usageOf } from './usage.ts';

// The OpenAI text completions dialect, whole and streamed.

const TYPES = lookup<FieldType>({
  stream: 'boolean',
  n: 'integer',
  best_of: 'integer',
  echo: 'boolean',
  logprobs: 'integer',
  max_tokens: 'integer',
  temperature: 'number',
  top_p: 'number',
  top_k: 'number',
  min_p: 'number',
  presence_penalty: 'number',
  frequency_penalty: 'number',
  repetition_penalty: 'number',
  seed: 'integer',
});

const MAX_ANSWERS = 1_024;

function read(body: JsonObject): ModelRequest {
  const model = requiredModel(body);
  const { prompt } = body;
  if (!(typeof prompt === 'string' || (Array.isArray(prompt) && prompt.length > 0))) {
    throw invalid('prompt', 'a text or a non-empty list');
  }
  checkTypes(body, TYPES);
  // A list of prompts is answered one by one, each `n` times.
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1;
  return {
    model,
    stream: body['stream'] === true,
    choices: Math.min(choicesOf(body) * prompts, MAX_ANSWERS),
    control: readControlFields(body),
  };
}

function requestSegments(body: JsonObject): Segment[] {
  const into = new SegmentCollector();
  for (const key in body) {
    const value = body[key];
    if (key === 'model' || TYPES[key] !== undefined) continue;
    if (key === 'prompt') collectPrompt(into, '/prompt', 'user', value);
    else if (key === 'suffix') into.everything('/suffix', 'user', 'user', value);
    else if (key === 'stop' || key === 'stream_options') into.everything(`/${key}`, 'other', null, value);
    else into.memberOfRoot(key, value);
  }
  return into.segments;
}

const ENVELOPE = new Set(['id', 'object', 'created', 'model', 'usage', 'system_fingerprint', 'service_tier']);
const CHOICE_PROTOCOL = new Set(['index', 'finish_reason', 'stop_reason', 'logprobs']);

function guardedAnswer(body: unknown): JsonObject {
  if (!isObject(body) || !Array.isArray(body['choices'])) {
    throw new PortcullisError(
      'upstream_invalid',
      'The provider answered with something that is no completion.',
    );
  }
  const choices: readonly unknown[] = body['choices'];
  if (!choices.some((choice) => isObject(choice) && choice['logprobs'] != null)) return body;
  return {
    ...body,
    choices: choices.map((choice) => (isObject(choice) ? { ...choice, logprobs: null } : choice)),
  };
}

function answerSegments(body: JsonObject): Segment[] {
  const into = new SegmentCollector();
  for (const key of Object.keys(body)) {
    if (ENVELOPE.has(key)) continue;
    if (key !== 'choices') into.memberOfRoot(key, body[key]);
    else {
      collectList(into, '/choices', body[key], (path, name, value) => {
        if (name === 'text') into.everything(path, 'assistant', 'assistant', value);
        return name === 'text' || CHOICE_PROTOCOL.has(name);
      });
    }
  }
  return into.segments;
}

interface Choice {
  readonly index: number;
  readonly channel: TextChannel;
  finishReason: string | null;
  finished: boolean;
}

class CompletionStreamCodec implements StreamCodec {
  readonly dropped = new Set<string>();
  readonly #choices = new Map<number, Choice>();
  readonly #maxChoices: number;
  #envelope: JsonObject;
  #usage: JsonObject | null = null;

  constructor(start: StreamStart) {
    this.#maxChoices = start.maxChoices;
    this.#envelope = {
      id: start.id,
      object: 'text_completion',
      created: start.createdSeconds,
      model: start.model,
    };
  }

  get usage(): Usage | null {
    return this.#usage === null ? null : readUsage(this.#usage);
  }

  get answerId(): string | null {
    return typeof this.#envelope['id'] === 'string' ? this.#envelope['id'] : null;
  }

  decode(data: string): StreamEvent[] {
    if (data === '[DONE]') return [{ kind: 'done' }];
    const chunk = parseEvent(data);
    const { choices } = chunk;
    if (!Array.isArray(choices)) throw broken('a chunk has no choices');
    for (const key of Object.keys(chunk)) {
      const value = chunk[key];
      if (key === 'choices' || value === null) continue;
      if (key === 'usage' && isObject(value)) this.#usage = value;
      else if (!ENVELOPE.has(key)) this.dropped.add(key);
      else if (typeof value === 'string' || typeof value === 'number') {
        if (key !== 'object') this.#envelope = { ...this.#envelope, [key]: value };
      }
    }
    return choices.flatMap((choice) => this.#readChoice(choice));
  }

  #readChoice(value: unknown): StreamEvent[] {
    if (!isObject(value)) throw broken('a choice is no object');
    const index = value['index'] ?? 0;
    if (!Number.isSafeInteger(index) || (index as number) < 0 || (index as number) >= this.#maxChoices) {
      throw broken('a choice has an index that was not asked for');
    }
    const choice = this.#choice(index as number);
    for (const key of Object.keys(value)) {
      const known = key === 'text' || (CHOICE_PROTOCOL.has(key) && key !== 'logprobs');
      if (!known && value[key] !== null) this.dropped.add(`choices.${key}`);
    }
    const events: StreamEvent[] = [];
    const { text, finish_reason: reason } = value;
    if (typeof text === 'string' && text !== '') {
      if (choice.finishReason !== null) throw broken('a choice goes on after its finish_reason');
      events.push({ kind: 'text', channel: choice.channel, text });
    }
    if (typeof reason === 'string' && choice.finishReason === null) {
      choice.finishReason = reason;
      events.push({ kind: 'finish', keys: [choice.channel.key], mark: choice.index });
    }
    return events;
  }

  #choice(index: number): Choice {
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      const path = `/choices/${index}/text`;
      const channel = {
        key: String(index),
        kind: 'assistant',
        role: 'assistant',
        choice: index,
        path,
      } as const;
      choice = { index, channel, finishReason: null, finished: false };
      this.#choices.set(index, choice);
    }
    return choice;
  }

  encode(pieces: readonly ReleasedText[]): string {
    return pieces.map(({ channel, text }) => this.#chunk(Number(channel.key), text, null)).join('');
  }

  #chunk(index: number, text: string, finish_reason: string | null): string {
    return sse({ ...this.#envelope, choices: [{ text, index, logprobs: null, finish_reason }] });
  }

  finish(mark: number): string {
    const choice = this.#choice(mark);
    if (choice.finished) return '';
    choice.finished = true;
    return this.#chunk(mark, '', choice.finishReason ?? 'stop');
  }

  end(): string {
    const usage = this.#usage === null ? '' : sse({ ...this.#envelope, choices: [], usage: this.#usage });
    return `${usage}data: [DONE]\n\n`;
  }

  blocked(body: ErrorBody): string {
    return this.#closeOpen() + failedStream(body);
  }

  failed(body: ErrorBody): string {
    return failedStream(body);
  }

  responded(message: string): string {
    const first = this.#choice(0);
    const answer = first.finished ? '' : this.#chunk(0, message, null);
    return `${answer}${this.#closeOpen()}data: [DONE]\n\n`;
  }

  #closeOpen(): string {
    let out = '';
    for (const choice of this.#choices.values()) {
      if (choice.finished) continue;
      choice.finished = true;
      out += this.#chunk(choice.index, '', 'content_filter');
    }
    return out;
  }

  splitArguments(text: string, channel: { readonly path?: string }): Segment[] {
    return splitJsonText(text, channel.path ?? '');
  }

  joinArguments(text: string, leaves: readonly Segment[]): string | null {
    return joinJsonText(text, leaves);
  }
}

export const openAiCompletions: Dialect = {
  name: 'openai-completions',
  callType: 'atext_completion',
  path: '/completions',
  body: 'json',
  answers: { text: false, binary: false },
  generates: true,
  promptField: 'prompt',
  idPrefix: 'cmpl-',
  read,
  withoutControl: withoutControlFields,
  requestSegments,
  guardedAnswer,
  answerSegments,
  usage: usageOf,
  softBlock: ({ id, model, createdSeconds, message, usage }) => ({
    id,
    object: 'text_completion',
    created: createdSeconds,
    model,
    choices: [{ text: message, index: 0, logprobs: null, finish_reason: 'content_filter' }],
    usage: usage ?? NO_USAGE,
  }),
  errorBody: (body) => body,
  stream: { open: (start) => new CompletionStreamCodec(start), endMarks: DONE_MARKS, failed: failedStream },
};
