import type { ErrorBody } from '../errors.ts';
import { opaque } from './fields.ts';
import type { JsonObject } from './segments.ts';
import { sse, type StreamStart, type TextChannel } from './stream.ts';

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

export type Shape = 'text' | 'tool' | 'thinking' | 'whole';

export interface Block {
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

/** Where the text of a channel belongs. */
export type Target =
  | { readonly to: 'delta' | 'name' | 'citation' | 'whole'; readonly block: Block }
  | { readonly to: 'stop_sequence' };

/** The mark of the end of the message; marks from 0 on are blocks. */
export const MESSAGE_END = -1;

/** Writes what was released of a message as events: blocks one after the other. */
export class MessageWriter {
  readonly blocks: Block[] = [];
  /** What the provider says of the message itself. */
  message: JsonObject;
  usage: JsonObject = {};
  readonly stop: { stop_reason: unknown; stop_sequence: string | null } = {
    stop_reason: null,
    stop_sequence: null,
  };
  #started = false;

  constructor(start: StreamStart) {
    this.message = { id: start.id, model: start.model };
  }

  /** The text of a channel. */
  write(target: Target, text: string): string {
    if (target.to === 'stop_sequence') {
      this.stop.stop_sequence = (this.stop.stop_sequence ?? '') + text;
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
      ...this.message,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 0, output_tokens: 0, ...this.usage },
    };
    return sse({ type: 'message_start', message }, 'message_start');
  }

  /** The start of a block, once; blocks before it are ended, because a client reads them one after the other. */
  #startBlock(block: Block, whole?: JsonObject): string {
    if (block.started) return '';
    let out = this.#begin();
    for (const earlier of this.blocks.slice(0, block.index)) out += this.#endBlock(earlier);
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
      const block = this.blocks[mark];
      return block === undefined ? '' : this.#endBlock(block);
    }
    return `${this.#begin()}${this.#messageDelta(this.stop)}`;
  }

  #messageDelta(stop: { stop_reason: unknown; stop_sequence: string | null }): string {
    const usage = { output_tokens: 0, ...this.usage };
    return sse({ type: 'message_delta', delta: stop, usage }, 'message_delta');
  }

  end(): string {
    return STOP;
  }

  blocked(body: ErrorBody): string {
    return `${this.#refused()}${failedMessageStream(body, 400)}`;
  }

  responded(message: string): string {
    let out = this.#begin() + this.#endOpen();
    const index = this.blocks.filter(({ started }) => started).length;
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
    return this.blocks
      .filter(({ started, ended }) => started && !ended)
      .map((block) => this.#endBlock(block))
      .join('');
  }
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
