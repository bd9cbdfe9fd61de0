// Clients that people use, from npm and unmodified: whole, streamed, tools, structured output, embeddings, and a block.
import Anthropic, { BadRequestError as AnthropicBadRequest } from '@anthropic-ai/sdk';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { APICallError, embed, generateObject, generateText, jsonSchema, streamText, tool } from 'ai';
import OpenAI, { BadRequestError as OpenAIBadRequest } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';
import { json, LocalUpstream, stream } from './support/upstream.ts';

const CONFIG = (url: string): string => `
model_list:
  - model_name: mock
    litellm_params: { model: mock/mock-1 }
  - model_name: gpt
    litellm_params: { model: openai/gpt-up, api_base: "${url}", api_key: sk-upstream }
  - model_name: claude
    litellm_params: { model: anthropic/claude-up, api_base: "${url}", api_key: sk-ant-upstream }
guardrails:
  - guardrail_name: mask-mail
    litellm_params:
      guardrail: litellm_content_filter
      mode: [pre_call, post_call]
      patterns: [{ pattern_type: prebuilt, pattern_name: email, action: MASK }]
  - guardrail_name: block-word
    litellm_params:
      guardrail: litellm_content_filter
      mode: [pre_call, post_call]
      blocked_words: [{ keyword: forbidden phrase, action: BLOCK }]
policies:
  guarded: { guardrails: { add: [mask-mail, block-word] } }
policy_attachments:
  - { policy: guarded, scope: "*" }
`;

let upstream: LocalUpstream;
let gateway: Gateway;
let baseURL: string;

beforeAll(async () => {
  upstream = await LocalUpstream.start();
  gateway = await Gateway.start(CONFIG(upstream.url));
  baseURL = `${gateway.url}/v1`;
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});
beforeEach(() => upstream.will(json(500, {})));

const MAIL = 'write to ann@example.org please';
const MASKED = 'You said: write to [EMAIL_REDACTED] please';
const FORBIDDEN = 'say the forbidden phrase';

/** How often a client called the gateway, by what it sends. */
function counting(): { fetch: typeof fetch; calls: () => number } {
  let calls = 0;
  return {
    fetch: (input, init) => {
      calls += 1;
      return fetch(input, init);
    },
    calls: () => calls,
  };
}

const message = (content: readonly unknown[], stop_reason: string): object => ({
  id: 'msg_up',
  type: 'message',
  role: 'assistant',
  model: 'claude-up',
  content,
  stop_reason,
  stop_sequence: null,
  usage: { input_tokens: 5, output_tokens: 3 },
});
const named = (type: string, rest: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;

describe('@anthropic-ai/sdk', () => {
  const client = (): Anthropic => new Anthropic({ apiKey: ADMIN_KEY, baseURL: gateway.url });
  const ask = { model: 'mock', max_tokens: 64, messages: [{ role: 'user' as const, content: MAIL }] };

  test('whole and streamed, masked', async () => {
    const whole = await client().messages.create(ask);
    expect(whole.content).toMatchObject([{ type: 'text', text: MASKED }]);
    const streamed = client().messages.stream(ask);
    expect(await streamed.finalText()).toBe(MASKED);
    expect((await streamed.finalMessage()).usage.output_tokens).toBeGreaterThan(0);
  });

  test('counts tokens', async () => {
    const { model, messages } = ask;
    expect((await client().messages.countTokens({ model, messages })).input_tokens).toBeGreaterThan(0);
  });

  test('thinks and calls a tool in a stream: the arguments are masked and complete', async () => {
    upstream.will(
      stream([
        named('message_start', { message: message([], 'end_turn') }),
        named('content_block_start', {
          index: 0,
          content_block: { type: 'thinking', thinking: '', signature: '' },
        }),
        named('content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: 'to ann@exa' } }),
        named('content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: 'mple.org?' } }),
        named('content_block_delta', {
          index: 0,
          delta: { type: 'signature_delta', signature: 'A'.repeat(80) },
        }),
        named('content_block_stop', { index: 0 }),
        named('content_block_start', {
          index: 1,
          content_block: { type: 'tool_use', id: 'toolu_1', name: 'send', input: {} },
        }),
        named('ping', {}),
        named('content_block_delta', {
          index: 1,
          delta: { type: 'input_json_delta', partial_json: '{"to": "ann@' },
        }),
        named('content_block_delta', {
          index: 1,
          delta: { type: 'input_json_delta', partial_json: 'example.org"}' },
        }),
        named('content_block_stop', { index: 1 }),
        named('message_delta', {
          delta: { stop_reason: 'tool_use', stop_sequence: null },
          usage: { output_tokens: 9 },
        }),
        named('message_stop', {}),
      ]),
    );
    const answer = await client()
      .messages.stream({ ...ask, model: 'claude' })
      .finalMessage();
    expect(answer.content).toMatchObject([
      { type: 'thinking', thinking: 'to [EMAIL_REDACTED]?', signature: 'A'.repeat(80) },
      { type: 'tool_use', id: 'toolu_1', name: 'send', input: { to: '[EMAIL_REDACTED]' } },
    ]);
    expect(answer).toMatchObject({ stop_reason: 'tool_use', usage: { output_tokens: 9 } });
    expect(upstream.lastCall.headers).toMatchObject({
      'x-api-key': 'sk-ant-upstream',
      'anthropic-version': expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/u),
    });
    expect(upstream.lastCall.raw).not.toContain('ann@example.org');
  });

  test('a block is its BadRequestError and not tried again, whole and as a stream', async () => {
    const { fetch, calls } = counting();
    const strict = new Anthropic({ apiKey: ADMIN_KEY, baseURL: gateway.url, maxRetries: 3, fetch });
    const blocked = { ...ask, messages: [{ role: 'user' as const, content: FORBIDDEN }] };
    const error = await strict.messages.create(blocked).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(AnthropicBadRequest);
    expect((error as AnthropicBadRequest).error).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', portcullis_type: 'guardrail_violation' },
    });
    await expect(strict.messages.stream(blocked).finalText()).rejects.toBeInstanceOf(AnthropicBadRequest);
    expect(calls()).toBe(2);
  });

  test('a block in the middle of a stream is an error, not a short answer', async () => {
    const delta = (text: string): string =>
      named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
    upstream.will(
      stream([
        named('message_start', { message: message([], 'end_turn') }),
        named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
        delta('a long beginning that can leave. '.repeat(20)),
        delta('the forbidden'),
        delta(' phrase and more'),
        named('content_block_stop', { index: 0 }),
        named('message_stop', {}),
      ]),
    );
    const streamed = client().messages.stream({ ...ask, model: 'claude' });
    let text = '';
    streamed.on('text', (piece) => (text += piece));
    await expect(streamed.finalText()).rejects.toThrow('forbidden phrase');
    expect(text).toContain('a long beginning');
    expect(text).not.toContain('forbidden phrase');
  });
});

