import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventsOf, Gateway } from './support/gateway.ts';
import { completion, json, LocalUpstream, stream, textStream } from './support/upstream.ts';

let provider: LocalUpstream;
let judge: LocalUpstream;
let gateway: Gateway;
/** What the judge gives the criterion `polite`. */
let score = 100;

beforeAll(async () => {
  provider = await LocalUpstream.start();
  judge = await LocalUpstream.start();
  gateway = await Gateway.start(`
model_list:
  - model_name: gpt
    litellm_params: { model: openai/up, api_base: "${provider.url}", api_key: sk-up }
  - model_name: small-judge
    litellm_params:
      { model: openai/judge-1, api_base: "${judge.url}", api_key: sk-judge, input_cost_per_token: 0.01, output_cost_per_token: 0.01 }
guardrails:
  - guardrail_name: manners
    litellm_params:
      guardrail: llm_as_a_judge
      mode: [pre_call, post_call]
      default_on: true
      judge_model: small-judge
      criteria: [{ name: polite, description: "Nobody is insulted." }]
  - guardrail_name: lost-judge
    litellm_params:
      guardrail: llm_as_a_judge
      mode: pre_call
      judge_model: no-such-model
      criteria: [{ name: polite, description: "Nobody is insulted." }]
`);
});

afterAll(async () => {
  await gateway?.stop();
  await provider?.close();
  await judge?.close();
});

beforeEach(() => {
  score = 100;
  provider.will(json(200, completion({ content: 'the answer', refusal: null })));
  judge.will((response, call) => {
    const tool = { name: 'give_verdict', arguments: JSON.stringify({ polite: { score } }) };
    const message = { content: null, tool_calls: [{ id: 'c1', type: 'function', function: tool }] };
    json(200, completion(message))(response, call);
  });
});

describe('a model of the gateway as a judge', () => {
  test('is asked once for each hook, and no guardrail runs on the question, its own included', async () => {
    const answered = await gateway.chat({});
    expect(answered.status).toBe(200);
    expect(judge.calls).toHaveLength(2);
    expect(judge.calls[0]?.path).toBe('/v1/chat/completions');
    expect(judge.calls[0]?.headers.authorization).toBe('Bearer sk-judge');
    expect(judge.calls[0]?.body).toMatchObject({
      model: 'judge-1',
      temperature: 0,
      tool_choice: { type: 'function', function: { name: 'give_verdict' } },
    });
    const { guardrails } = (await gateway.record(answered)) as unknown as {
      guardrails: readonly { guardrail_response: unknown }[];
    };
    expect(guardrails.map(({ guardrail_response: given }) => given)).toEqual([
      expect.objectContaining({ judge_model: 'small-judge', cost: 0.08 }),
      expect.objectContaining({ judge_model: 'small-judge', cost: 0.08 }),
    ]);
  });

  test('costs the one whose request it was', async () => {
    const key = (await (await gateway.post('/key/generate', {})).json()) as { key: string; token: string };
    await (await gateway.chat({}, { authorization: `Bearer ${key.key}` })).arrayBuffer();
    const spend = async (): Promise<unknown> => {
      const { info } = (await (await gateway.get(`/key/info?key=${key.token}`)).json()) as {
        info: { spend: unknown };
      };
      return info.spend;
    };
    await expect.poll(spend).toBe(0.16);
  });

  test('blocks before the model is called, and holds a stream until it has judged the whole', async () => {
    score = 10;
    const blocked = await gateway.chat({});
    expect(blocked.status).toBe(400);
    expect(await blocked.text()).toContain('Violated guardrail policy');
    expect(provider.calls).toHaveLength(0);

    score = 100;
    provider.will((response, call) => {
      score = 10;
      stream(textStream('you ', 'fool'))(response, call);
    });
    const streamed = await gateway.chat({ stream: true });
    expect(streamed.status).toBe(400);
    expect((await eventsOf(streamed)).join('')).not.toContain('fool');
  });

  test('that is not there, or does not answer, blocks (E1)', async () => {
    const lost = await gateway.chat({ guardrails: ['lost-judge'] });
    expect(lost.status).toBe(400);
    expect(await lost.text()).toContain('guardrail_error');
    judge.will(json(500, { error: { message: 'broken' } }));
    const broken = await gateway.chat({});
    expect(broken.status).toBe(400);
    expect(provider.calls).toHaveLength(0);
  });

  test('is found among the kinds that forms offer', async () => {
    const kinds = (await (await gateway.get('/guardrails/ui/provider_specific_params')).json()) as Record<
      string,
      unknown
    >;
    for (const kind of [
      'presidio',
      'bedrock',
      'openai_moderation',
      'lakera_v2',
      'azure/prompt_shield',
      'azure/text_moderations',
      'model_armor',
      'llm_as_a_judge',
      'topical_judge',
    ]) {
      expect(kinds[kind]).toMatchObject({ mode: { required: true } });
    }
  });
});
