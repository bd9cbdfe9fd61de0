import type { Segment } from '@portcullis/policy';
import { type ErrorBody, PortcullisError } from '../errors.ts';
import type { Usage } from './dialect.ts';
import { answerItemSegments, withoutProbabilities } from './responses-content.ts';
import { type Item, itemOf, newPart, type Part, PART_EVENTS, type PartType } from './responses-items.ts';
import { MARKS, RESPONSE_END, ResponseWriter, type Target } from './responses-writer.ts';
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

const MAX_ITEMS = 1_000;
const MAX_PARTS = 400;
/** Released text is repeated at the end of the stream, so that it has to be kept. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** Fields of a response that may be repeated unseen, because no model or caller writes them. */
const ENVELOPE = new Set([
  'id',
  'created_at',
  'model',
  'status',
  'incomplete_details',
  'usage',
  'service_tier',
  'background',
]);

/** Streams of the responses dialect: items with parts, of which every event repeats what has been said before. */
export class ResponsesStreamCodec implements StreamCodec {
  readonly dropped = new Set<string>();
  readonly #writer: ResponseWriter;
  readonly #targets = new Map<string, Target>();
  #usage: JsonObject | null = null;
  #characters = 0;
  #annotations = 0;

  constructor(start: StreamStart) {
    this.#writer = new ResponseWriter(start);
  }

  get usage(): Usage | null {
    return this.#usage === null ? null : readUsage(this.#usage);
  }

  get answerId(): string | null {
    return typeof this.#writer.response['id'] === 'string' ? this.#writer.response['id'] : null;
  }

  decode(data: string): StreamEvent[] {
    if (data === '[DONE]') return [];
    const event = parseEvent(data);
    const type = typeof event['type'] === 'string' ? event['type'] : '';
    const name = type.replace(/^response\./u, '');
    switch (name) {
      case 'created':
      case 'queued':
      case 'in_progress':
        this.#readResponse(event['response']);
        return [];
      case 'output_item.added':
        return this.#openItem(event['output_index'], event['item']);
      case 'output_item.done':
        return this.#itemDone(event['output_index'], event['item']);
      case 'output_text.annotation.added':
        return this.#annotate(event);
      case 'function_call_arguments.delta':
      case 'custom_tool_call_input.delta':
        return this.#growArguments(event, event['delta']);
      case 'function_call_arguments.done':
      case 'custom_tool_call_input.done':
        return this.#growArguments(event, event['arguments'] ?? event['input'], true);
      case 'completed':
      case 'incomplete':
        return this.#complete(name, event['response']);
      case 'failed':
      case 'error':
        throw new PortcullisError('upstream_rejected', 'The provider ended its stream with an error.');
      default:
        return this.#readPart(name, event);
    }
  }