describe('openai', () => {
  const client = (): OpenAI => new OpenAI({ apiKey: ADMIN_KEY, baseURL });

  test('responses, whole and streamed', async () => {
    const whole = await client().responses.create({ model: 'mock', input: MAIL });
    expect(whole.output_text).toBe(MASKED);
    const streamed = client().responses.stream({ model: 'mock', input: MAIL });
    let text = '';
    streamed.on('response.output_text.delta', ({ delta }) => (text += delta));
    const last = await streamed.finalResponse();
    expect([text, last.output_text, last.status]).toEqual([MASKED, MASKED, 'completed']);
  });

  test('embeddings, moderations, completions, images, speech and transcriptions', async () => {
    const openai = client();
    const vectors = await openai.embeddings.create({ model: 'mock', input: ['a', 'b'] });
    expect(vectors.data.map(({ embedding }) => embedding.length)).toEqual([8, 8]);
    expect((await openai.moderations.create({ model: 'mock', input: 'x' })).results[0]?.flagged).toBe(false);
    const completion = await openai.completions.create({ model: 'mock', prompt: MAIL });
    expect(completion.choices[0]?.text).toBe(MASKED);
    const images = await openai.images.generate({ model: 'mock', prompt: MAIL });
    expect(images.data?.[0]?.revised_prompt).toBe('A picture of: write to [EMAIL_REDACTED] please');
    const speech = await openai.audio.speech.create({ model: 'mock', input: 'x', voice: 'alloy' });
    expect(Buffer.from(await speech.arrayBuffer()).toString('latin1', 0, 4)).toBe('RIFF');
    const heard = await openai.audio.transcriptions.create({
      model: 'mock',
      file: new File(['x'], 'a.wav'),
      prompt: MAIL,
    });
    expect(heard.text).toBe('Heard: write to [EMAIL_REDACTED] please');
  });

  test('a blocked response is its BadRequestError and not tried again', async () => {
    const { fetch, calls } = counting();
    const strict = new OpenAI({ apiKey: ADMIN_KEY, baseURL, maxRetries: 3, fetch });
    for (const call of [
      () => strict.responses.create({ model: 'mock', input: FORBIDDEN }),
      () => strict.embeddings.create({ model: 'mock', input: FORBIDDEN }),
      () => strict.responses.create({ model: 'mock', input: FORBIDDEN, stream: true }),
    ]) {
      await expect(call()).rejects.toBeInstanceOf(OpenAIBadRequest);
    }
    expect(calls()).toBe(3);
  });
});

