// E8: any chunking of the same text gives the same decoded text, in every dialect that has streams.
import { type Dialect, DIALECTS } from '@portcullis/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SseReader } from '../sse.ts';

const strict = process.env['PORTCULLIS_TEST_STRICT'] === '1';
const RUNS = { numRuns: strict ? 500 : 60 };

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (type: string, rest: object): string => `event: ${type}\n${data({ type, ...rest })}`;
const item = { id: 'msg_1', type: 'message', role: 'assistant', content: [] };

/** A stream of these pieces of one text, as a provider would write it. */
const STREAMS: Readonly<Record<string, (pieces: readonly string[]) => string>> = {
  'openai-chat': (pieces) => {
    const chunk = (delta: object, finish_reason: string | null = null): string =>
      data({ id: 'c', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] });
    return [...pieces.map((content) => chunk({ content })), chunk({}, 'stop'), 'data: [DONE]\n\n'].join('');
  },
  'openai-completions': (pieces) => {
    const chunk = (text: string, finish_reason: string | null = null): string =>
      data({ id: 'c', created: 1, model: 'm', choices: [{ index: 0, text, finish_reason }] });
    return [...pieces.map((text) => chunk(text)), chunk('', 'stop'), 'data: [DONE]\n\n'].join('');
  },
  'openai-responses': (pieces) => {
    const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
    const response = { id: 'resp_1', created_at: 1, model: 'm', status: 'completed', output: [] };
    return [
      named('response.created', { response }),
      named('response.output_item.added', { output_index: 0, item }),
      ...pieces.map((delta) => named('response.output_text.delta', { ...at, delta })),
      named('response.output_text.done', { ...at, text: pieces.join('') }),
      named('response.output_item.done', { output_index: 0, item }),
      named('response.completed', { response }),
    ].join('');
  },
  'openai-transcriptions': (pieces) =>
    [
      ...pieces.map((delta) => named('transcript.text.delta', { delta })),
      named('transcript.text.done', { text: pieces.join('') }),
    ].join(''),
  'anthropic-messages': (pieces) =>
    [
      named('message_start', { message: { id: 'msg_1', model: 'm', content: [] } }),
      named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      ...pieces.map((text) =>
        named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
      ),
      named('content_block_stop', { index: 0 }),
      named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } }),
      named('message_stop', {}),
    ].join(''),
};

/** Cuts a list at these places, given as parts of its length. */
function cut<T extends { slice(from: number, to: number): T; readonly length: number }>(
  whole: T,
  places: readonly number[],
): T[] {
  const at = [...new Set([0, ...places.map((part) => Math.floor(part * whole.length)), whole.length])].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((to, index) => whole.slice(at[index] ?? 0, to));
}

interface Read {
  readonly texts: Readonly<Record<string, string>>;
  /** What the gateway writes when everything is released as it comes. */
  readonly written: string;
  readonly ended: boolean;
}

/** Decodes bytes in these pieces, and writes them again. */
function read({ stream }: Dialect, pieces: readonly Buffer[]): Read {
  if (stream === null) throw new Error('the dialect has no streams');
  const codec = stream.open({ id: 'start', model: 'm', createdSeconds: 1, maxChoices: 1 });
  const sse = new SseReader();
  const texts: Record<string, string> = {};
  let written = '';
  let ended = false;
  for (const bytes of pieces) {
    for (const event of sse.push(bytes).flatMap((data) => codec.decode(data))) {
      if (event.kind === 'text') {
        texts[event.channel.path] = (texts[event.channel.path] ?? '') + event.text;
        written += codec.encode([event]);
      } else if (event.kind === 'finish') {
        if (event.mark !== null) written += codec.finish(event.mark);
      } else {
        ended = true;
        written += codec.end();
      }
    }
  }
  return { texts, written, ended };
}

const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });

const streamed = DIALECTS.filter(({ stream }) => stream !== null);

test('every dialect with streams is looked at', () => {
  expect(streamed.map(({ name }) => name).toSorted()).toEqual(Object.keys(STREAMS).toSorted());
});

describe.each(streamed)('$name', (dialect) => {
  const make = STREAMS[dialect.name] ?? (() => '');

  test('any chunking of a text, and of the bytes that carry it, gives the same text', () => {
    fc.assert(
      fc.property(text, places, places, (text, inText, inBytes) => {
        const bytes = Buffer.from(make(cut(text, inText)));
        const { texts, ended } = read(dialect, cut(bytes, inBytes));
        expect([Object.values(texts), ended]).toEqual([[text], true]);
      }),
      RUNS,
    );
  });

  test('what the gateway writes is read as the same text, and is complete', () => {
    fc.assert(
      fc.property(text, places, (text, inText) => {
        const first = read(dialect, [Buffer.from(make(cut(text, inText)))]);
        const again = read(dialect, [Buffer.from(first.written)]);
        expect([again.texts, again.ended]).toEqual([first.texts, true]);
        const marks = dialect.stream?.endMarks ?? [];
        expect(marks.some((mark) => `\n${first.written}`.includes(mark))).toBe(true);
      }),
      RUNS,
    );
  });
});
