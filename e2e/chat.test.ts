import OpenAI, { APIError, BadRequestError } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, eventsOf, Gateway } from './support/gateway.ts';
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

const guardrail = (name: string, mode: string, rules: string, more = ''): string => `
  - guardrail_name: ${name}
    litellm_params:
      guardrail: litellm_content_filter
      mode: ${mode}
      ${more}
      ${rules}`;

const config = (url: string): string => `
model_list:
  - model_name: gpt
    litellm_params: { model: openai/upstream-model, api_base: "${url}", api_key: sk-upstream }
  - model_name: same-name
    litellm_params: { model: openai/same-name, api_base: "${url}", api_key: sk-upstream }
  - model_name: open
    litellm_params: { model: openai/upstream-model, api_base: "${url}", api_key: sk-upstream }
  - model_name: wild/*
    litellm_params: { model: openai/*, api_base: "${url}", api_key: sk-upstream }
  - model_name: mock
    litellm_params: { model: mock/mock-1 }
guardrails:
${guardrail('mask-mail', '[pre_call, post_call]', 'patterns: [{ pattern_type: prebuilt, pattern_name: email, action: MASK }]')}
${guardrail('block-code', 'pre_call', "patterns: [{ pattern_type: regex, name: code, pattern: 'PRJ-[0-9]{6}', action: BLOCK }]")}
${guardrail('block-beside', 'during_call', 'blocked_words: [{ keyword: beside the call, action: BLOCK }]')}
${guardrail('block-answer', 'post_call', 'blocked_words: [{ keyword: forbidden phrase, action: BLOCK }]')}
${guardrail('watch', '[pre_call, post_call]', 'blocked_words: [{ keyword: watched, action: BLOCK }]', 'enforcement: monitor')}
${guardrail('log-mail', 'logging_only', 'patterns: [{ pattern_type: prebuilt, pattern_name: email, action: MASK }]')}
${guardrail('on-demand', 'pre_call', 'blocked_words: [{ keyword: demanded, action: BLOCK }]')}
policies:
  guarded: { guardrails: { add: [mask-mail, block-code, block-beside, block-answer] } }
  watching: { guardrails: { add: [watch, log-mail] } }
  polite:
    guardrails: { add: [block-code] }
    pipeline:
      mode: pre_call
      steps: [{ guardrail: block-code, on_fail: modify_response, modify_response_message: Not here. }]
policy_attachments:
  - { policy: guarded, models: [gpt, mock] }
  - { policy: watching, models: [open] }
  - { policy: polite, tags: [polite], models: [open] }
`;

let upstream: LocalUpstream;
let gateway: Gateway;
let client: OpenAI;

beforeAll(async () => {
  upstream = await LocalUpstream.start();
  gateway = await Gateway.start(config(upstream.url));
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: ADMIN_KEY });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

const user = (content: string): { role: 'user'; content: string }[] => [{ role: 'user', content }];

