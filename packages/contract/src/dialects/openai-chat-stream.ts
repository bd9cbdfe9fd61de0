import type { ContentKind, Segment } from '@portcullis/policy';
import type { ErrorBody } from '../errors.ts';
import type { Usage } from './dialect.ts';
import { isObject, type JsonObject, lookup } from './segments.ts';
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
import {
  isStructured,
  joinStructured,
  readDeltas,
  structuredSegments,
  writeDelta,
} from './structured-deltas.ts';
import { readUsage } from './usage.ts';

/** A channel with what is needed to write its released text as a chunk again. */
interface ChatChannel extends TextChannel {
  readonly target:
    | { readonly to: 'field'; readonly field: string }
    | { readonly to: 'json'; readonly field: string }
    | { readonly to: 'tool_name' | 'tool_arguments'; readonly tool: number };
}

interface ToolCall {
  readonly index: number;
  id: string | null;
  type: string;
  name: string;
  /** Its header went out, so further arguments are written without it. */
  sent: boolean;
  readonly nameChannel: ChatChannel;
  readonly argumentsChannel: ChatChannel;
}

interface Choice {
  readonly index: number;
  role: string;
  roleSent: boolean;
  finishReason: string | null;
  finished: boolean;
  readonly channels: Map<string, ChatChannel>;
  readonly tools: Map<number, ToolCall>;
}

const TEXT_KINDS = lookup<ContentKind>({
  content: 'assistant',
  refusal: 'refusal',
  reasoning_content: 'reasoning',
  reasoning: 'reasoning',
});

const KNOWN_CHUNK = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'system_fingerprint',
  'service_tier',
  'obfuscation',
]);
const KNOWN_CHOICE = new Set([
  'index',
  'delta',
  'finish_reason',
  'native_finish_reason',
  'logprobs',
  'stop_reason',
]);

/** How the end mark of OpenAI's older streams stands in the bytes. */
export const DONE_MARKS: readonly string[] = ['\ndata: [DONE]', '\ndata:[DONE]'];

/** The error and the end mark of OpenAI's older streams. */
export function failedStream(body: ErrorBody): string {
  return `${sse(body)}data: [DONE]\n\n`;
}

/**
 * Takes the chunks of a streamed chat completion apart into channels and writes released text as chunks again.
 *
 * Only text that was released is ever written; a role goes out with the first of it, so that a block before any text is
 * still a plain 400. Token probabilities and fields outside `delta` that the dialect does not know are left out of a
 * guarded stream, because nobody scanned them; `dropped` names them.
 */
export class ChatStreamCodec implements StreamCodec {
  readonly dropped = new Set<string>();
  readonly #choices = new Map<number, Choice>();
  readonly #channels = new Map<string, ChatChannel>();
  readonly #maxChoices: number;
  #envelope: { id: string; created: number; model: string; system_fingerprint?: unknown };
  #usage: JsonObject | null = null;
  #usageInOwnChunk = false;

  /** @param start id, model and time in seconds to be used until the provider has sent its own. */
  constructor(start: StreamStart) {
    this.#envelope = { id: start.id, created: start.createdSeconds, model: start.model };
    this.#maxChoices = start.maxChoices;
  }

  get usage(): Usage | null {
    return this.#usage === null ? null : readUsage(this.#usage);
  }

  get answerId(): string | null {
    return this.#envelope.id;
  }

  /**
   * Reads the data of one server-sent event.
   * @throws PortcullisError `upstream_invalid` for what is no chunk, `upstream_rejected` for an error object.
   */
  decode(data: string): StreamEvent[] {
    if (data === '[DONE]') return [{ kind: 'done' }];
    const chunk = parseEvent(data);
    const choices = chunk['choices'];
    if (!Array.isArray(choices)) throw broken('a chunk has no choices');
    this.#readEnvelope(chunk, choices.length === 0);
    const events: StreamEvent[] = [];
    for (const choice of choices) this.#readChoice(choice, events);
    return events;
  }

