import type { ContentKind, Segment } from '@portcullis/policy';
import type { ErrorBody } from '../errors.ts';
import { answerBlockSegments } from './anthropic-content.ts';
import type { Usage } from './dialect.ts';
import {
  type Block,
  failedMessageStream,
  MESSAGE_END,
  MessageWriter,
  type Shape,
  type Target,
} from './anthropic-writer.ts';
import { isObject, type JsonObject } from './segments.ts';
import {
  broken,
  joinWhole,
  parseEvent,
  type ReleasedText,
  splitJsonText,
  type StreamCodec,
  type StreamEvent,
  type StreamStart,
  type TextChannel,
  writeReleased,
} from './stream.ts';
import { readUsage } from './usage.ts';

const MAX_BLOCKS = 1_000;
/** Streams of the messages dialect: blocks one after the other, each a text that grows, or an object that comes whole. */
export class AnthropicStreamCodec implements StreamCodec {
  readonly dropped = new Set<string>();
  readonly #writer: MessageWriter;
  readonly #targets = new Map<string, Target>();
  #hasUsage = false;
  #sawStop = false;
  #citations = 0;

  constructor(start: StreamStart) {
    this.#writer = new MessageWriter(start);
  }

  get usage(): Usage | null {
    return this.#hasUsage ? readUsage(this.#writer.usage) : null;
  }

  get answerId(): string | null {
    return typeof this.#writer.message['id'] === 'string' ? this.#writer.message['id'] : null;
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
          ...this.#writer.blocks.filter(({ closed }) => !closed).flatMap((block) => this.#closeBlock(block)),
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
    if (typeof id === 'string' && id !== '') this.#writer.message = { ...this.#writer.message, id };
    if (typeof model === 'string' && model !== '') this.#writer.message = { ...this.#writer.message, model };
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
    this.#writer.usage = { ...this.#writer.usage, ...usage };
  }

  #openBlock(index: unknown, value: unknown): StreamEvent[] {
    if (index !== this.#writer.blocks.length || this.#writer.blocks.length >= MAX_BLOCKS) {
      throw broken('a content block has no valid index');
    }
    if (!isObject(value) || typeof value['type'] !== 'string') throw broken('a content block has no type');
    if (this.#sawStop || this.#writer.blocks.at(-1)?.closed === false)
      throw broken('a content block begins inside another');
    const { type } = value;
    const { id } = value;
    const shape = shapeOf(type);
    const block: Block = {
      index: this.#writer.blocks.length,
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
    this.#writer.blocks.push(block);
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
    const block = typeof index === 'number' ? this.#writer.blocks[index] : undefined;
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
      this.#writer.stop.stop_reason = delta['stop_reason'];
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
    return writeReleased(pieces, this.#targets, (target, text) => this.#writer.write(target, text));
  }

  finish(mark: number): string {
    return this.#writer.finish(mark);
  }

  end(): string {
    return this.#writer.end();
  }

  blocked(body: ErrorBody): string {
    return this.#writer.blocked(body);
  }

  failed(body: ErrorBody, status: number): string {
    return failedMessageStream(body, status);
  }

  responded(message: string): string {
    return this.#writer.responded(message);
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