describe('the Vercel AI SDK', () => {
  const openai = () => createOpenAI({ apiKey: ADMIN_KEY, baseURL });
  const anthropic = () => createAnthropic({ apiKey: ADMIN_KEY, baseURL });
  const models = {
    'responses of @ai-sdk/openai': () => openai().responses('mock'),
    'chat of @ai-sdk/openai': () => openai().chat('mock'),
    '@ai-sdk/anthropic': () => anthropic()('mock'),
  };

  test.each(Object.entries(models))('%s: whole and streamed', async (_name, model) => {
    expect((await generateText({ model: model(), prompt: MAIL })).text).toBe(MASKED);
    let text = '';
    for await (const piece of streamText({ model: model(), prompt: MAIL }).textStream) text += piece;
    expect(text).toBe(MASKED);
  });

  test.each(Object.entries(models))(
    '%s: a block is its APICallError with 400, not retryable',
    async (_name, model) => {
      const error = await generateText({ model: model(), prompt: FORBIDDEN, maxRetries: 2 }).catch(
        (error: unknown) => error,
      );
      expect(APICallError.isInstance(error)).toBe(true);
      expect(error).toMatchObject({ statusCode: 400, isRetryable: false });
    },
  );

  test('calls a tool through a stream of responses, with masked arguments', async () => {
    const event = (type: string, rest: object): string => named(`response.${type}`, rest);
    const item = {
      id: 'fc_1',
      type: 'function_call',
      call_id: 'call_1',
      name: 'send',
      arguments: '',
      status: 'in_progress',
    };
    const args = '{"to":"ann@example.org"}';
    const done = { ...item, arguments: args, status: 'completed' };
    const response = {
      id: 'resp_1',
      object: 'response',
      created_at: 1,
      model: 'gpt-up',
      status: 'completed',
      output: [done],
      usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
    };
    upstream.will(
      stream([
        event('created', { response: { ...response, status: 'in_progress', output: [] } }),
        event('output_item.added', { output_index: 0, item }),
        ...['{"to":"ann@', 'example', '.org"}'].map((delta) =>
          event('function_call_arguments.delta', { item_id: 'fc_1', output_index: 0, delta }),
        ),
        event('function_call_arguments.done', { item_id: 'fc_1', output_index: 0, arguments: args }),
        event('output_item.done', { output_index: 0, item: done }),
        event('completed', { response }),
      ]),
    );
    const result = streamText({
      model: openai().responses('gpt'),
      prompt: 'go',
      tools: {
        send: tool({
          inputSchema: jsonSchema<{ to: string }>({
            type: 'object',
            properties: { to: { type: 'string' } },
            required: ['to'],
          }),
        }),
      },
    });
    expect(await result.toolCalls).toMatchObject([{ toolName: 'send', input: { to: '[EMAIL_REDACTED]' } }]);
  });

  test('structured output and embeddings', async () => {
    upstream.will(
      json(200, {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model: 'gpt-up',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: '{"mail":"ann@example.org"}' },
            finish_reason: 'stop',
          },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
    const schema = jsonSchema<{ mail: string }>({
      type: 'object',
      properties: { mail: { type: 'string' } },
      required: ['mail'],
      additionalProperties: false,
    });
    const { object } = await generateObject({ model: openai().chat('gpt'), schema, prompt: 'who?' });
    expect(object).toEqual({ mail: '[EMAIL_REDACTED]' });
    const { embedding } = await embed({ model: openai().embedding('mock'), value: 'a' });
    expect(embedding).toHaveLength(8);
  });
});

describe('LangChain.js', () => {
  const chat = (model: string, more: object = {}): ChatOpenAI =>
    new ChatOpenAI({ model, apiKey: ADMIN_KEY, configuration: { baseURL }, maxRetries: 0, ...more });

  test('whole and streamed, on chat completions and on responses', async () => {
    for (const useResponsesApi of [false, true]) {
      const model = chat('mock', { useResponsesApi });
      expect((await model.invoke(MAIL)).text).toBe(MASKED);
      let text = '';
      for await (const piece of await model.stream(MAIL)) text += piece.text;
      expect(text).toBe(MASKED);
    }
  });

  test('tools and structured output', async () => {
    upstream.will(
      json(200, {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model: 'gpt-up',
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: null,
              tool_calls: [
                {
                  id: 'call_1',
                  type: 'function',
                  function: { name: 'send', arguments: '{"to":"ann@example.org"}' },
                },
              ],
            },
            finish_reason: 'tool_calls',
          },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
    const parameters = { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] };
    const withTools = chat('gpt').bindTools([{ type: 'function', function: { name: 'send', parameters } }]);
    expect((await withTools.invoke('go')).tool_calls).toMatchObject([
      { name: 'send', args: { to: '[EMAIL_REDACTED]' } },
    ]);
  });

  test('embeddings, and a block that is not tried again', async () => {
    const embeddings = new OpenAIEmbeddings({ model: 'mock', apiKey: ADMIN_KEY, configuration: { baseURL } });
    expect(await embeddings.embedQuery('a')).toHaveLength(8);
    const { fetch, calls } = counting();
    const strict = chat('mock', { maxRetries: 3, configuration: { baseURL, fetch } });
    await expect(strict.invoke(FORBIDDEN)).rejects.toMatchObject({ status: 400 });
    expect(calls()).toBe(1);
  });
});
