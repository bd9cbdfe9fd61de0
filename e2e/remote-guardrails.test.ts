import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventsOf, Gateway } from './support/gateway.ts';
import { answer, LocalUpstream, stream, textStream } from './support/upstream.ts';

interface Question {
  readonly texts: readonly string[];
  readonly input_type: string;
}
type Verdict = {
  readonly action: string;
  readonly blocked_reason?: string;
  readonly texts?: readonly string[];
};

/** A guardrail service that answers when the test lets it. */
class LocalService {
  readonly questions: Question[] = [];
  readonly #server: Server;
  /** What it answers, or null for never. */
  decide: (question: Question) => Promise<Verdict> | Verdict | null = () => ({ action: 'NONE' });

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const question = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Question;
        this.questions.push(question);
        void Promise.resolve(this.decide(question)).then((verdict) => {
          if (verdict === null) return;
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify(verdict));
        });
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the service does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let upstream: LocalUpstream;
let service: LocalService;
let gateway: Gateway;

const webhook = (name: string, mode: string, url: string, more = ''): string => `
  - guardrail_name: ${name}
    litellm_params: { guardrail: generic_guardrail_api, mode: ${mode}, api_base: "${url}", timeout: 1${more} }`;

beforeAll(async () => {
  upstream = await LocalUpstream.start();
  service = new LocalService();
  const url = await service.start();
  gateway = await Gateway.start(`
model_list:
  - model_name: gpt
    litellm_params: { model: openai/upstream-model, api_base: "${upstream.url}", api_key: sk-upstream }
guardrails:
${webhook('ask-before', 'pre_call', url)}
${webhook('ask-beside', 'during_call', url)}
${webhook('ask-after', 'post_call', url)}
${webhook('ask-nobody', 'pre_call', 'http://127.0.0.1:1')}
${webhook('ask-nobody-open', 'pre_call', 'http://127.0.0.1:1', ', unreachable_fallback: fail_open')}
policy_engine:
  allowed_private_hosts: ["127.0.0.1"]
`);
});

afterAll(async () => {
  await gateway?.stop();
  await service?.stop();
  await upstream?.close();
});

beforeEach(() => {
  service.questions.length = 0;
  service.decide = () => ({ action: 'NONE' });
  upstream.will(answer('the answer of the model'));
});

const later = <T>(value: T): Promise<T> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(value), 60);
  });

describe('a guardrail that has to be waited for', () => {
  test('before the call masks what is sent', async () => {
    service.decide = ({ texts }) =>
      later({ action: 'GUARDRAIL_INTERVENED', texts: texts.map((text) => text.replace('secret', '***')) });
    const passed = await gateway.chat({
      guardrails: ['ask-before'],
      messages: [{ role: 'user', content: 'a secret' }],
    });
    expect(passed.status).toBe(200);
    expect(upstream.lastCall.body['messages']).toEqual([{ role: 'user', content: 'a ***' }]);
  });

  test('beside the call holds the answer until it has spoken, whole and streamed', async () => {
    service.decide = () => later({ action: 'BLOCKED', blocked_reason: 'not this' });
    for (const streamed of [false, true]) {
      upstream.will(
        streamed ? stream(textStream('the answer of the model')) : answer('the answer of the model'),
      );
      const blocked = await gateway.chat({ guardrails: ['ask-beside'], stream: streamed });
      expect(blocked.status).toBe(400);
      const text = await blocked.text();
      expect(text).toContain('not this');
      expect(text).not.toContain('the answer');
      expect(upstream.calls).toHaveLength(1);
      expect((await gateway.record(blocked)).verdicts).toEqual({ during_call: 'block' });
    }
  });

  test('beside the call lets the answer pass in full afterwards', async () => {
    service.decide = () => later({ action: 'NONE' });
    const long = 'x'.repeat(200_000);
    upstream.will(stream(textStream(long, long, 'end')));
    const passed = await gateway.chat({ guardrails: ['ask-beside'], stream: true });
    expect((await passed.text()).length).toBeGreaterThan(400_000);
    expect((await gateway.record(passed)).end).toBe('answered');
  });

  test('after the call reads a stream as a whole: nothing leaves before its verdict', async () => {
    upstream.will(stream(textStream('one ', 'secret ', 'word')));
    service.decide = ({ texts }) =>
      later({ action: 'GUARDRAIL_INTERVENED', texts: texts.map((text) => text.replace('secret', '***')) });
    const passed = await gateway.chat({ guardrails: ['ask-after'], stream: true });
    const events = await eventsOf(passed);
    expect(events.at(-1)).toBe('[DONE]');
    const text = events
      .slice(0, -1)
      .flatMap((data) => (JSON.parse(data) as { choices: { delta: { content?: string } }[] }).choices)
      .map(({ delta }) => delta.content ?? '')
      .join('');
    expect(text).toBe('one *** word');
    upstream.will(stream(textStream('one ', 'more')));
    service.decide = () => later({ action: 'BLOCKED', blocked_reason: 'not this' });
    expect((await gateway.chat({ guardrails: ['ask-after'], stream: true })).status).toBe(400);
  });

  test('that gives no answer in its time blocks', async () => {
    service.decide = () => null;
    const blocked = await gateway.chat({ guardrails: ['ask-before'] });
    expect(blocked.status).toBe(400);
    expect(await blocked.json()).toMatchObject({ error: { type: 'guardrail_error' } });
    expect(upstream.calls).toHaveLength(0);
  });

  test('that cannot be reached blocks, unless it is set to fail open', async () => {
    expect((await gateway.chat({ guardrails: ['ask-nobody'] })).status).toBe(400);
    const passed = await gateway.chat({ guardrails: ['ask-nobody-open'] });
    expect(passed.status).toBe(200);
    expect((await gateway.record(passed)).guardrails[0]).toMatchObject({
      outcome: 'error',
      verdict: 'allow',
    });
  });

  test('ends with its caller: the provider is not asked, and the record says so', async () => {
    service.decide = () => null;
    const controller = new AbortController();
    const gone = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      signal: controller.signal,
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-e2e-admin-key' },
      body: JSON.stringify({
        model: 'gpt',
        guardrails: ['ask-before'],
        messages: [{ role: 'user', content: 'Hi' }],
      }),
    }).catch((error: unknown) => error);
    while (service.questions.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await gone;
    // A later request is answered, so the earlier one has come to its end or is about to.
    service.decide = () => ({ action: 'NONE' });
    expect((await gateway.chat({ guardrails: ['ask-before'] })).status).toBe(200);
    expect(upstream.calls).toHaveLength(1);
  });
});
