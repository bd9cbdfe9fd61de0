import type { ContentKind, Segment } from '@portcullis/policy';
import type { ErrorBody } from '../errors.ts';
import { answerBlockSegments } from './anthropic-content.ts';
import type { Usage } from './dialect.ts';
import { opaque } from './fields.ts';
import { isObject, type JsonObject } from './segments.ts';
import {
  broken,
  joinWhole,
  parseEvent,
  type ReleasedText,
  splitJsonText,
  sse,
  type StreamCodec,
  type StreamEvent,
  type StreamStart,
  type TextChannel,
} from './stream.ts';
import { readUsage } from './usage.ts';

/** The words of Anthropic's errors, by status. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** An error in Anthropic's shape. The gateway's own words stand beside those that clients look at. */
export function anthropicError({ error }: ErrorBody, status: number): JsonObject {
  const { message, type, param: _param, code: _code, ...rest } = error;
  const known = ERROR_TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return { type: 'error', error: { type: known, message, portcullis_type: type, ...rest } };
}

const STOP = sse({ type: 'message_stop' }, 'message_stop');

export function failedMessageStream(body: ErrorBody, status: number): string {
  return sse(anthropicError(body, status), 'error') + STOP;
}

type Shape = 'text' | 'tool' | 'thinking' | 'whole';

interface Block {
  readonly index: number;
  readonly type: string;
  readonly shape: Shape;
  /** What the block is besides its texts: its type and id. */
  readonly head: JsonObject;
  readonly channels: TextChannel[];
  started: boolean;
  ended: boolean;
  /** The provider has ended it. */
  closed: boolean;
  name: string;
  signature: string;
}

type Target =
  | { readonly to: 'delta' | 'name' | 'citation' | 'whole'; readonly block: Block }
  | { readonly to: 'stop_sequence' };

const MAX_BLOCKS = 1_000;
/** The mark of the end of the message; marks from 0 on are blocks. */
const MESSAGE_END = -1;

/** Streams of the messages dialect: blocks one after the other, each a text that grows, or an object that comes whole. */
export class AnthropicStreamCodec implements StreamCodec {
  readonly dropped = new Set<string>();
  readonly #blocks: Block[] = [];
  readonly #targets = new Map<string, Target>();
  #message: JsonObject;
  #usage: JsonObject = {};
  #stop: { stop_reason: unknown; stop_sequence: string | null } = { stop_reason: null, stop_sequence: null };
  #hasUsage = false;
  #sawStop = false;
  #started = false;
  #citations = 0;

  constructor(start: StreamStart) {
    this.#message = { id: start.id, model: start.model };
  }

  get usage(): Usage | null {
    return this.#hasUsage ? readUsage(this.#usage) : null;
  }

  get answerId(): string | null {
    return typeof this.#message['id'] === 'string' ? this.#message['id'] : null;
  }

  decode(data: string): StreamEvent[] {
    const event = parseEvent(data);
    switch (event['type']) {
      case 'message_start':
        this.#readMessage(event['message']);
        return [];
      case 'content_block_start':
        return this.#openBlock(event['index'], event['content_block']);
      case 'content_block_delta':
        return this.#readDelta(this.#blockAt(event['index']), event['delta']);
      case 'content_block_stop':
        return this.#closeBlock(this.#blockAt(event['index']));
      case 'message_delta':
        return this.#readEnd(event);
      case 'message_stop':
        return [
          ...this.#blocks.filter(({ closed }) => !closed).flatMap((block) => this.#closeBlock(block)),
          { kind: 'finish', keys: [], mark: MESSAGE_END },
          { kind: 'done' },
        ];
      case 'ping':
        return [];
      default:
        this.dropped.add(typeof event['type'] === 'string' ? event['type'].slice(0, 64) : 'type');
        return [];
    }
  }

