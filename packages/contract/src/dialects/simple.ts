import type { Segment } from '@portcullis/policy';
import { PortcullisError } from '../errors.ts';
import { readControlFields, withoutControlFields } from './control-fields.ts';
import type { Dialect, ModelRequest } from './dialect.ts';
import { checkTypes, choicesOf, type FieldType, invalid, requiredModel } from './fields.ts';
import { isObject, type JsonObject, lookup, SegmentCollector } from './segments.ts';
import { usageOf } from './usage.ts';

/** What the small dialects, whose answers are whole JSON, have to say of themselves. */
export interface SimpleDialect {
  readonly name: Dialect['name'];
  readonly callType: string;
  readonly path: string;
  readonly body?: Dialect['body'];
  readonly answers?: Partial<Dialect['answers']>;
  readonly promptField: string;
  /** Used when the caller names no model; without it a model must be named. */
  readonly defaultModel?: string;
  /** Fields that are no content because of their type. */
  readonly types: Readonly<Record<string, FieldType>>;
  /** Fields that are no content when they have one of these values. */
  readonly words?: Readonly<Record<string, ReadonlySet<string>>>;
  /** Checks the fields that are particular to the dialect. @throws PortcullisError `invalid_request`. */
  readonly check: (body: JsonObject) => void;
  /** Collects a member of the request that is content; false for one that the dialect does not know. */
  readonly request: (into: SegmentCollector, key: string, value: unknown) => boolean;
  /** The member without which an answer is none; null when the dialect asks for nothing. */
  readonly answerMember: string | null;
  /** Collects a member of the answer; false for one that the dialect does not know. */
  readonly answer: (into: SegmentCollector, key: string, value: unknown) => boolean;
  /** Takes out of a guarded answer what would repeat a masked text. */
  readonly guarded?: (body: JsonObject) => JsonObject;
  readonly softBlock?: Dialect['softBlock'];
  readonly stream?: Dialect['stream'];
}

/** Members of every answer that the provider writes and no model does. */
const ENVELOPE: ReadonlySet<string> = new Set(['id', 'object', 'created', 'model', 'usage']);

/** A dialect whose request and answer are each one JSON object with few members. */
export function simpleDialect(spec: SimpleDialect): Dialect {
  const types = lookup(spec.types);
  const words = lookup(spec.words ?? {});
  return {
    name: spec.name,
    callType: spec.callType,
    path: spec.path,
    body: spec.body ?? 'json',
    answers: { text: false, binary: false, ...spec.answers },
    generates: false,
    promptField: spec.promptField,
    idPrefix: 'portcullis-',
    read(body): ModelRequest {
      const model =
        body['model'] === undefined ? (spec.defaultModel ?? requiredModel(body)) : requiredModel(body);
      checkTypes(body, types);
      spec.check(body);
      const stream = body['stream'] === true || body['stream'] === 'true';
      if (stream && (spec.stream ?? null) === null) {
        throw invalid('stream', 'false: this route has no streams here');
      }
      return { model, stream, choices: choicesOf(body), control: readControlFields(body) };
    },
    withoutControl: withoutControlFields,
    requestSegments(body): Segment[] {
      const into = new SegmentCollector();
      for (const key in body) {
        const value = body[key];
        if (key === 'model' || types[key] !== undefined) continue;
        if (typeof value === 'string' && words[key]?.has(value)) continue;
        if (!spec.request(into, key, value)) into.memberOfRoot(key, value);
      }
      return into.segments;
    },
    guardedAnswer(body): JsonObject {
      if (!isObject(body) || (spec.answerMember !== null && body[spec.answerMember] === undefined)) {
        throw new PortcullisError(
          'upstream_invalid',
          `The provider answered with something that is no answer of ${spec.path}.`,
        );
      }
      return spec.guarded?.(body) ?? body;
    },
    answerSegments(body): Segment[] {
      const into = new SegmentCollector();
      for (const key of Object.keys(body)) {
        if (ENVELOPE.has(key)) continue;
        if (!spec.answer(into, key, body[key])) into.memberOfRoot(key, body[key]);
      }
      return into.segments;
    },
    usage: usageOf,
    softBlock: spec.softBlock ?? (() => null),
    errorBody: (body) => body,
    stream: spec.stream ?? null,
  };
}

/** A list of objects in an answer: `member` collects one member; what it does not know is content of kind `other`. */
export function collectList(
  into: SegmentCollector,
  path: string,
  value: unknown,
  member: (path: string, key: string, value: unknown, index: number) => boolean,
): void {
  if (!Array.isArray(value)) {
    into.everything(path, 'other', 'assistant', value);
    return;
  }
  value.forEach((item: unknown, index) => {
    const at = `${path}/${index}`;
    if (!isObject(item)) into.everything(at, 'other', 'assistant', item);
    else {
      for (const key of Object.keys(item)) {
        if (!member(`${at}/${key}`, key, item[key], index))
          into.member(at, 'other', 'assistant', key, item[key]);
      }
    }
  });
}

export const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;
