// What a provider or a caller can do wrong in a stream, in every dialect that has streams: each has a defined end, takes
// bounded memory, and lets nothing out that was not scanned.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';
import { type Behaviour, json, LocalUpstream } from './support/upstream.ts';

const CONFIG = (url: string): string => `
model_list:
${['open', 'guarded']
  .flatMap((name) => [
    `  - { model_name: ${name}, litellm_params: { model: openai/up, api_base: "${url}", api_key: sk-upstream } }`,
    `  - { model_name: ${name}-claude, litellm_params: { model: anthropic/up, api_base: "${url}", api_key: sk-upstream } }`,
  ])
  .join('\n')}
guardrails:
  - guardrail_name: block-word
    litellm_params:
      guardrail: litellm_content_filter
      mode: post_call
      blocked_words: [{ keyword: forbidden phrase, action: BLOCK }]
policies:
  guarded: { guardrails: { add: [block-word] } }
policy_attachments:
  - { policy: guarded, models: ["guarded*"] }
`;

interface StreamedDialect {
  readonly path: string;
  readonly request: object;
  readonly suffix: string;
  readonly start: readonly string[];
  readonly delta: (text: string) => string;
  readonly end: readonly string[];
  /** The text of the deltas in a stream that the gateway sent. */
  readonly textIn: (events: readonly Event[]) => string;
  /** Whether a client takes the stream for a complete answer. */
  readonly isComplete: (text: string) => boolean;
}

interface Event {
  readonly type?: string;
  readonly delta?: string | { readonly text?: string };
  readonly choices?: readonly { readonly text?: string; readonly delta?: { readonly content?: string } }[];
  readonly error?: { readonly message: string } | null;
}

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (type: string, rest: object): string => `event: ${type}\n${data({ type, ...rest })}`;
const chunk = (delta: object, finish_reason: string | null = null): string =>
  data({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason }],
  });
const completion = (text: string, finish_reason: string | null = null): string =>
  data({
    id: 'c',
    object: 'text_completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, text, finish_reason }],
  });
const response = (status: string): object => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'm',
  status,
  output: [],
});
const item = { id: 'msg_1', type: 'message', role: 'assistant', content: [] };

const DIALECTS: readonly StreamedDialect[] = [
  {
    path: '/chat/completions',
    request: { messages: [{ role: 'user', content: 'Hi' }] },
    suffix: '',
    start: [chunk({ role: 'assistant', content: '' })],
    delta: (content) => chunk({ content }),
    end: [chunk({}, 'stop'), 'data: [DONE]\n\n'],
    textIn: (events) => events.map(({ choices }) => choices?.[0]?.delta?.content ?? '').join(''),
    isComplete: (text) => text.includes('"finish_reason":"stop"'),
  },
  {
    path: '/completions',
    request: { prompt: 'Hi' },
    suffix: '',
    start: [],
    delta: (text) => completion(text),
    end: [completion('', 'stop'), 'data: [DONE]\n\n'],
    textIn: (events) => events.map(({ choices }) => choices?.[0]?.text ?? '').join(''),
    isComplete: (text) => text.includes('"finish_reason":"stop"'),
  },
  {
    path: '/responses',
    request: { input: 'Hi' },
    suffix: '',
    start: [
      named('response.created', { response: response('in_progress') }),
      named('response.output_item.added', { output_index: 0, item }),
    ],
    delta: (delta) =>
      named('response.output_text.delta', { item_id: 'msg_1', output_index: 0, content_index: 0, delta }),
    end: [
      named('response.output_item.done', { output_index: 0, item }),
      named('response.completed', { response: response('completed') }),
    ],
    textIn: (events) => events.map(({ delta }) => (typeof delta === 'string' ? delta : '')).join(''),
    isComplete: (text) => text.includes('response.completed'),
  },
  {
    path: '/messages',
    request: { max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] },
    suffix: '-claude',
    start: [
      named('message_start', {
        message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [] },
      }),
      named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ],
    delta: (text) => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
    end: [
      named('content_block_stop', { index: 0 }),
      named('message_delta', {
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 1 },
      }),
      named('message_stop', {}),
    ],
    textIn: (events) =>
      events.map(({ delta }) => (typeof delta === 'object' ? (delta.text ?? '') : '')).join(''),
    isComplete: (text) => text.includes('"stop_reason":"end_turn"'),
  },
];

