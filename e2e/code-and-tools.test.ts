import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventsOf, Gateway } from './support/gateway.ts';
import { chunk, completion, DONE, json, LocalUpstream, stream } from './support/upstream.ts';

let upstream: LocalUpstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await LocalUpstream.start();
  gateway = await Gateway.start(`
model_list:
  - model_name: gpt
    litellm_params: { model: openai/up, api_base: "${upstream.url}", api_key: sk-up }
guardrails:
  - guardrail_name: tools
    litellm_params:
      guardrail: tool_permission
      mode: [pre_call, post_call]
      default_on: true
      rules:
        - { id: read, tool_name: get_weather, decision: allow, allowed_param_patterns: { city: "[A-Z][a-z]+" } }
  - guardrail_name: code
    litellm_params:
      guardrail: custom_code
      mode: pre_call
      custom_code: |
        function apply_guardrail(inputs) {
          if (inputs.texts.some((text) => text.includes("project x"))) return block("not of project x");
          return modify(inputs.texts.map((text) => regex_replace(text, "[0-9]{6}", "[NUMBER]")));
        }
`);
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

const call = (name: string, args: string) => ({
  id: 'c1',
  type: 'function',
  function: { name, arguments: args },
});
const offer = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } });

beforeEach(() => upstream.will(json(200, completion({ content: 'ok', refusal: null }))));

test('a tool that no rule allows is not offered to the model', async () => {
  expect((await gateway.chat({ tools: [offer('get_weather')] })).status).toBe(200);
  upstream.calls.length = 0;
  const blocked = await gateway.chat({ tools: [offer('get_weather'), offer('delete_file')] });
  expect(blocked.status).toBe(400);
  expect(await blocked.text()).toContain("Tool 'delete_file' denied by default action");
  expect(upstream.calls).toHaveLength(0);
});

test('a call of a tool passes by name and arguments, whole and streamed', async () => {
  const answered = async (name: string, args: string): Promise<number> => {
    upstream.will(json(200, completion({ content: null, tool_calls: [call(name, args)] })));
    const { status } = await gateway.chat({});
    upstream.will(
      stream([
        chunk({ role: 'assistant', tool_calls: [{ index: 0, ...call(name, args.slice(0, 5)) }] }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: args.slice(5) } }] }),
        chunk({}, 'tool_calls'),
        DONE,
      ]),
    );
    const streamed = await gateway.chat({ stream: true });
    expect(streamed.status).toBe(status);
    const text = (await eventsOf(streamed)).join('');
    expect(text.includes('tool_calls')).toBe(status === 200);
    return status;
  };
  expect(await answered('get_weather', '{"city":"Rome"}')).toBe(200);
  expect(await answered('get_weather', '{"city":"../etc"}')).toBe(400);
  expect(await answered('delete_file', '{"city":"Rome"}')).toBe(400);
});

test('code of the configuration blocks and rewrites what is sent', async () => {
  const ask = (content: string) =>
    gateway.chat({ guardrails: ['code'], messages: [{ role: 'user', content }] });
  expect((await ask('my number is 123456')).status).toBe(200);
  expect(upstream.lastCall.body['messages']).toEqual([{ role: 'user', content: 'my number is [NUMBER]' }]);
  const blocked = await ask('tell me of project x');
  expect(blocked.status).toBe(400);
  expect(await blocked.text()).toContain('not of project x');
});

test('code made through the API is in force at once, and refused when it does not parse', async () => {
  const make = (code: string) =>
    gateway.post('/guardrails', {
      guardrail: {
        guardrail_name: 'made',
        litellm_params: { guardrail: 'custom_code', mode: 'pre_call', custom_code: code },
      },
    });
  const broken = await make('function apply_guardrail( {');
  expect(broken.status).toBe(422);
  expect(await broken.text()).toContain('SyntaxError');
  expect((await make('const apply_guardrail = () => block("never");')).status).toBe(200);
  const blocked = await gateway.chat({ guardrails: ['made'] });
  expect(blocked.status).toBe(400);
  expect(await blocked.text()).toContain('never');
});
