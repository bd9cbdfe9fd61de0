// Every dialect through the built-in provider: whole, streamed, with and without /v1, masked and blocked.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';

const guardrail = (name: string, mode: string, rules: string): string => `
  - guardrail_name: ${name}
    litellm_params:
      guardrail: litellm_content_filter
      mode: ${mode}
      ${rules}`;

const CONFIG = `
model_list:
  - model_name: open
    litellm_params: { model: mock/mock-1 }
  - model_name: guarded
    litellm_params: { model: mock/mock-1 }
  - model_name: held
    litellm_params: { model: mock/mock-1 }
guardrails:
${guardrail('mask-mail', '[pre_call, post_call]', 'patterns: [{ pattern_type: prebuilt, pattern_name: email, action: MASK }]')}
${guardrail('block-word', '[pre_call, post_call]', 'blocked_words: [{ keyword: forbidden phrase, action: BLOCK }]')}
${guardrail('hold-whole', 'post_call', 'streaming_buffer_until_moderated: true')}
      streaming_sampling_rate: 5
      stream_holdback_chars: 50
      blocked_words: [{ keyword: forbidden phrase, action: BLOCK }]
policies:
  guarded: { guardrails: { add: [mask-mail, block-word] } }
  held: { guardrails: { add: [hold-whole] } }
policy_attachments:
  - { policy: guarded, models: [guarded] }
  - { policy: held, models: [held] }
`;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await Gateway.start(CONFIG);
});
afterAll(() => gateway.stop());

/** A request of each dialect in which the text stands. */
const REQUESTS: Readonly<Record<string, (text: string) => object>> = {
  '/chat/completions': (text) => ({ messages: [{ role: 'user', content: text }] }),
  '/completions': (text) => ({ prompt: text }),
  '/responses': (text) => ({ input: [{ role: 'user', content: [{ type: 'input_text', text }] }] }),
  '/messages': (text) => ({ max_tokens: 9, messages: [{ role: 'user', content: [{ type: 'text', text }] }] }),
  '/messages/count_tokens': (text) => ({ messages: [{ role: 'user', content: text }] }),
  '/embeddings': (text) => ({ input: [text] }),
  '/moderations': (text) => ({ input: text }),
  '/rerank': (text) => ({ query: text, documents: ['a', 'b'], return_documents: true }),
  '/images/generations': (text) => ({ prompt: text }),
  '/audio/speech': (text) => ({ input: text, voice: 'alloy' }),
};
const STREAMED = ['/chat/completions', '/completions', '/responses', '/messages'];

describe.each(Object.entries(REQUESTS))('%s', (path, request) => {
  test.each(['', '/v1'])('answers below "%s"', async (prefix) => {
    const answer = await gateway.post(prefix + path, { model: 'open', ...request('hello there') });
    expect([answer.status, await answer.text()]).toMatchObject([200, expect.any(String)]);
    expect(answer.headers.get('x-litellm-call-id')).toMatch(/^[\w-]{36}$/u);
  });

  test('masks on the way in, so that the model does not see it', async () => {
    const answer = await gateway.post(path, { model: 'guarded', ...request('mail ann@example.org now') });
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(text).not.toContain('ann@example.org');
    expect(answer.headers.get('x-litellm-applied-guardrails')).toContain('mask-mail');
  });

  test('blocks on the way in with 400, which no client tries again', async () => {
    const answer = await gateway.post(path, { model: 'guarded', ...request('a forbidden phrase') });
    expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([400, 'false']);
    const body = (await answer.json()) as { error: { type: string; message: string } };
    const type = path.startsWith('/messages') ? 'invalid_request_error' : 'guardrail_violation';
    expect(body.error.type).toBe(type);
    expect(body.error.message).toContain('forbidden');
  });
});

