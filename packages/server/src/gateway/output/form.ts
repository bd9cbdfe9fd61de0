import { type Dialect, isObject, type JsonObject, PortcullisError } from '@portcullis/contract';
import type { Segment } from '@portcullis/policy';
import { isDeeperThan } from '../accept.ts';

/** How a whole answer is written. */
export type AnswerForm = 'json' | 'text' | 'binary';

const MAX_ANSWER_DEPTH = 64;

/** The form of an answer of this media type; null when the route has no such answers. */
export function formOf(type: string, { answers }: Dialect): AnswerForm | null {
  if (/\bjson\b/iu.test(type)) return 'json';
  if (answers.text && /^(?:text\/|application\/(?:x-)?subrip)/iu.test(type)) return 'text';
  return answers.binary && /^(?:audio\/|application\/octet-stream)/iu.test(type) ? 'binary' : null;
}

/** The answer as a value: of a text and of bytes an object with one member. @throws PortcullisError `upstream_invalid`. */
export function parseAnswer(bytes: Buffer, form: AnswerForm, dialect: Dialect): JsonObject {
  if (form === 'text') return { text: bytes.toString('utf8') };
  if (form === 'binary') return { audio: `data:;base64,${bytes.toString('base64')}` };
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new PortcullisError('upstream_invalid', 'The provider answered with something that is not JSON.', {
      cause,
    });
  }
  if (isDeeperThan(body, MAX_ANSWER_DEPTH)) {
    throw new PortcullisError(
      'upstream_invalid',
      `The answer is nested deeper than ${MAX_ANSWER_DEPTH} levels.`,
    );
  }
  return dialect.guardedAnswer(body);
}

export function answerSegments(answer: JsonObject, form: AnswerForm, dialect: Dialect): readonly Segment[] {
  if (form === 'json') return dialect.answerSegments(answer);
  const [[key, text] = ['', '']] = Object.entries(answer);
  if (typeof text !== 'string' || text === '') return [];
  const base = { path: `/${key}`, role: 'assistant', text, join: null };
  // Bytes cannot hold a masked text.
  return form === 'text'
    ? [{ ...base, kind: 'assistant', leaf: 'string' }]
    : [{ ...base, kind: 'audio', leaf: 'key' }];
}

/** The text of an answer in the form `text`. */
export function textOf(answer: unknown): string {
  return isObject(answer) && typeof answer['text'] === 'string' ? answer['text'] : '';
}