  #readMessage(value: unknown): void {
    if (!isObject(value)) throw broken('message_start has no message');
    const { id, model, usage } = value;
    if (typeof id === 'string' && id !== '') this.#message = { ...this.#message, id };
    if (typeof model === 'string' && model !== '') this.#message = { ...this.#message, model };
    this.#readUsage(usage);
    const known = ['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage'];
    for (const key of Object.keys(value))
      if (!known.includes(key) && value[key] !== null) this.dropped.add(key);
    if (Array.isArray(value['content']) && value['content'].length > 0) {
      throw broken('message_start has content already');
    }
  }

  #readUsage(usage: unknown): void {
    if (!isObject(usage)) return;
    this.#hasUsage = true;
    this.#usage = { ...this.#usage, ...usage };
  }

  #openBlock(index: unknown, value: unknown): StreamEvent[] {
    if (index !== this.#blocks.length || this.#blocks.length >= MAX_BLOCKS) {
      throw broken('a content block has no valid index');
    }
    if (!isObject(value) || typeof value['type'] !== 'string') throw broken('a content block has no type');
    if (this.#sawStop || this.#blocks.at(-1)?.closed === false)
      throw broken('a content block begins inside another');
    const { type } = value;
    const { id } = value;
    const shape = shapeOf(type);
    const block: Block = {
      index: this.#blocks.length,
      type,
      shape,
      head: { type, ...(typeof id === 'string' && /^[\w.:-]{1,128}$/.test(id) ? { id } : {}) },
      channels: [],
      started: false,
      ended: false,
      closed: false,
      name: '',
      signature: '',
    };
    this.#blocks.push(block);
    if (shape === 'whole') {
      const channel = this.#channel(block, 'whole', 'tool_args', '', { to: 'whole', block });
      return [{ kind: 'text', channel, text: JSON.stringify(value) }];
    }
    const events: StreamEvent[] = [];
    if (shape === 'tool') {
      const name = this.#channel(block, 'name', 'tool_args', '/name', { to: 'name', block });
      if (typeof value['name'] === 'string' && value['name'] !== '') {
        events.push({ kind: 'text', channel: name, text: value['name'] });
      }
      this.#channel(block, 'input', 'tool_args', '/input', { to: 'delta', block });
      if (isObject(value['input']) && Object.keys(value['input']).length > 0) {
        events.push(...this.#grow(block, 'input', JSON.stringify(value['input'])));
      }
    } else {
      const field = shape === 'text' ? 'text' : 'thinking';
      this.#channel(block, field, shape === 'text' ? 'assistant' : 'reasoning', `/${field}`, {
        to: 'delta',
        block,
      });
      const text = value[field];
      if (typeof text === 'string') events.push(...this.#grow(block, field, text));
      if (typeof value['signature'] === 'string') this.#sign(block, value['signature']);
      if (Array.isArray(value['citations']))
        for (const one of value['citations']) events.push(this.#cite(block, one));
    }
    const known = ['type', 'id', 'name', 'input', 'text', 'thinking', 'signature', 'citations'];
    for (const key of Object.keys(value)) {
      if (!known.includes(key) && value[key] !== null) this.dropped.add(`content_block.${key}`);
    }
    return events;
  }

  #channel(block: Block, name: string, kind: ContentKind, field: string, target: Target): TextChannel {
    const channel: TextChannel = {
      key: `${block.index}:${name}`,
      kind,
      role: 'assistant',
      choice: 0,
      path: `/content/${block.index}${field}`,
      // Adjacent text blocks are also looked at as one text (E9).
      ...(kind === 'assistant' ? { join: 0 } : {}),
    };
    block.channels.push(channel);
    this.#targets.set(channel.key, target);
    return channel;
  }

  #grow(block: Block, name: string, text: string): StreamEvent[] {
    const channel = block.channels.find(({ key }) => key === `${block.index}:${name}`);
    if (channel === undefined) throw broken('a delta does not fit its content block');
    return text === '' ? [] : [{ kind: 'text', channel, text }];
  }

  #blockAt(index: unknown): Block {
    const block = typeof index === 'number' ? this.#blocks[index] : undefined;
    if (block === undefined || block.closed) throw broken('an event belongs to no open content block');
    return block;
  }

  #readDelta(block: Block, delta: unknown): StreamEvent[] {
    if (!isObject(delta)) throw broken('a delta is no object');
    const text = (field: string): string => {
      const value = delta[field];
      if (typeof value !== 'string') throw broken('a delta has no text');
      return value;
    };
    switch (delta['type']) {
      case 'text_delta':
        return this.#grow(block, 'text', text('text'));
      case 'input_json_delta':
        return this.#grow(block, 'input', text('partial_json'));
      case 'thinking_delta':
        return this.#grow(block, 'thinking', text('thinking'));
      case 'signature_delta':
        this.#sign(block, text('signature'));
        return [];
      case 'citations_delta':
        return [this.#cite(block, delta['citation'])];
      default:
        this.dropped.add(typeof delta['type'] === 'string' ? delta['type'].slice(0, 64) : 'delta');
        return [];
    }
  }

  #sign(block: Block, signature: string): void {
    const whole = block.signature + signature;
    if (whole.length > 1_048_576) throw broken('a signature is too long');
    block.signature = whole;
  }

  #cite(block: Block, citation: unknown): StreamEvent {
    if (!isObject(citation) || block.shape !== 'text')
      throw broken('a citation does not fit its content block');
    this.#citations += 1;
    const name = `citation:${this.#citations}`;
    const channel = this.#channel(block, name, 'tool_args', '/citations', { to: 'citation', block });
    return { kind: 'text', channel, text: JSON.stringify(citation) };
  }

  #closeBlock(block: Block): StreamEvent[] {
    block.closed = true;
    return [{ kind: 'finish', keys: block.channels.map(({ key }) => key), mark: block.index }];
  }

  #readEnd(event: JsonObject): StreamEvent[] {
    this.#readUsage(event['usage']);
    for (const key of Object.keys(event)) {
      if (!['type', 'delta', 'usage'].includes(key) && event[key] !== null) this.dropped.add(key);
    }
    const { delta } = event;
    if (!isObject(delta)) return [];
    if (typeof delta['stop_reason'] === 'string') {
      this.#sawStop = true;
      this.#stop.stop_reason = delta['stop_reason'];
    }
    const sequence = delta['stop_sequence'];
    if (typeof sequence !== 'string' || sequence === '') return [];
    const channel: TextChannel = {
      key: 'stop_sequence',
      kind: 'other',
      role: 'assistant',
      choice: 0,
      path: '/stop_sequence',
    };
    this.#targets.set(channel.key, { to: 'stop_sequence' });
    return [
      { kind: 'text', channel, text: sequence },
      { kind: 'finish', keys: [channel.key], mark: null },
    ];
  }

  encode(pieces: readonly ReleasedText[]): string {
    let out = '';
    for (const { channel, text } of pieces) {
      const target = this.#targets.get(channel.key);
      if (target === undefined) throw new Error('text of a channel that was never opened');
      if (text !== '') out += this.#write(target, text);
    }
    return out;
  }

  #write(target: Target, text: string): string {
    if (target.to === 'stop_sequence') {
      this.#stop.stop_sequence = (this.#stop.stop_sequence ?? '') + text;
      return '';
    }
    const { block } = target;
    if (target.to === 'name') {
      block.name += text;
      return '';
    }
    if (target.to === 'whole') return this.#startBlock(block, JSON.parse(text) as JsonObject);
    if (target.to === 'citation') {
      return (
        this.#startBlock(block) +
        delta(block, { type: 'citations_delta', citation: JSON.parse(text) as unknown })
      );
    }
    return this.#startBlock(block) + delta(block, deltaOf(block.shape, text));
  }

  #begin(): string {
    if (this.#started) return '';
    this.#started = true;
    const message = {
      type: 'message',
      role: 'assistant',
      ...this.#message,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 0, output_tokens: 0, ...this.#usage },
    };
    return sse({ type: 'message_start', message }, 'message_start');
  }

  /** The start of a block, once; blocks before it are ended, because a client reads them one after the other. */
  #startBlock(block: Block, whole?: JsonObject): string {
    if (block.started) return '';
    let out = this.#begin();
    for (const earlier of this.#blocks.slice(0, block.index)) out += this.#endBlock(earlier);
    block.started = true;
    return (
      out +
      sse(
        { type: 'content_block_start', index: block.index, content_block: whole ?? emptyBlock(block) },
        'content_block_start',
      )
    );
  }

  #endBlock(block: Block): string {
    if (block.ended) return '';
    block.ended = true;
    const start = block.started ? '' : this.#startBlock(block);
    const signature =
      block.signature !== '' && opaque(block.signature) === null
        ? delta(block, { type: 'signature_delta', signature: block.signature })
        : '';
    return `${start}${signature}${sse({ type: 'content_block_stop', index: block.index }, 'content_block_stop')}`;
  }

  finish(mark: number): string {
    if (mark !== MESSAGE_END) {
      const block = this.#blocks[mark];
      return block === undefined ? '' : this.#endBlock(block);
    }
    return `${this.#begin()}${this.#messageDelta(this.#stop)}`;
  }

  #messageDelta(stop: { stop_reason: unknown; stop_sequence: string | null }): string {
    const usage = { output_tokens: 0, ...this.#usage };
    return sse({ type: 'message_delta', delta: stop, usage }, 'message_delta');
  }

  end(): string {
    return STOP;
  }

  blocked(body: ErrorBody): string {
    return `${this.#refused()}${failedMessageStream(body, 400)}`;
  }

  failed(body: ErrorBody, status: number): string {
    return failedMessageStream(body, status);
  }

  responded(message: string): string {
    let out = this.#begin() + this.#endOpen();
    const index = this.#blocks.filter(({ started }) => started).length;
    const block = { type: 'text', text: '' };
    out += sse({ type: 'content_block_start', index, content_block: block }, 'content_block_start');
    out += delta({ index }, { type: 'text_delta', text: message });
    out += sse({ type: 'content_block_stop', index }, 'content_block_stop');
    return `${out}${this.#messageDelta({ stop_reason: 'refusal', stop_sequence: null })}${STOP}`;
  }

  /** The end of a message that may not go on. */
  #refused(): string {
    return (
      this.#begin() + this.#endOpen() + this.#messageDelta({ stop_reason: 'refusal', stop_sequence: null })
    );
  }

  #endOpen(): string {
    return this.#blocks
      .filter(({ started, ended }) => started && !ended)
      .map((block) => this.#endBlock(block))
      .join('');
  }

  splitArguments(text: string, channel: { readonly key?: string; readonly path?: string }): Segment[] {
    const path = channel.path ?? '';
    const target = this.#targets.get(channel.key ?? '');
    if (target?.to !== 'whole') return splitJsonText(text, path);
    return answerBlockSegments(JSON.parse(text), path, null);
  }

  joinArguments(text: string, leaves: readonly Segment[]): string | null {
    return joinWhole(text, leaves, (block) => answerBlockSegments(block, '', null));
  }
}

function shapeOf(type: string): Shape {
  if (type === 'text' || type === 'thinking') return type;
  return type.endsWith('tool_use') ? 'tool' : 'whole';
}

function emptyBlock({ head, shape, name }: Block): JsonObject {
  switch (shape) {
    case 'text':
      return { ...head, text: '' };
    case 'thinking':
      return { ...head, thinking: '', signature: '' };
    case 'tool':
      return { ...head, name, input: {} };
    case 'whole':
      return head;
  }
}

function deltaOf(shape: Shape, text: string): JsonObject {
  if (shape === 'text') return { type: 'text_delta', text };
  return shape === 'thinking'
    ? { type: 'thinking_delta', thinking: text }
    : { type: 'input_json_delta', partial_json: text };
}

function delta({ index }: Pick<Block, 'index'>, value: JsonObject): string {
  return sse({ type: 'content_block_delta', index, delta: value }, 'content_block_delta');
}