describe('a whole answer', () => {
  test('passes, with the headers that say what was done', async () => {
    upstream.will(answer('Good day.'));
    const { data, response } = await client.chat.completions
      .create({ model: 'gpt', messages: user('Hello') })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe('Good day.');
    expect(data.usage?.total_tokens).toBe(8);
    expect(upstream.lastCall.path).toBe('/v1/chat/completions');
    expect(upstream.lastCall.headers.authorization).toBe('Bearer sk-upstream');
    expect(upstream.lastCall.headers['accept-encoding']).toBe('identity');
    expect(upstream.lastCall.body['model']).toBe('upstream-model');
    expect(response.headers.get('x-litellm-applied-policies')).toBe('guarded');
    expect(response.headers.get('x-litellm-policy-sources')).toBe('guarded=model:gpt');
    expect(response.headers.get('x-litellm-applied-guardrails')?.split(',').sort()).toEqual([
      'block-answer',
      'block-beside',
      'block-code',
      'mask-mail',
    ]);
    expect(response.headers.get('x-litellm-model-group')).toBe('gpt');
    expect(response.headers.get('x-portcullis-revision')).toBe('1');
    const record = await gateway.record(response);
    expect(record).toMatchObject({ status: 200, end: 'answered', error_code: null, upstream_status: 200 });
    expect(record.verdicts).toEqual({ pre_call: 'allow', during_call: 'allow', post_call: 'allow' });
    expect(
      record.guardrails.map((run) => `${run.executed_hook} ${run.guardrail_name} ${run.outcome}`),
    ).toEqual([
      'pre_call block-code clean',
      'pre_call mask-mail clean',
      'during_call block-beside clean',
      'post_call block-answer clean',
      'post_call mask-mail clean',
    ]);
    expect(record.usage?.total_tokens).toBe(8);
  });

  test('is masked both ways: the model never sees the address, the caller neither', async () => {
    upstream.will(answer('Write to joe@example.org now.'));
    const data = await client.chat.completions.create({
      model: 'gpt',
      messages: user('I am jane@example.com.'),
    });
    expect(upstream.lastCall.body['messages']).toEqual(user('I am [EMAIL_REDACTED].'));
    expect(upstream.lastCall.raw).not.toContain('jane@example.com');
    expect(data.choices[0]?.message.content).toBe('Write to [EMAIL_REDACTED] now.');
  });

  test('is masked in every part of a message and in the arguments of tool calls', async () => {
    upstream.will(
      json(
        200,
        completion({
          content: null,
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'send', arguments: '{"to":"joe@example.org","n":1}' },
            },
          ],
        }),
      ),
    );
    const data = await client.chat.completions.create({
      model: 'gpt',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a@example.com' },
            { type: 'text', text: 'and b@example.com' },
          ],
        },
      ],
      tools: [
        { type: 'function', function: { name: 'send', description: 'Mail c@example.com', parameters: {} } },
      ],
    });
    expect(upstream.lastCall.raw).not.toMatch(/@example/u);
    expect(data.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      function: { name: 'send', arguments: '{"to":"[EMAIL_REDACTED]","n":1}' },
    });
  });

  test('is blocked before the call: 400 with the name of the guardrail, the provider is not asked', async () => {
    upstream.will(answer('never'));
    const failure = await client.chat.completions
      .create({ model: 'gpt', messages: user('It is PRJ-123456') })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BadRequestError);
    const error = failure as BadRequestError;
    expect(error.type).toBe('guardrail_violation');
    expect(error.error).toMatchObject({
      code: '400',
      param: null,
      provider_specific_fields: {
        guardrail_name: 'block-code',
        guardrail_mode: 'pre_call',
        policy: 'guarded',
      },
    });
    expect(error.headers.get('x-should-retry')).toBe('false');
    expect(upstream.calls).toHaveLength(0);
    const record = await gateway.recordOf(error.headers.get('x-litellm-call-id') ?? '');
    expect(record).toMatchObject({ status: 400, end: 'blocked', error_code: 'guardrail_violation' });
    expect(JSON.stringify(record)).not.toContain('PRJ-123456');
  });

  test('is blocked beside the call: nothing of the answer arrives', async () => {
    upstream.will(answer('secret answer'));
    const blocked = await gateway.chat({ messages: user('beside the call') });
    expect(blocked.status).toBe(400);
    expect(await blocked.text()).not.toContain('secret answer');
    expect((await gateway.record(blocked)).verdicts).toEqual({ pre_call: 'allow', during_call: 'block' });
  });

  test('is blocked after the call: the length and the status are those of the block', async () => {
    upstream.will(answer('This is a forbidden phrase.'));
    const blocked = await gateway.chat({});
    expect(blocked.status).toBe(400);
    const text = await blocked.text();
    expect(Number(blocked.headers.get('content-length'))).toBe(Buffer.byteLength(text));
    expect(JSON.parse(text)).toMatchObject({
      error: { provider_specific_fields: { guardrail_name: 'block-answer', guardrail_mode: 'post_call' } },
    });
  });

  test('with several choices is blocked when one of them is', async () => {
    const message = (content: string): object => ({ role: 'assistant', content });
    upstream.will(
      json(
        200,
        completion(
          {},
          {
            choices: [
              { index: 0, message: message('fine'), finish_reason: 'stop' },
              { index: 1, message: message('a forbidden phrase'), finish_reason: 'stop' },
            ],
          },
        ),
      ),
    );
    expect((await gateway.chat({ n: 2 })).status).toBe(400);
  });

  test('can be a soft block: 200 with the message of the policy and finish_reason content_filter', async () => {
    upstream.will(answer('never'));
    const data = await client.chat.completions.create(
      { model: 'open', messages: user('PRJ-123456') },
      { headers: { 'x-litellm-tags': 'polite' } },
    );
    expect(data.choices[0]).toMatchObject({
      message: { content: 'Not here.' },
      finish_reason: 'content_filter',
    });
    expect(upstream.calls).toHaveLength(0);
  });
});