let upstream: LocalUpstream;
let gateway: Gateway;
beforeAll(async () => {
  upstream = await LocalUpstream.start();
  gateway = await Gateway.start(CONFIG(upstream.url));
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

const begin = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' });

/** Sends these bytes one by one, each in a write of its own. */
function byteByByte(text: string): Behaviour {
  return (response) => {
    begin(response);
    const bytes = Buffer.from(text);
    const send = (at: number): void => {
      if (at >= bytes.length) {
        response.end();
        return;
      }
      response.write(bytes.subarray(at, at + 1));
      setImmediate(() => send(at + 1));
    };
    send(0);
  };
}

/** Sends some events, then what breaks the stream. */
function then(events: readonly string[], breaks: (response: ServerResponse) => void): Behaviour {
  return (response) => {
    begin(response);
    response.write(events.join(''), () => setTimeout(() => breaks(response), 20));
  };
}

function eventsIn(text: string): Event[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Event);
}

const LONG = 'a beginning that is long enough to leave the window of the guardrail. '.repeat(8);

describe.each(DIALECTS)('$path', (dialect) => {
  const { path, request, suffix, start, delta, end, textIn, isComplete } = dialect;
  const ask = (model: 'open' | 'guarded'): Promise<Response> =>
    gateway.post(path, { model: model + suffix, stream: true, ...request });

  test('half a character at the edge of a piece is no character lost', async () => {
    const text = 'Grüße, 你好, 👩🏽‍💻!';
    upstream.will(byteByByte([...start, delta('Grüße, '), delta('你好, 👩🏽‍💻!'), ...end].join('')));
    for (const model of ['open', 'guarded'] as const) {
      expect(textIn(eventsIn(await (await ask(model)).text()))).toBe(text);
    }
  });

  test.each([
    ['an event that is not JSON', 'data: {"choices": [\n\n'],
    ['an event that is no object', 'data: 17\n\n'],
    ['an error of the provider', data({ error: { message: 'the forbidden phrase', type: 'server_error' } })],
  ])('%s before any text is a plain 502', async (_what, broken) => {
    upstream.will(then([...start, broken], (response) => response.end()));
    const answer = await ask('guarded');
    const text = await answer.text();
    expect([answer.status, text]).toEqual([502, expect.not.stringContaining('forbidden phrase')]);
  });

  test('an event that is not JSON, after text has left, ends with an error, never as complete', async () => {
    upstream.will(then([...start, delta(LONG)], (response) => response.end('data: {"oops\n\n')));
    const text = await (await ask('guarded')).text();
    expect(textIn(eventsIn(text))).toContain('a beginning');
    expect(text).toContain('stream is broken');
    expect(isComplete(text)).toBe(false);
  });

  test.each(['open', 'guarded'] as const)(
    'a provider that dies in the middle ends with an error (%s)',
    async (model) => {
      upstream.will(then([...start, delta(LONG)], (response) => response.destroy()));
      const text = await (await ask(model)).text();
      expect(text).toContain('"error"');
      expect(isComplete(text)).toBe(false);
      expect(LONG.startsWith(textIn(eventsIn(text)))).toBe(true);
    },
  );

  test.each(['open', 'guarded'] as const)(
    'a provider that ends without its end mark ends with an error (%s)',
    async (model) => {
      upstream.will(then([...start, delta(LONG)], (response) => response.end()));
      const text = await (await ask(model)).text();
      expect(text).toContain('"error"');
      expect(isComplete(text)).toBe(false);
    },
  );

  test('a line of 50 MB is given up long before, and the call of the provider ended', async () => {
    let sent = 0;
    const piece = 'x'.repeat(1024 * 1024);
    upstream.will((response) => {
      begin(response);
      response.write(`${start.join('')}data: {"type":"`);
      const send = (): void => {
        if (sent >= 50 || response.destroyed) return;
        sent += 1;
        if (response.write(piece)) setImmediate(send);
        else response.once('drain', send);
      };
      send();
    });
    const answer = await ask('guarded');
    expect(answer.status).toBe(502);
    await answer.text();
    await upstream.lastCall.closed;
    expect(sent).toBeLessThan(40);
  });

  test.each(['open', 'guarded'] as const)(
    'a caller that does not read holds the provider back (%s)',
    async (model) => {
      let sent = 0;
      const event = delta('word '.repeat(13_000));
      upstream.will((response) => {
        begin(response);
        response.write(start.join(''));
        const send = (): void => {
          if (response.destroyed) return;
          sent += event.length;
          if (response.write(event)) setImmediate(send);
          else response.once('drain', send);
        };
        send();
      });
      const body = JSON.stringify({ model: model + suffix, stream: true, ...request });
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN_KEY}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      // It reads the head of the answer, and then next to nothing.
      await once(socket, 'readable');
      socket.read(1);
      let before = -1;
      while (before !== sent) {
        before = sent;
        await new Promise((resolve) => setTimeout(resolve, 250));
        socket.read(1);
      }
      // What the buffers of four sockets hold, and no more.
      expect(sent).toBeLessThan(40_000_000);
      socket.destroy();
      await upstream.lastCall.closed;
    },
    30_000,
  );
});

test('a whole answer of 50 MB is refused when somebody has to read it', async () => {
  upstream.will(json(200, `{"choices":[],"x":"${'x'.repeat(50 * 1024 * 1024)}"}`));
  const answer = await gateway.post('/chat/completions', { model: 'guarded', ...DIALECTS[0]?.request });
  expect([answer.status, await answer.text()]).toEqual([502, expect.stringContaining('larger than')]);
});