  #readResponse(value: unknown): void {
    if (!isObject(value)) throw broken('an event has no response');
    for (const key of Object.keys(value)) {
      if (key === 'incomplete_details' && !isReason(value[key])) continue;
      if (ENVELOPE.has(key)) this.#writer.response = { ...this.#writer.response, [key]: value[key] };
      else if (key !== 'output' && key !== 'object' && value[key] !== null) this.dropped.add(key);
    }
    if (isObject(value['usage'])) this.#usage = value['usage'];
  }

  #openItem(index: unknown, value: unknown): StreamEvent[] {
    if (!Number.isSafeInteger(index) || (index as number) < 0 || (index as number) >= MAX_ITEMS) {
      throw broken('an item has no valid index');
    }
    if (!isObject(value)) throw broken('an item is no object');
    const at = index as number;
    if (this.#writer.items.has(at)) throw broken('an item is added twice');
    const item = itemOf(at, value);
    this.#writer.items.set(at, item);
    if (item.shape !== 'call') return [];
    const path = `/output/${at}`;
    const names = this.#channel(item, 'name', `${path}/name`, { to: 'name', item });
    this.#channel(item, 'arguments', `${path}/${item.argumentsField}`, { to: 'arguments', item });
    const events: StreamEvent[] = [];
    if (typeof value['name'] === 'string' && value['name'] !== '') {
      events.push({ kind: 'text', channel: names, text: value['name'] });
    }
    const early = value[item.argumentsField];
    return typeof early === 'string' ? [...events, ...this.#grow(item, 'arguments', early)] : events;
  }

  #channel(
    item: Item,
    name: string,
    path: string,
    target: Target,
    kind: TextChannel['kind'] = 'tool_args',
  ): TextChannel {
    const channel: TextChannel = {
      key: `${item.index}:${name}`,
      kind,
      role: 'assistant',
      choice: 0,
      path,
      ...(kind === 'assistant' ? { join: item.index } : {}),
    };
    item.channels.push(channel);
    this.#targets.set(channel.key, target);
    return channel;
  }

  #grow(item: Item, name: string, text: string): StreamEvent[] {
    const channel = item.channels.find(({ key }) => key === `${item.index}:${name}`);
    if (channel === undefined || item.closed) throw broken('a delta does not fit its item');
    this.#characters += text.length;
    if (this.#characters > MAX_CHARACTERS) throw broken('the answer is too long');
    item.grown.set(name, (item.grown.get(name) ?? 0) + text.length);
    return text === '' ? [] : [{ kind: 'text', channel, text }];
  }

  #itemAt(index: unknown): Item {
    const item = typeof index === 'number' ? this.#writer.items.get(index) : undefined;
    if (item === undefined || item.closed) throw broken('an event belongs to no open item');
    return item;
  }

  #growArguments(event: JsonObject, text: unknown, whole = false): StreamEvent[] {
    const item = this.#itemAt(event['output_index']);
    if (item.shape !== 'call') return [];
    if (typeof text !== 'string') throw broken('the arguments of a call are no text');
    // The whole arguments repeat what came piece by piece.
    return whole && item.grown.has('arguments') ? [] : this.#grow(item, 'arguments', text);
  }

  /** Events of parts: texts, refusals, reasoning and its summaries. */
  #readPart(name: string, event: JsonObject): StreamEvent[] {
    const opens = name === 'content_part.added' ? event['part'] : null;
    const type = isObject(opens) ? opens['type'] : partOf(name);
    const known = typeof type === 'string' && type in PART_EVENTS ? (type as PartType) : null;
    if (known === null) {
      if (!/^(?:content_part|reasoning_summary_part)\.done$/u.test(name)) this.dropped.add(name.slice(0, 64));
      return [];
    }
    const item = this.#itemAt(event['output_index']);
    if (item.shape === 'whole') return [];
    const part = this.#partOf(item, known, event);
    const key = `${part.kind}:${part.index}`;
    if (name.endsWith('.delta')) {
      if (typeof event['delta'] !== 'string') throw broken('a delta has no text');
      return this.#grow(item, key, event['delta']);
    }
    if (!name.endsWith('.done')) return [];
    const { field } = PART_EVENTS[known];
    const whole = event[field];
    const rest = typeof whole === 'string' && !item.grown.has(key) ? this.#grow(item, key, whole) : [];
    return [...rest, ...this.#closePart(item, part)];
  }

  #partOf(item: Item, kind: PartType, event: JsonObject): Part {
    const index = event[PART_EVENTS[kind].indexField] ?? 0;
    if (!Number.isSafeInteger(index) || (index as number) < 0 || (index as number) >= MAX_PARTS) {
      throw broken('a part has no valid index');
    }
    const at = index as number;
    const known = item.parts.find((part) => part.index === at && part.list === PART_EVENTS[kind].list);
    if (known !== undefined) {
      if (known.kind !== kind) throw broken('a part changes its type');
      return known;
    }
    const part = newPart(kind, at);
    item.parts.push(part);
    const path = `/output/${item.index}/${part.list}/${at}/${PART_EVENTS[kind].field}`;
    this.#channel(item, `${kind}:${at}`, path, { to: 'part', item, part }, PART_EVENTS[kind].contentKind);
    return part;
  }

  #closePart(item: Item, part: Part): StreamEvent[] {
    if (part.closed) return [];
    part.closed = true;
    const prefix = `${item.index}:${part.kind}:${part.index}`;
    const keys = item.channels.map(({ key }) => key).filter((key) => key === prefix);
    return [{ kind: 'finish', keys, mark: item.index * MARKS + item.parts.indexOf(part) }];
  }

  #annotate(event: JsonObject): StreamEvent[] {
    const item = this.#itemAt(event['output_index']);
    const { annotation } = event;
    if (!isObject(annotation) || item.shape !== 'message') return [];
    const part = this.#partOf(item, 'output_text', event);
    this.#annotations += 1;
    const path = `/output/${item.index}/content/${part.index}/annotations`;
    const channel = this.#channel(item, `annotation:${this.#annotations}`, path, {
      to: 'annotation',
      item,
      part,
    });
    return [
      { kind: 'text', channel, text: JSON.stringify(annotation) },
      { kind: 'finish', keys: [channel.key], mark: null },
    ];
  }

  #itemDone(index: unknown, value: unknown): StreamEvent[] {
    const events =
      typeof index === 'number' && !this.#writer.items.has(index) ? this.#openItem(index, value) : [];
    const item = this.#itemAt(index);
    if (!isObject(value)) throw broken('an item is no object');
    if (item.shape === 'whole') {
      const channel = this.#channel(item, 'whole', `/output/${item.index}`, { to: 'whole', item });
      events.push({ kind: 'text', channel, text: JSON.stringify(withoutProbabilities(value)) });
    } else {
      item.takeEnd(value);
      events.push(...this.#missing(item, value));
    }
    return [...events, ...this.#closeItem(item)];
  }

  /** Texts of a finished item that never came piece by piece. */
  #missing(item: Item, value: JsonObject): StreamEvent[] {
    const events: StreamEvent[] = [];
    for (const list of ['content', 'summary'] as const) {
      const parts = value[list];
      if (!Array.isArray(parts)) continue;
      parts.forEach((part: unknown, at) => {
        if (!isObject(part)) return;
        const kind = part['type'];
        if (typeof kind !== 'string' || !(kind in PART_EVENTS)) {
          this.dropped.add(`${list}.${String(kind).slice(0, 64)}`);
          return;
        }
        const { field, indexField } = PART_EVENTS[kind as PartType];
        const text = part[field];
        const known = this.#partOf(item, kind as PartType, { [indexField]: at });
        if (typeof text === 'string' && !item.grown.has(`${known.kind}:${at}`)) {
          events.push(...this.#grow(item, `${known.kind}:${at}`, text));
        }
      });
    }
    const whole = value[item.argumentsField];
    if (item.shape === 'call' && typeof whole === 'string' && !item.grown.has('arguments')) {
      events.push(...this.#grow(item, 'arguments', whole));
    }
    return events;
  }

  #closeItem(item: Item): StreamEvent[] {
    const parts = item.parts.flatMap((part) => this.#closePart(item, part));
    item.closed = true;
    const keys = item.channels.map(({ key }) => key);
    return [...parts, { kind: 'finish', keys, mark: item.index * MARKS + MARKS - 1 }];
  }

  #complete(end: 'completed' | 'incomplete', response: unknown): StreamEvent[] {
    this.#readResponse(response);
    this.#writer.ending = end;
    const events: StreamEvent[] = [];
    const output = isObject(response) && Array.isArray(response['output']) ? response['output'] : [];
    output.forEach((value: unknown, index) => {
      if (!this.#writer.items.has(index)) events.push(...this.#itemDone(index, value));
    });
    for (const item of this.#writer.items.values()) if (!item.closed) events.push(...this.#closeItem(item));
    return [...events, { kind: 'finish', keys: [], mark: RESPONSE_END }, { kind: 'done' }];
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
    return this.#writer.failed(body);
  }

  failed(body: ErrorBody): string {
    return this.#writer.failed(body);
  }

  responded(message: string): string {
    return this.#writer.responded(message);
  }

  splitArguments(text: string, channel: { readonly key?: string; readonly path?: string }): Segment[] {
    const path = channel.path ?? '';
    const target = this.#targets.get(channel.key ?? '');
    if (target?.to === 'whole') return answerItemSegments(JSON.parse(text), path, target.item.index);
    return splitJsonText(text, path);
  }

  joinArguments(text: string, leaves: readonly Segment[]): string | null {
    return joinWhole(text, leaves, (item) => answerItemSegments(item, '', 0));
  }
}

function isReason(value: unknown): boolean {
  if (value === null) return true;
  return isObject(value) && (value['reason'] === 'max_output_tokens' || value['reason'] === 'content_filter');
}

/** The type of the part to which the event of this name belongs. */
function partOf(name: string): PartType | null {
  for (const [type, { name: event, partEvents }] of Object.entries(PART_EVENTS)) {
    if (name === `${event}.delta` || name === `${event}.done`) return type as PartType;
    if (partEvents === 'reasoning_summary_part' && name === `${partEvents}.added`) return type as PartType;
  }
  return null;
}