  #readEnvelope(chunk: JsonObject, own: boolean): void {
    if (typeof chunk['id'] === 'string' && chunk['id'] !== '') this.#envelope.id = chunk['id'];
    if (typeof chunk['created'] === 'number' && chunk['created'] > 0)
      this.#envelope.created = chunk['created'];
    if (typeof chunk['model'] === 'string' && chunk['model'] !== '') this.#envelope.model = chunk['model'];
    if (chunk['system_fingerprint'] != null) this.#envelope.system_fingerprint = chunk['system_fingerprint'];
    if (isObject(chunk['usage'])) {
      this.#usage = chunk['usage'];
      this.#usageInOwnChunk = own;
    }
    for (const key in chunk) if (!KNOWN_CHUNK.has(key) && chunk[key] !== null) this.dropped.add(key);
  }

  #readChoice(value: unknown, events: StreamEvent[]): void {
    if (!isObject(value)) throw broken('a choice is no object');
    const index = value['index'] ?? 0;
    if (!Number.isSafeInteger(index) || (index as number) < 0 || (index as number) >= this.#maxChoices) {
      throw broken('a choice has an index that was not asked for');
    }
    const choice = this.#choice(index as number);
    for (const key in value) {
      if (!KNOWN_CHOICE.has(key) && value[key] !== null) this.dropped.add(`choices.${key}`);
    }
    if (value['logprobs'] != null) this.dropped.add('choices.logprobs');
    const delta = value['delta'];
    if (delta !== undefined && delta !== null) {
      if (!isObject(delta)) throw broken('a delta is no object');
      for (const key in delta) this.#readDelta(choice, key, delta[key], events);
    }
    const reason = value['finish_reason'];
    if (typeof reason === 'string' && !choice.finished && choice.finishReason === null) {
      choice.finishReason = reason;
      events.push({ kind: 'finish', keys: [...choice.channels.keys()], mark: choice.index });
    }
  }

  #readDelta(choice: Choice, key: string, value: unknown, events: StreamEvent[]): void {
    if (value === null || value === undefined || value === '') return;
    if (key === 'role') {
      if (typeof value === 'string' && /^[a-z_]{1,20}$/.test(value)) choice.role = value;
      return;
    }
    if (choice.finishReason !== null) throw broken('a choice goes on after its finish_reason');
    if (key === 'tool_calls') {
      if (!Array.isArray(value)) throw broken('tool_calls is no list');
      for (const call of value) this.#readToolCall(choice, call, events);
      return;
    }
    const plain = typeof value === 'string';
    const channel = this.#channel(choice, plain ? key : `${key}:json`, {
      // Structured values are scanned leaf by leaf when the choice is complete, like the arguments of a tool call.
      kind: plain ? (TEXT_KINDS[key] ?? 'other') : 'tool_args',
      path: `/choices/${choice.index}/message/${key}`,
      target: plain ? { to: 'field', field: key } : { to: 'json', field: key },
    });
    events.push({ kind: 'text', channel, text: plain ? value : writeDelta(value) });
  }

  #readToolCall(choice: Choice, value: unknown, events: StreamEvent[]): void {
    if (!isObject(value)) throw broken('a tool call is no object');
    const index = value['index'] ?? 0;
    if (!Number.isSafeInteger(index) || (index as number) < 0 || (index as number) > 1_000) {
      throw broken('a tool call has no valid index');
    }
    const tool = this.#tool(choice, index as number);
    if (typeof value['id'] === 'string') tool.id = value['id'];
    const call = value['function'] ?? value['custom'];
    if (value['custom'] !== undefined) tool.type = 'custom';
    if (!isObject(call)) return;
    if (typeof call['name'] === 'string' && call['name'] !== '') {
      events.push({ kind: 'text', channel: tool.nameChannel, text: call['name'] });
    }
    const text = call['arguments'] ?? call['input'];
    if (typeof text === 'string' && text !== '') {
      events.push({ kind: 'text', channel: tool.argumentsChannel, text });
    }
  }

  #choice(index: number): Choice {
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      choice = {
        index,
        role: 'assistant',
        roleSent: false,
        finishReason: null,
        finished: false,
        channels: new Map(),
        tools: new Map(),
      };
      this.#choices.set(index, choice);
    }
    return choice;
  }

  #channel(choice: Choice, name: string, rest: Pick<ChatChannel, 'kind' | 'path' | 'target'>): ChatChannel {
    const key = `${choice.index}:${name}`;
    let channel = choice.channels.get(key);
    if (channel === undefined) {
      channel = { key, role: 'assistant', choice: choice.index, ...rest };
      choice.channels.set(key, channel);
      this.#channels.set(key, channel);
    }
    return channel;
  }

  #tool(choice: Choice, index: number): ToolCall {
    let tool = choice.tools.get(index);
    if (tool === undefined) {
      const path = `/choices/${choice.index}/message/tool_calls/${index}/function`;
      const channel = (to: 'tool_name' | 'tool_arguments', field: string): ChatChannel =>
        this.#channel(choice, `tool:${index}:${field}`, {
          kind: 'tool_args',
          path: `${path}/${field}`,
          target: { to, tool: index },
        });
      tool = {
        index,
        id: null,
        type: 'function',
        name: '',
        sent: false,
        nameChannel: channel('tool_name', 'name'),
        argumentsChannel: channel('tool_arguments', 'arguments'),
      };
      choice.tools.set(index, tool);
    }
    return tool;
  }

  /** Released pieces as server-sent events. */
  encode(pieces: readonly ReleasedText[]): string {
    let out = '';
    for (const { channel, text } of pieces) {
      const known = this.#channels.get(channel.key);
      if (known === undefined) throw new Error('text of a channel that was never opened');
      if (text === '') continue;
      const choice = this.#choice(known.choice);
      const target = known.target;
      if (target.to === 'field') out += this.#delta(choice, { [target.field]: text });
      else if (target.to === 'json') {
        for (const line of readDeltas(text))
          out += this.#delta(choice, { [target.field]: JSON.parse(line) as unknown });
      } else if (target.to === 'tool_name') this.#tool(choice, target.tool).name += text;
      else out += this.#toolDelta(choice, this.#tool(choice, target.tool), text);
    }
    return out;
  }

  #toolDelta(choice: Choice, tool: ToolCall, text: string): string {
    const body = tool.type === 'custom' ? { input: text } : { arguments: text };
    const key = tool.type === 'custom' ? 'custom' : 'function';
    if (tool.sent) return this.#delta(choice, { tool_calls: [{ index: tool.index, [key]: body }] });
    tool.sent = true;
    const call = { index: tool.index, id: tool.id, type: tool.type, [key]: { name: tool.name, ...body } };
    return this.#delta(choice, { tool_calls: [call] });
  }

  #delta(choice: Choice, delta: JsonObject): string {
    const first = choice.roleSent ? delta : { role: choice.role, ...delta };
    choice.roleSent = true;
    return this.#chunk([{ index: choice.index, delta: first, logprobs: null, finish_reason: null }]);
  }

  #chunk(choices: readonly unknown[], usage?: JsonObject): string {
    const { id, created, model, system_fingerprint } = this.#envelope;
    const chunk = {
      id,
      object: 'chat.completion.chunk',
      created,
      model,
      ...(system_fingerprint === undefined ? {} : { system_fingerprint }),
      choices,
      ...(usage === undefined ? {} : { usage }),
    };
    return sse(chunk);
  }

  /** The last chunk of a choice, after its channels have been ended and their text released. */
  finish(index: number): string {
    const choice = this.#choice(index);
    if (choice.finished) return '';
    let out = '';
    for (const tool of choice.tools.values()) if (!tool.sent) out += this.#toolDelta(choice, tool, '');
    choice.finished = true;
    const usage = this.#usage !== null && !this.#usageInOwnChunk ? this.#usage : undefined;
    const delta = choice.roleSent ? {} : { role: choice.role };
    choice.roleSent = true;
    return (
      out +
      this.#chunk([{ index, delta, logprobs: null, finish_reason: choice.finishReason ?? 'stop' }], usage)
    );
  }

  /** What follows the last choice: the usage chunk, when the provider sent one, and the end mark. */
  end(): string {
    const usage = this.#usageInOwnChunk && this.#usage !== null ? this.#chunk([], this.#usage) : '';
    return `${usage}data: [DONE]\n\n`;
  }

  /** A block in the middle of a stream: every open choice ends with `content_filter`, then the error, then the end. */
  blocked(body: ErrorBody): string {
    return `${this.#closeOpen()}data: ${JSON.stringify(body)}\n\ndata: [DONE]\n\n`;
  }

  /** A fault in the middle of a stream: the error and the end; no choice claims to be complete. */
  failed(body: ErrorBody): string {
    return failedStream(body);
  }

  /** A soft block: the message as the answer of the first choice, every open choice ends with `content_filter`. */
  responded(message: string): string {
    const first = this.#choice(0);
    const answer = first.finished ? '' : this.#delta(first, { content: message });
    return `${answer}${this.#closeOpen()}data: [DONE]\n\n`;
  }

  #closeOpen(): string {
    let out = '';
    for (const choice of this.#choices.values()) {
      if (choice.finished) continue;
      choice.finished = true;
      const delta = choice.roleSent ? {} : { role: choice.role };
      out += this.#chunk([{ index: choice.index, delta, logprobs: null, finish_reason: 'content_filter' }]);
    }
    return out;
  }

  splitArguments(text: string, channel: { readonly key?: string; readonly path?: string }): Segment[] {
    const path = channel.path ?? '';
    const isJson = this.#channels.get(channel.key ?? '')?.target.to === 'json';
    return isJson ? structuredSegments(text, path) : splitJsonText(text, path);
  }

  joinArguments(text: string, leaves: readonly Segment[]): string | null {
    return isStructured(leaves) ? joinStructured(text, leaves) : joinJsonText(text, leaves);
  }
}