describe('what is sent to the provider', () => {
  test('are the very bytes of the caller when nobody looks and nothing changes', async () => {
    upstream.will(answer('ok'));
    const raw = '{ "messages": [{"role":"user","content":"é"}],  "model": "same-name", "temperature": 1.0 }';
    expect((await gateway.post('/chat/completions', raw)).status).toBe(200);
    expect(upstream.lastCall.raw).toBe(raw);
  });

  test('is written anew when the model is named twice, so that access is checked for the one that is used', async () => {
    upstream.will(answer('ok'));
    const raw = '{"model":"gpt","messages":[{"role":"user","content":"Hi"}],"model":"same-name"}';
    expect((await gateway.post('/v1/chat/completions', raw)).status).toBe(200);
    expect(upstream.lastCall.raw).toBe('{"model":"same-name","messages":[{"role":"user","content":"Hi"}]}');
  });

  test('is what was scanned: a key written twice cannot smuggle anything past a guardrail', async () => {
    upstream.will(answer('ok'));
    const raw =
      '{"model":"gpt","messages":[{"role":"user","content":"PRJ-123456"}],"messages":[{"role":"user","content":"Hi"}]}';
    expect((await gateway.post('/v1/chat/completions', raw)).status).toBe(200);
    expect(upstream.lastCall.raw).not.toContain('PRJ-123456');
  });

  test('holds no field that is meant for the gateway, and forged ones are counted', async () => {
    upstream.will(answer('ok'));
    const passed = await gateway.chat({
      model: 'same-name',
      tags: ['a'],
      metadata: { tags: ['b'], applied_guardrails: ['x'] },
      disable_global_guardrails: true,
      user_api_key_team_id: 'other',
    });
    expect(passed.status).toBe(200);
    expect(Object.keys(upstream.lastCall.body).sort()).toEqual(['messages', 'model']);
    const record = await gateway.record(passed);
    expect([...record.stripped_fields].sort()).toEqual([
      'disable_global_guardrails',
      'metadata.applied_guardrails',
      'user_api_key_team_id',
    ]);
    expect(record.caller_tags).toEqual(expect.arrayContaining(['a', 'b']));
  });

  test('names the model that the wildcard stands for', async () => {
    upstream.will(answer('ok'));
    expect((await gateway.chat({ model: 'wild/some-model' })).status).toBe(200);
    expect(upstream.lastCall.body['model']).toBe('some-model');
  });
});

describe('a stream', () => {
  test('passes, event by event, through the SDK', async () => {
    upstream.will(stream(textStream('Good ', 'day', ' to you.')));
    const events = await client.chat.completions.create({ model: 'gpt', messages: user('Hi'), stream: true });
    let text = '';
    let finish: string | null = null;
    for await (const part of events) {
      text += part.choices[0]?.delta.content ?? '';
      finish = part.choices[0]?.finish_reason ?? finish;
    }
    expect(text).toBe('Good day to you.');
    expect(finish).toBe('stop');
  });

  test('that no guardrail reads passes byte by byte', async () => {
    const events = textStream('Good ', 'day');
    upstream.will(stream(events));
    const passed = await gateway.chat({ model: 'same-name', stream: true });
    expect(await passed.text()).toBe(events.join(''));
    expect((await gateway.record(passed)).end).toBe('answered');
  });

  test('is masked although the address comes in pieces', async () => {
    upstream.will(stream(textStream('Write to jo', 'e@exam', 'ple.org', ' now.')));
    const passed = await gateway.chat({ stream: true });
    const events = await eventsOf(passed);
    const text = events
      .slice(0, -1)
      .map(
        (data) =>
          (JSON.parse(data) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ??
          '',
      )
      .join('');
    expect(text).toBe('Write to [EMAIL_REDACTED] now.');
    expect(events.at(-1)).toBe('[DONE]');
    expect(passed.headers.get('x-litellm-applied-guardrails')).toContain('block-answer');
    expect((await gateway.record(passed)).verdicts['post_call']).toBe('mask');
  });

  test('that is blocked before anything was sent is a plain 400', async () => {
    upstream.will(stream(textStream('forbidden phrase', ' and more')));
    const failure = await client.chat.completions
      .create({ model: 'gpt', messages: user('Hi'), stream: true })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BadRequestError);
  });

  test('that is blocked later ends every open choice with content_filter, then the error, then the end', async () => {
    upstream.will(
      stream([
        chunk(
          { role: 'assistant', content: 'This is a long enough beginning of the first choice, ' },
          null,
          0,
        ),
        chunk(
          { role: 'assistant', content: 'and this one of the second choice goes on for a while, ' },
          null,
          1,
        ),
        chunk(
          { content: `here comes a forbidden phrase and more${' of the second choice'.repeat(20)}` },
          null,
          1,
        ),
        chunk({}, 'stop', 0),
        chunk({}, 'stop', 1),
        DONE,
      ]),
    );
    const blocked = await gateway.chat({ stream: true, n: 2 });
    expect(blocked.status).toBe(200);
    const events = await eventsOf(blocked);
    expect(events.join('')).not.toContain('forbidden phrase and more');
    expect(events.at(-1)).toBe('[DONE]');
    const parsed = events.slice(0, -1).map((data) => JSON.parse(data) as Record<string, unknown>);
    expect(parsed.at(-1)).toMatchObject({ error: { type: 'guardrail_violation', code: '400' } });
    const finished = parsed.flatMap((event) => {
      const choices = (event['choices'] ?? []) as { index: number; finish_reason: string | null }[];
      return choices
        .filter(({ finish_reason }) => finish_reason === 'content_filter')
        .map(({ index }) => index);
    });
    expect(finished.toSorted((a, b) => a - b)).toEqual([0, 1]);
    expect(await gateway.record(blocked)).toMatchObject({ status: 200, end: 'blocked' });
  });

  test('that is blocked later is an error of the SDK, not a short answer', async () => {
    upstream.will(
      stream(textStream('A beginning that is long enough to leave the window, ', 'forbidden phrase')),
    );
    const events = await client.chat.completions.create({ model: 'gpt', messages: user('Hi'), stream: true });
    await expect(
      (async () => {
        for await (const part of events) void part;
      })(),
    ).rejects.toBeInstanceOf(APIError);
  });

  test('of a tool call gives its arguments scanned and whole', async () => {
    const call = (fields: object): string => chunk({ tool_calls: [{ index: 0, ...fields }] });
    upstream.will(
      stream([
        call({ id: 'call_1', type: 'function', function: { name: 'send', arguments: '' } }),
        call({ function: { arguments: '{"to":"joe@' } }),
        call({ function: { arguments: 'example.org","n":1}' } }),
        chunk({}, 'tool_calls'),
        DONE,
      ]),
    );
    const runner = client.chat.completions.stream({ model: 'gpt', messages: user('Hi') });
    const final = await runner.finalChatCompletion();
    expect(final.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      id: 'call_1',
      function: { name: 'send', arguments: '{"to":"[EMAIL_REDACTED]","n":1}' },
    });
    expect(final.choices[0]?.finish_reason).toBe('tool_calls');
  });

  test('that the caller gives up ends the call of the provider, and is recorded', async () => {
    upstream.will(
      stream([chunk({ role: 'assistant', content: 'A beginning that is long enough to leave.' })], 'hang'),
    );
    for (const model of ['gpt', 'same-name']) {
      const controller = new AbortController();
      const { data: events, response } = await client.chat.completions
        .create({ model, messages: user('Hi'), stream: true }, { signal: controller.signal })
        .withResponse();
      for await (const part of events) {
        void part;
        controller.abort();
      }
      await upstream.lastCall.closed;
      const record = await gateway.record(response);
      expect(record).toMatchObject({ status: 200, end: 'disconnected', error_code: 'client_disconnected' });
    }
  });
});

