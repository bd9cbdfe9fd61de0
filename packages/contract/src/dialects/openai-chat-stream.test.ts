import { describe, expect, test } from 'vitest';
import { errorBody, PortcullisError } from '../errors.ts';
import { ChatStreamCodec } from './openai-chat-stream.ts';

const codec = (maxChoices = 2): ChatStreamCodec =>
  new ChatStreamCodec({ id: 'start', model: 'm', createdSeconds: 1, maxChoices });

const chunk = (choices: unknown[], rest: object = {}): string =>
  JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 5, model: 'gpt', choices, ...rest });

const events = (text: string): unknown[] =>
  text
    .split('\n\n')
    .filter((line) => line !== '')
    .map((line) => (line === 'data: [DONE]' ? 'DONE' : (JSON.parse(line.slice(6)) as unknown)));

/** Runs a whole stream as a gate that releases everything at once would. */
function passThrough(stream: ChatStreamCodec, data: readonly string[]): unknown[] {
  let out = '';
  for (const event of data.flatMap((text) => stream.decode(text))) {
    if (event.kind === 'text') out += stream.encode([event]);
    else if (event.kind === 'finish') out += event.mark === null ? '' : stream.finish(event.mark);
    else out += stream.end();
  }
  return events(out);
}

describe('chat streams', () => {
  test('text, role, finish reason and usage arrive as a client expects them', () => {
    const out = passThrough(codec(), [
      chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]),
      chunk([{ index: 0, delta: { content: 'Hel' } }]),
      chunk([{ index: 0, delta: { content: 'lo' } }]),
      chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
      chunk([], { usage: { total_tokens: 9 } }),
      '[DONE]',
    ]);
    expect(out).toMatchObject([
      { id: 'c1', created: 5, model: 'gpt', choices: [{ delta: { role: 'assistant', content: 'Hel' } }] },
      { choices: [{ delta: { content: 'lo' } }] },
      { choices: [{ delta: {}, finish_reason: 'stop' }] },
      { choices: [], usage: { total_tokens: 9 } },
      'DONE',
    ]);
  });

  test('a tool call is written with its id and name in front of its arguments', () => {
    const stream = codec();
    const call = (value: object): string =>
      chunk([{ index: 0, delta: { tool_calls: [{ index: 0, ...value }] } }]);
    const out = passThrough(stream, [
      call({ id: 'call_1', type: 'function', function: { name: 'send', arguments: '' } }),
      call({ function: { arguments: '{"to":' } }),
      call({ function: { arguments: '"x"}' } }),
      chunk([{ index: 0, delta: {}, finish_reason: 'tool_calls' }]),
      '[DONE]',
    ]);
    expect(out).toMatchObject([
      {
        choices: [
          {
            delta: {
              role: 'assistant',
              tool_calls: [
                { index: 0, id: 'call_1', type: 'function', function: { name: 'send', arguments: '{"to":' } },
              ],
            },
          },
        ],
      },
      { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '"x"}' } }] } }] },
      { choices: [{ finish_reason: 'tool_calls' }] },
      'DONE',
    ]);
  });

  test('a tool call without arguments still goes out', () => {
    const out = passThrough(codec(), [
      chunk([{ index: 0, delta: { tool_calls: [{ index: 0, id: 'c', function: { name: 'now' } }] } }]),
      chunk([{ index: 0, delta: {}, finish_reason: 'tool_calls' }]),
      '[DONE]',
    ]);
    expect(out[0]).toMatchObject({
      choices: [{ delta: { tool_calls: [{ id: 'c', function: { name: 'now', arguments: '' } }] } }],
    });
  });

  test('E8: a block ends every open choice with content_filter, then the error, then the end', () => {
    const stream = codec();
    for (const index of [0, 1]) {
      for (const event of stream.decode(chunk([{ index, delta: { content: 'a' } }]))) {
        if (event.kind === 'text') stream.encode([event]);
      }
    }
    const body = errorBody(new PortcullisError('guardrail_violation', 'no'));
    expect(events(stream.blocked(body))).toMatchObject([
      { choices: [{ index: 0, finish_reason: 'content_filter' }] },
      { choices: [{ index: 1, finish_reason: 'content_filter' }] },
      { error: { message: 'no', code: '400' } },
      'DONE',
    ]);
  });

  test('unknown fields outside delta and token probabilities are left out and named', () => {
    const stream = codec();
    const out = passThrough(stream, [
      chunk([{ index: 0, delta: { content: 'a', odd: 'b' }, logprobs: { content: [] }, extra: 1 }], {
        more: 'x',
      }),
    ]);
    expect(JSON.stringify(out)).not.toMatch(/extra|more|"logprobs":\{/);
    expect(out).toMatchObject([
      { choices: [{ delta: { content: 'a' } }] },
      { choices: [{ delta: { odd: 'b' } }] },
    ]);
    expect([...stream.dropped].sort()).toEqual(['choices.extra', 'choices.logprobs', 'more']);
  });

  test.each([
    ['{"choices":', 'not JSON'],
    ['[]', 'no object'],
    ['{}', 'no choices'],
    [chunk([{ index: 7, delta: {} }]), 'not asked for'],
    [chunk([{ index: 0, delta: { tool_calls: [{ index: -1 }] } }]), 'no valid index'],
    ['{"error":{"message":"secret words"}}', 'ended its stream with an error'],
  ])('a broken event %s is a typed error without the provider’s words', (data, text) => {
    expect(() => codec().decode(data)).toThrow(text);
    expect(() => codec().decode(data)).not.toThrow('secret words');
  });

  test('text after the finish of its choice is refused', () => {
    const stream = codec();
    stream.decode(chunk([{ index: 0, delta: { content: 'a' }, finish_reason: 'stop' }]));
    expect(() => stream.decode(chunk([{ index: 0, delta: { content: 'b' } }]))).toThrow('goes on after');
  });

  test('arguments are split into leaves and put together; a changed key has no place', () => {
    const text = '{"to": "a@b.de"}';
    const leaves = codec().splitArguments(text, { path: '/x' });
    expect(leaves.map((leaf) => leaf.text)).toEqual(['to', 'a@b.de']);
    const replace = (at: number): string | null =>
      codec().joinArguments(
        text,
        leaves.map((leaf, index) => (index === at ? { ...leaf, text: '[X]' } : leaf)),
      );
    expect(replace(1)).toBe('{"to": "[X]"}');
    expect(replace(0)).toBeNull();
  });

  test('E8: texts of objects that come in pieces are also judged joined, and their deltas leave as they came', () => {
    const stream = codec();
    const delta = (text: string): string =>
      chunk([{ index: 0, delta: { reasoning_details: [{ type: 'reasoning.text', text }] } }]);
    const [first, second] = ['mail ann@exa', 'mple.org'].flatMap((text) => stream.decode(delta(text)));
    if (first?.kind !== 'text' || second?.kind !== 'text') throw new Error('two texts were expected');
    expect(first.channel.key).toBe(second.channel.key);
    const whole = first.text + second.text;
    const segments = stream.splitArguments(whole, first.channel);
    const joined = segments.find(({ text }) => text === 'mail ann@example.org');
    expect(joined).toMatchObject({ kind: 'reasoning', leaf: 'key' });
    const masked = segments.map((one) => (one === joined ? { ...one, text: 'mail [X]' } : one));
    expect(stream.joinArguments(whole, masked)).toBeNull();
    const inOne = segments.map((one) => (one.text === 'mail ann@exa' ? { ...one, text: 'gone' } : one));
    const out = events(
      stream.encode([{ channel: first.channel, text: stream.joinArguments(whole, inOne) ?? '' }]),
    );
    expect(out).toMatchObject([
      { choices: [{ delta: { reasoning_details: [{ text: 'gone' }] } }] },
      { choices: [{ delta: { reasoning_details: [{ text: 'mple.org' }] } }] },
    ]);
  });

  test('E8: arguments that are no JSON are also read without their escapes, and cannot be masked there', () => {
    const text = String.raw`{"to":"ann\u0040example.org`;
    const segments = codec().splitArguments(text, { path: '/x' });
    expect(segments.map(({ text }) => text)).toEqual([text, '{"to":"ann@example.org']);
    const masked = segments.map((one) => ({ ...one, text: one.text.replace('ann@example.org', '[X]') }));
    expect(codec().joinArguments(text, masked)).toBeNull();
  });
});
