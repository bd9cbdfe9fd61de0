import type { ContentKind } from '@portcullis/policy';
import { opaque } from './fields.ts';
import type { JsonObject } from './segments.ts';
import type { TextChannel } from './stream.ts';

// What has been seen and released of the items of a streamed response.

export type PartType = 'output_text' | 'refusal' | 'reasoning_text' | 'summary_text';

interface PartEvents {
  /** The events of its text, without `.delta` and `.done`. */
  readonly name: string;
  /** The events of the part itself. */
  readonly partEvents: 'content_part' | 'reasoning_summary_part';
  readonly indexField: 'content_index' | 'summary_index';
  readonly list: 'content' | 'summary';
  /** The member that holds the text. */
  readonly field: 'text' | 'refusal';
  readonly contentKind: ContentKind;
  /** Members that clients expect in the events of the text. */
  readonly extra: JsonObject;
}

const content = { partEvents: 'content_part', indexField: 'content_index', list: 'content' } as const;

export const PART_EVENTS: Readonly<Record<PartType, PartEvents>> = {
  output_text: {
    ...content,
    name: 'output_text',
    field: 'text',
    contentKind: 'assistant',
    extra: { logprobs: [] },
  },
  refusal: { ...content, name: 'refusal', field: 'refusal', contentKind: 'refusal', extra: {} },
  reasoning_text: { ...content, name: 'reasoning_text', field: 'text', contentKind: 'reasoning', extra: {} },
  summary_text: {
    name: 'reasoning_summary_text',
    partEvents: 'reasoning_summary_part',
    indexField: 'summary_index',
    list: 'summary',
    field: 'text',
    contentKind: 'reasoning',
    extra: {},
  },
};

export interface Part {
  readonly kind: PartType;
  readonly index: number;
  readonly list: 'content' | 'summary';
  readonly annotations: JsonObject[];
  /** What was released of it. */
  text: string;
  started: boolean;
  ended: boolean;
  /** The provider has ended it. */
  closed: boolean;
}

export function newPart(kind: PartType, index: number): Part {
  const { list } = PART_EVENTS[kind];
  return { kind, index, list, annotations: [], text: '', started: false, ended: false, closed: false };
}

export function partValue(part: Part, text: string): JsonObject {
  switch (part.kind) {
    case 'output_text':
      return { type: part.kind, text, annotations: part.annotations, logprobs: [] };
    case 'refusal':
      return { type: part.kind, refusal: text };
    case 'reasoning_text':
    case 'summary_text':
      return { type: part.kind, text };
  }
}

export interface Item {
  readonly index: number;
  readonly id: string;
  /** `whole`: one that comes and goes in one piece. */
  readonly shape: 'message' | 'call' | 'reasoning' | 'whole';
  readonly argumentsField: 'arguments' | 'input';
  readonly channels: TextChannel[];
  readonly parts: Part[];
  /** How much text has come, by channel. */
  readonly grown: Map<string, number>;
  readonly head: JsonObject;
  name: string;
  arguments: string;
  whole: JsonObject | null;
  encrypted: string | null;
  started: boolean;
  ended: boolean;
  closed: boolean;
  takeEnd(value: JsonObject): void;
}

const SHAPES: Readonly<Record<string, Item['shape']>> = {
  message: 'message',
  function_call: 'call',
  custom_tool_call: 'call',
  reasoning: 'reasoning',
};

const ID = /^[\w.:-]{1,256}$/;

export function itemOf(index: number, value: JsonObject): Item {
  const type = typeof value['type'] === 'string' ? value['type'] : 'message';
  const shape = (Object.hasOwn(SHAPES, type) ? SHAPES[type] : undefined) ?? 'whole';
  const id = typeof value['id'] === 'string' && ID.test(value['id']) ? value['id'] : `item_${index}`;
  const callId = typeof value['call_id'] === 'string' && ID.test(value['call_id']) ? value['call_id'] : null;
  return {
    index,
    id,
    shape,
    argumentsField: type === 'custom_tool_call' ? 'input' : 'arguments',
    channels: [],
    parts: [],
    grown: new Map(),
    head: { id, type, ...(callId === null ? {} : { call_id: callId }) },
    name: '',
    arguments: '',
    whole: null,
    encrypted: null,
    started: false,
    ended: false,
    closed: false,
    takeEnd(end) {
      const { encrypted_content: encrypted } = end;
      if (typeof encrypted === 'string' && opaque(encrypted) === null) this.encrypted = encrypted;
    },
  };
}

/** The item as far as it was released. */
export function itemValue(item: Item, status: string): JsonObject {
  const { head, shape } = item;
  const parts = (list: 'content' | 'summary') =>
    item.parts.filter((part) => part.list === list && part.started).map((part) => partValue(part, part.text));
  switch (shape) {
    case 'whole':
      return item.whole ?? head;
    case 'message':
      return { ...head, status, role: 'assistant', content: parts('content') };
    case 'call':
      return { ...head, status, name: item.name, [item.argumentsField]: item.arguments };
    case 'reasoning': {
      const texts = parts('content');
      return {
        ...head,
        summary: parts('summary'),
        ...(texts.length === 0 ? {} : { content: texts }),
        ...(item.encrypted === null ? {} : { encrypted_content: item.encrypted }),
      };
    }
  }
}
