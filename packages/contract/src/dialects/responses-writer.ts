import type { ErrorBody } from '../errors.ts';
import {
  type Item,
  itemOf,
  itemValue,
  newPart,
  type Part,
  PART_EVENTS,
  partValue,
} from './responses-items.ts';
import type { JsonObject } from './segments.ts';
import { sse, type StreamStart } from './stream.ts';

/** The end of a stream that failed: OpenAI sends an event of its own before the response that failed. */
export function failedResponseStream({ error }: ErrorBody): string {
  return failure({ id: 'resp_failed', object: 'response', status: 'failed', output: [] }, error, 0);
}

function failure(
  response: JsonObject,
  { message, code: _code, param, type, ...rest }: ErrorBody['error'],
  at: number,
): string {
  const event = { type: 'error', code: type, message, param, ...rest, sequence_number: at };
  const failed = { ...response, status: 'failed', error: { code: type, message } };
  return (
    sse(event, 'error') +
    sse({ type: 'response.failed', response: failed, sequence_number: at + 1 }, 'response.failed')
  );
}

/** Where the text of a channel belongs. */
export type Target =
  | { readonly to: 'part' | 'annotation'; readonly item: Item; readonly part: Part }
  | { readonly to: 'name' | 'arguments' | 'whole'; readonly item: Item };

/** Marks: the end of the response; from 0 on, a thousand for each item, the last of them the item itself. */
export const RESPONSE_END = -1;
export const MARKS = 1_000;

/** Writes what was released of a response as events, of which every one repeats what has been said before. */
export class ResponseWriter {
  readonly items = new Map<number, Item>();
  /** What the provider says of the response itself. */
  response: JsonObject;
  ending: 'completed' | 'incomplete' = 'completed';
  #started = false;
  #sequence = 0;

  constructor(start: StreamStart) {
    this.response = {
      id: start.id,
      object: 'response',
      created_at: start.createdSeconds,
      model: start.model,
    };
  }

  /** The text of a channel. */
  write(target: Target, text: string): string {
    const { item } = target;
    switch (target.to) {
      case 'name':
        item.name += text;
        return '';
      case 'whole':
        item.whole = JSON.parse(text) as JsonObject;
        return '';
      case 'arguments': {
        const start = this.#startItem(item);
        item.arguments += text;
        const type = item.argumentsField === 'input' ? 'custom_tool_call_input' : 'function_call_arguments';
        return start + this.#ofItem(`${type}.delta`, item, { delta: text });
      }
      case 'annotation': {
        const start = this.#startPart(item, target.part);
        const annotation = JSON.parse(text) as JsonObject;
        const annotation_index = target.part.annotations.push(annotation) - 1;
        const more = { content_index: target.part.index, annotation_index, annotation };
        return start + this.#ofItem('output_text.annotation.added', item, more);
      }
      case 'part': {
        const { part } = target;
        const start = this.#startPart(item, part);
        part.text += text;
        const { name, indexField, extra } = PART_EVENTS[part.kind];
        return (
          start + this.#ofItem(`${name}.delta`, item, { [indexField]: part.index, delta: text, ...extra })
        );
      }
    }
  }

  #event(name: string, value: JsonObject): string {
    const type = `response.${name}`;
    const sequence_number = this.#sequence;
    this.#sequence += 1;
    return sse({ type, sequence_number, ...value }, type);
  }

  #ofItem(name: string, item: Item, value: JsonObject): string {
    return this.#event(name, { item_id: item.id, output_index: item.index, ...value });
  }

  #snapshot(more: JsonObject): JsonObject {
    return {
      error: null,
      incomplete_details: null,
      instructions: null,
      metadata: {},
      parallel_tool_calls: true,
      tool_choice: 'auto',
      tools: [],
      usage: null,
      ...this.response,
      ...more,
    };
  }

  #begin(): string {
    if (this.#started) return '';
    this.#started = true;
    const response = this.#snapshot({
      status: 'in_progress',
      output: [],
      usage: null,
      incomplete_details: null,
    });
    return this.#event('created', { response }) + this.#event('in_progress', { response });
  }

  #startItem(item: Item): string {
    if (item.started) return '';
    let out = this.#begin();
    for (const earlier of this.items.values()) {
      if (earlier === item) break;
      out += this.#endItem(earlier);
    }
    item.started = true;
    return (
      out +
      this.#event('output_item.added', { output_index: item.index, item: itemValue(item, 'in_progress') })
    );
  }

  #startPart(item: Item, part: Part): string {
    if (part.started) return '';
    let out = this.#startItem(item);
    for (const earlier of item.parts) {
      if (earlier === part) break;
      out += this.#endPart(item, earlier);
    }
    part.started = true;
    const { indexField, partEvents } = PART_EVENTS[part.kind];
    return (
      out + this.#ofItem(`${partEvents}.added`, item, { [indexField]: part.index, part: partValue(part, '') })
    );
  }

  #endPart(item: Item, part: Part): string {
    if (part.ended) return '';
    const start = this.#startPart(item, part);
    part.ended = true;
    const { name, field, indexField, partEvents, extra } = PART_EVENTS[part.kind];
    const at = { [indexField]: part.index };
    return (
      start +
      this.#ofItem(`${name}.done`, item, { ...at, [field]: part.text, ...extra }) +
      this.#ofItem(`${partEvents}.done`, item, { ...at, part: partValue(part, part.text) })
    );
  }

  #endItem(item: Item): string {
    if (item.ended) return '';
    // An item that comes whole and was not let go has nothing to show.
    if (item.shape === 'whole' && item.whole === null) return '';
    let out = this.#startItem(item);
    for (const part of item.parts) out += this.#endPart(item, part);
    item.ended = true;
    if (item.shape === 'call') {
      const type = item.argumentsField === 'input' ? 'custom_tool_call_input' : 'function_call_arguments';
      out += this.#ofItem(`${type}.done`, item, { name: item.name, [item.argumentsField]: item.arguments });
    }
    return (
      out + this.#event('output_item.done', { output_index: item.index, item: itemValue(item, 'completed') })
    );
  }

  finish(mark: number): string {
    if (mark === RESPONSE_END) return this.#begin();
    const item = this.items.get(Math.floor(mark / MARKS));
    if (item === undefined) return '';
    const part = item.parts[mark % MARKS];
    return mark % MARKS === MARKS - 1 || part === undefined ? this.#endItem(item) : this.#endPart(item, part);
  }

  #output(status: string): readonly JsonObject[] {
    return [...this.items.values()].filter(({ started }) => started).map((item) => itemValue(item, status));
  }

  end(): string {
    const response = this.#snapshot({ status: this.ending, output: this.#output('completed') });
    return this.#event(this.ending, { response });
  }

  failed(body: ErrorBody): string {
    const response = this.#snapshot({ output: this.#output('incomplete') });
    return this.#begin() + failure(response, body.error, this.#sequence);
  }

  responded(message: string): string {
    let out = this.#begin();
    for (const item of this.items.values()) if (item.started) out += this.#endItem(item);
    const index = this.items.size;
    const item = itemOf(index, {
      type: 'message',
      role: 'assistant',
      id: `msg_${String(this.response['id'])}`,
    });
    this.items.set(index, item);
    const part = newPart('output_text', 0);
    item.parts.push(part);
    out += this.write({ to: 'part', item, part }, message) + this.#endItem(item);
    const incomplete_details = { reason: 'content_filter' };
    const response = this.#snapshot({
      status: 'incomplete',
      incomplete_details,
      output: this.#output('completed'),
    });
    return out + this.#event('incomplete', { response });
  }
}
