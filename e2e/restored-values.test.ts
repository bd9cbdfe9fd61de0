import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';
import {
  answer,
  chunk,
  completion,
  DONE,
  json,
  LocalUpstream,
  stream,
  textStream,
} from './support/upstream.ts';

const MASK = 'patterns: [{ pattern_type: prebuilt, pattern_name: email, action: MASK }]';
const config = (url: string): string => `
model_list:
  - model_name: gpt
    litellm_params: { model: openai/upstream-model, api_base: "${url}", api_key: sk-upstream }
guardrails:
  - guardrail_name: undone
    litellm_params:
      { guardrail: litellm_content_filter, mode: pre_call, default_on: true, output_parse_pii: true, ${MASK} }
  - guardrail_name: on-answers
    litellm_params: { guardrail: litellm_content_filter, mode: post_call, ${MASK} }
  - guardrail_name: after-the-fact
    litellm_params: { guardrail: litellm_content_filter, mode: logging_only, default_on: true, ${MASK} }
`;

let upstream: LocalUpstream;
let gateway: Gateway;
let client: OpenAI;

beforeAll(async () => {
  upstream = await LocalUpstream.start();
  gateway = await Gateway.start(config(upstream.url), {}, 'store_prompts_in_spend_logs: true');
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: ADMIN_KEY });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

const ASKED = [{ role: 'user' as const, content: 'I am jane@example.com, write to joe@example.org' }];
const toolCall = (args: string) => ({
  id: 'call_1',
  type: 'function',
  function: { name: 'send', arguments: args },
});

describe('a value that was masked for the model', () => {
  test('is back in the answer, and the model never saw it', async () => {
    upstream.will(answer('Dear <EMAIL_1>, I wrote to <EMAIL_2>, not to <EMAIL_3>.'));
    const { data, response } = await client.chat.completions
      .create({ model: 'gpt', messages: ASKED })
      .withResponse();
    expect(upstream.lastCall.body['messages']).toEqual([
      { role: 'user', content: 'I am <EMAIL_1>, write to <EMAIL_2>' },
    ]);
    expect(data.choices[0]?.message.content).toBe(
      'Dear jane@example.com, I wrote to joe@example.org, not to <EMAIL_3>.',
    );
    const record = await gateway.record(response);
    expect(JSON.stringify(record)).not.toMatch(/jane@|joe@/u);
    expect(record.guardrails.find((run) => run.guardrail_name === 'undone')).toMatchObject({
      outcome: 'masked',
      masked_entity_count: { email: 2 },
    });
  });

  test('keeps its placeholder on the next turn, whose history holds it as the caller knows it', async () => {
    const made = (await (await gateway.post('/key/generate', {})).json()) as { readonly key: string };
    const { chat } = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: made.key });
    upstream.will(answer('Yes.'));
    await chat.completions.create({ model: 'gpt', messages: ASKED });
    upstream.will(answer('Fine, <EMAIL_2>.'));
    const data = await chat.completions.create({
      model: 'gpt',
      messages: [
        { role: 'assistant', content: 'I wrote to joe@example.org' },
        { role: 'user', content: 'Thanks' },
      ],
    });
    expect(JSON.stringify(upstream.lastCall.body['messages'])).toContain('I wrote to <EMAIL_2>');
    expect(data.choices[0]?.message.content).toBe('Fine, joe@example.org.');
  });

  test('is back in the arguments of tool calls, as JSON', async () => {
    const call = toolCall('{"to":"<EMAIL_1>","copies":["<EMAIL_2>"],"n":1}');
    upstream.will(json(200, completion({ content: null, tool_calls: [call] })));
    const data = await client.chat.completions.create({ model: 'gpt', messages: ASKED });
    const made = data.choices[0]?.message.tool_calls?.[0];
    expect(made?.type === 'function' ? JSON.parse(made.function.arguments) : null).toEqual({
      to: 'jane@example.com',
      copies: ['joe@example.org'],
      n: 1,
    });
  });

  test('is back in a stream, however its placeholder was cut, and in streamed tool calls', async () => {
    const text = 'Dear <EMAIL_1>: <EMAIL_9> and <b>.';
    for (let cut = 1; cut < text.length; cut += 3) {
      upstream.will(stream(textStream(text.slice(0, cut), text.slice(cut, cut + 2), text.slice(cut + 2))));
      const events = await client.chat.completions.create({ model: 'gpt', messages: ASKED, stream: true });
      let got = '';
      for await (const event of events) got += event.choices[0]?.delta.content ?? '';
      expect(got).toBe('Dear jane@example.com: <EMAIL_9> and <b>.');
    }
    const part = (args: string) => chunk({ tool_calls: [{ index: 0, function: { arguments: args } }] });
    upstream.will(
      stream([
        chunk({ role: 'assistant', tool_calls: [{ index: 0, ...toolCall('') }] }),
        part('{"to":"<EMA'),
        part('IL_1>","n":1'),
        part('}'),
        chunk({}, 'tool_calls'),
        DONE,
      ]),
    );
    const events = await client.chat.completions.create({ model: 'gpt', messages: ASKED, stream: true });
    let args = '';
    let finish: string | null = null;
    for await (const { choices } of events) {
      args += choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? '';
      finish = choices[0]?.finish_reason ?? finish;
    }
    expect(JSON.parse(args)).toEqual({ to: 'jane@example.com', n: 1 });
    expect(finish).toBe('tool_calls');
  });

  test('is put back behind the guardrails of the answer, which still mask what the model made up', async () => {
    upstream.will(answer('<EMAIL_1> knows new@example.net.'));
    const asked = { model: 'gpt', messages: ASKED, guardrails: ['on-answers'] };
    const whole = await client.chat.completions.create(asked);
    expect(whole.choices[0]?.message.content).toBe('jane@example.com knows [EMAIL_REDACTED].');
    upstream.will(stream(textStream('<EMAIL', '_1> knows new@', 'example.net.')));
    const events = await client.chat.completions.create({ ...asked, stream: true });
    let got = '';
    for await (const event of events) got += event.choices[0]?.delta.content ?? '';
    expect(got).toBe('jane@example.com knows [EMAIL_REDACTED].');
  });

  test('is stored neither with the prompt nor with the answer', async () => {
    for (const streamed of [false, true]) {
      upstream.will(streamed ? stream(textStream('To <EMAIL_1>')) : answer('To <EMAIL_1>'));
      const response = await gateway.chat({ messages: ASKED, stream: streamed });
      expect(await response.text()).toContain('jane@example.com');
      const id = response.headers.get('x-litellm-call-id') ?? '';
      await vi.waitFor(async () => {
        const rows = await (
          await gateway.get(`/spend/logs/v2?start_date=2020-01-01&end_date=2099-12-31&request_id=${id}`)
        ).json();
        expect(rows).toMatchObject({ total: 1 });
      }, 5_000);
      const text = await (await gateway.get(`/spend/logs/ui/${id}`)).text();
      expect(text).toContain('EMAIL_1');
      expect(text).not.toMatch(/jane@|joe@/u);
    }
  });

  test('is in no line of the log', async () => {
    upstream.will(answer('To <EMAIL_1>'));
    const response = await gateway.chat({ messages: ASKED });
    await gateway.record(response);
    const log = gateway.log();
    expect(log).not.toBe('');
    expect(log).not.toMatch(/jane@|joe@/u);
  });
});