describe.each(STREAMED)('%s as a stream', (path) => {
  const request = REQUESTS[path] ?? (() => ({}));

  test('gives the same text guarded and not', async () => {
    const texts = await Promise.all(
      ['open', 'guarded'].map(async (model) => {
        const answer = await gateway.post(path, { model, stream: true, ...request('tell me more') });
        expect(answer.headers.get('content-type')).toContain('text/event-stream');
        return streamedText(await answer.text());
      }),
    );
    expect(texts).toEqual(['You said: tell me more', 'You said: tell me more']);
  });

  test('is held back whole where the reference is asked to, so that a block is a plain 400', async () => {
    const ask = (mock_response: string): Promise<Response> =>
      gateway.post(path, { model: 'held', stream: true, mock_response, ...request('x') });
    const long = 'word '.repeat(400);
    expect((await ask(`${long}and a forbidden phrase`)).status).toBe(400);
    expect(streamedText(await (await ask(long)).text())).toBe(long);
  });

  test('is masked although the match comes in pieces, and blocked in the words of its dialect', async () => {
    const masked = await gateway.post(path, {
      model: 'guarded',
      stream: true,
      mock_response: 'write to ann@example.org or not',
      ...request('x'),
    });
    expect(streamedText(await masked.text())).toBe('write to [EMAIL_REDACTED] or not');
    const long = `${'word '.repeat(400)}and a forbidden phrase`;
    const cut = await gateway.post(path, {
      model: 'guarded',
      stream: true,
      mock_response: long,
      ...request('x'),
    });
    const text = await cut.text();
    expect(cut.status).toBe(200);
    expect(streamedText(text)).toBe(`${'word '.repeat(400)}and `.slice(0, streamedText(text).length));
    expect(text).toContain(
      {
        '/chat/completions': '"finish_reason":"content_filter"',
        '/completions': '"finish_reason":"content_filter"',
        '/responses': '"type":"response.failed"',
        '/messages': '"stop_reason":"refusal"',
      }[path],
    );
    expect(text.trimEnd()).toMatch(/(?:\[DONE\]|"type":"message_stop"\}|"sequence_number":\d+\})$/u);
  });
});

describe('/audio/transcriptions', () => {
  const send = (fields: Readonly<Record<string, string>>): Promise<Response> => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new File([Buffer.alloc(64)], 'a.wav', { type: 'audio/wav' }));
    return fetch(`${gateway.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      body: form,
    });
  };

  test.each(['json', 'text', 'srt', 'vtt', 'verbose_json'])('is masked as %s', async (response_format) => {
    const answer = await send({
      model: 'guarded',
      response_format,
      mock_response: 'ann@example.org is here',
    });
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(text).toContain('[EMAIL_REDACTED] is here');
    expect(text).not.toContain('ann@example.org');
  });

  test('is blocked both ways, and as a stream', async () => {
    expect((await send({ model: 'guarded', prompt: 'a forbidden phrase' })).status).toBe(400);
    expect((await send({ model: 'guarded', mock_response: 'a forbidden phrase' })).status).toBe(400);
    const streamed = await send({ model: 'guarded', stream: 'true', mock_response: 'mail ann@example.org' });
    expect(streamedText(await streamed.text())).toBe('mail [EMAIL_REDACTED]');
  });

  test('with a field given twice is refused', async () => {
    const form = new FormData();
    form.append('model', 'open');
    form.append('model', 'guarded');
    form.append('file', new File(['x'], 'a.wav'));
    const answer = await fetch(`${gateway.url}/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      body: form,
    });
    expect(answer.status).toBe(400);
  });
});

/** The text that a client puts together from the deltas of a stream. */
function streamedText(stream: string): string {
  let text = '';
  for (const line of stream.split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const event = JSON.parse(line.slice(6)) as {
      type?: string;
      delta?: string | { text?: string };
      choices?: { text?: string; delta?: { content?: string } }[];
    };
    const [choice] = event.choices ?? [];
    text += choice?.text ?? choice?.delta?.content ?? '';
    if (typeof event.delta === 'string') text += event.delta;
    else text += event.delta?.text ?? '';
  }
  return text;
}
