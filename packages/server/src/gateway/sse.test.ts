import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SseReader } from './sse.ts';

function readIn(chunks: readonly Buffer[]): string[] {
  const reader = new SseReader();
  return chunks.flatMap((chunk) => reader.push(chunk));
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  const chunks: Buffer[] = [];
  for (const to of [...sorted, bytes.length]) {
    chunks.push(bytes.subarray(from, to));
    from = to;
  }
  return chunks;
}

describe('server-sent events', () => {
  test('are their data lines, joined; comments and other fields are no data', () => {
    const text = ': hello\nevent: x\ndata: {"a":\ndata:1}\nid: 3\n\nretry: 5\n\ndata\n\ndatafoo: no\n\n';
    expect(readIn([Buffer.from(text)])).toEqual(['{"a":\n1}', '']);
  });

  test('end their lines with any of the three line ends, also when one is cut in two', () => {
    expect(readIn([Buffer.from('data: a\r'), Buffer.from('\n\r\ndata: b\r\rdata: c\n\n')])).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  test('are the same for any chunking, characters of several bytes included', () => {
    const line = fc.oneof(
      fc.constantFrom('data: é€😀', 'data:x', ': comment', 'event: y', '', 'data: {"a":"b"}'),
      fc.string({ maxLength: 12 }).map((text) => `data: ${text.replaceAll(/[\r\n]/gu, ' ')}`),
    );
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(line, lineEnd), { maxLength: 20 }),
        fc.array(fc.nat(500), { maxLength: 10 }),
        (lines, places) => {
          const bytes = Buffer.from(`${lines.map((parts) => parts.join('')).join('')}\n\ndata: end\n\n`);
          const whole = readIn([bytes]);
          expect(readIn(cutAt(bytes, places))).toEqual(whole);
          expect(whole.at(-1)).toBe('end');
        },
      ),
    );
  });

  test('of no sensible size break the stream instead of filling the memory', () => {
    const reader = new SseReader();
    const piece = Buffer.from('x'.repeat(1024 * 1024));
    expect(() => {
      for (let index = 0; index < 20; index += 1) reader.push(piece);
    }).toThrow(/too large/u);
  });
});