describe('runs that only watch', () => {
  test('change neither the bytes nor what is sent, and are recorded', async () => {
    const events = textStream('some watched text for joe@example.org');
    upstream.will(stream(events));
    const passed = await gateway.chat({
      model: 'open',
      stream: true,
      messages: user('watched me@example.org'),
    });
    expect(await passed.text()).toBe(events.join(''));
    expect(upstream.lastCall.body['messages']).toEqual(user('watched me@example.org'));
    expect(passed.headers.get('x-litellm-applied-guardrails')).toBeNull();
    const record = await gateway.recordWhen(passed, ({ guardrails }) => guardrails.length >= 3);
    const runs = record.guardrails.map((run) => `${run.executed_hook} ${run.guardrail_name} ${run.verdict}`);
    expect(runs.sort()).toEqual([
      'logging_only log-mail mask',
      'post_call watch block',
      'pre_call watch block',
    ]);
  });
});

describe('the mock', () => {
  test('answers every choice, whole and streamed, through the same guardrails', async () => {
    const whole = await client.chat.completions.create({
      model: 'mock',
      n: 2,
      messages: user('I am jane@example.com'),
    });
    expect(whole.choices.map(({ message }) => message.content)).toEqual([
      'You said: I am [EMAIL_REDACTED]',
      'You said: I am [EMAIL_REDACTED]',
    ]);
    const events = await client.chat.completions.create({
      model: 'mock',
      messages: user('two words'),
      stream: true,
    });
    let text = '';
    for await (const part of events) text += part.choices[0]?.delta.content ?? '';
    expect(text).toBe('You said: two words');
  });

  test('answers mock_response without asking the provider, guarded like any answer', async () => {
    upstream.will(answer('never'));
    const passed = await gateway.chat({ mock_response: 'Write to joe@example.org' });
    expect(await passed.text()).toContain('Write to [EMAIL_REDACTED]');
    expect((await gateway.chat({ mock_response: 'a forbidden phrase' })).status).toBe(400);
    expect(upstream.calls).toHaveLength(0);
  });
});
