import { guardrailSchema, policyDefinitionSchema, policyFromDefinition } from '@portcullis/policy';
import { beforeEach, describe, expect, test } from 'vitest';
import { callRoute } from '../../src/control/call.ts';
import { sent as asSent } from './sent.ts';
import type { ControlContext } from '../../src/control/context.ts';
import { trialRoutes } from '../../src/control/trials/routes.ts';
import type { Identity } from '../../src/ports/identity.ts';
import { buildSnapshot } from '../../src/snapshot/build.ts';
import { ActiveSnapshots } from '../../src/snapshot/holder.ts';
import { masterIdentity, principalOf } from '../../src/storage/identity/principal.ts';
import { LateDatabase } from '../../src/storage/late-database.ts';
import { realClock, stillClock } from '../storage/kit.ts';
import { guardrailParts } from './guardrail-plane.ts';

const filter = (name: string, mode: readonly string[], params: object, over: object = {}) =>
  guardrailSchema.parse({
    guardrail_id: `id-${name}`,
    guardrail_name: name,
    litellm_params: { guardrail: 'litellm_content_filter', mode, ...params, ...over },
  });

const MAIL = { patterns: [{ pattern_type: 'prebuilt', pattern_name: 'email', action: 'MASK' }] };
const WORD = { blocked_words: [{ keyword: 'zanzibar', action: 'BLOCK' }] };
const BOTH = ['pre_call', 'post_call'];

const GUARDRAILS = [
  filter('mail', BOTH, MAIL),
  filter('words', BOTH, WORD),
  filter('answers', ['post_call'], WORD),
  filter('everywhere', ['pre_call'], WORD, { default_on: true }),
  guardrailSchema.parse({
    guardrail_id: 'id-service',
    guardrail_name: 'service',
    litellm_params: {
      guardrail: 'generic_guardrail_api',
      mode: BOTH,
      api_base: 'https://guard.example',
      api_key: 'k',
    },
  }),
];

const POLICIES = Object.entries({
  plain: { guardrails: { add: ['mail', 'words'] } },
  child: { inherit: 'plain', guardrails: { remove: ['words'] } },
  big: { guardrails: { add: ['words'] }, condition: { model: 'gpt-5' } },
  piped: {
    guardrails: { add: ['mail', 'words'] },
    pipeline: { mode: 'pre_call', steps: [{ guardrail: 'words', on_fail: 'allow', on_pass: 'next' }] },
  },
}).map(([name, definition]) => policyFromDefinition(name, policyDefinitionSchema.parse(definition)));

/** The routes on real detectors; only what the service answers is made up. */
async function open() {
  const sent: string[] = [];
  let answer = '{"action":"NONE"}';
  let wait = Promise.resolve();
  const snapshots = new ActiveSnapshots();
  const { tools, catalogue, ports, secrets } = guardrailParts({
    snapshots,
    http: {
      async send({ body }) {
        sent.push(body ?? '');
        await wait;
        return { status: 200, headers: {}, body: answer };
      },
    },
  });
  const built = await buildSnapshot(
    {
      digest: 'digest',
      policies: POLICIES,
      attachments: [],
      guardrails: GUARDRAILS,
      modelGroups: [{ model_name: 'gpt-5', deployments: [{ model: 'openai/gpt-5', guardrails: [] }] }],
      modelAliases: {},
      deployedGroups: [],
      settings: {
        keyHeaderName: null,
        useForwardedFor: false,
        addUserAgentTags: false,
        maxRequestBytes: 1_000_000,
        guardrailBudgetMs: 10_000,
        streamBufferCharacters: 1_000_000,
        storePrompts: false,
        unscanned: null,
      },
    },
    7,
    { catalogue, ports, clock: realClock },
  );
  if (!built.ok) throw new Error(JSON.stringify(built.findings));
  snapshots.swap(built.snapshot);
  const clock = stillClock();
  const context = {
    clock,
    // Nobody is stored: names are taken as they are.
    database: new LateDatabase('embedded'),
    principalOf,
    engine: { current: () => snapshots.current()?.policy ?? null },
    guardrails: { tools, secrets },
  } as unknown as ControlContext;
  const routes = new Map(trialRoutes(context).map((route) => [`${route.method} ${route.path}`, route]));
  let calls = 0;
  return {
    clock,
    sent,
    serviceSays: (text: string) => {
      answer = text;
    },
    holdService: () => {
      let release = () => undefined as void;
      wait = new Promise((resolve) => {
        release = resolve;
      });
      return () => release();
    },
    async call(name: string, body: object, identity: Identity = masterIdentity()) {
      const route = routes.get(name);
      if (route === undefined) throw new Error(`no route ${name}`);
      calls += 1;
      const raw = { body, query: {}, params: {}, identity, callId: `c${calls}` };
      return asSent(route, await callRoute(route, raw, clock.now()));
    },
  };
}

let plane: Awaited<ReturnType<typeof open>>;
beforeEach(async () => {
  plane = await open();
});

const user = (content: unknown) => [{ role: 'user', content }];

describe('POST /policies/test-pipeline', () => {
  const pipelineOf = (...guardrails: readonly string[]) => ({
    mode: 'pre_call',
    steps: guardrails.map((guardrail) => ({ guardrail, on_pass: 'next', pass_data: true })),
  });
  const run = (body: object) => plane.call('POST /policies/test-pipeline', body);

  test('answers in the shape of the reference, and says that it was a test (api 4.3, D-77)', async () => {
    const { status, body } = await run({
      pipeline: pipelineOf('mail', 'words'),
      test_messages: user('to a@example.com'),
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      terminal_action: 'allow',
      error_message: null,
      modify_response_message: null,
      test: true,
      call_id: 'test-c1',
      step_results: [
        { guardrail_name: 'mail', outcome: 'pass', action_taken: 'next', modified_data: null },
        { guardrail_name: 'words', outcome: 'pass', action_taken: 'next' },
      ],
    });
    expect(body.modified_data.messages[0].content).not.toContain('a@example.com');
    expect(body.step_results[0].duration_seconds).toEqual(expect.any(Number));
  });

  test('takes multi-part content and shows where it was changed (D-88)', async () => {
    const { status, body } = await run({
      pipeline: pipelineOf('mail'),
      test_messages: user([
        { type: 'text', text: 'hello' },
        { type: 'text', text: 'I am a@example.com' },
      ]),
    });
    expect(status).toBe(200);
    const [, part] = body.modified_data.messages[0].content;
    expect(part.text).toMatch(/^I am /u);
    expect(part.text).not.toContain('a@example.com');
    expect(body.step_results[0].detections[0].place).toBe('/messages/0/content/1/text');
  });

  test('a post_call pipeline judges the answer that is given, and never nothing (D-88)', async () => {
    const pipeline = { ...pipelineOf('words'), mode: 'post_call' };
    const test_messages = user('where?');
    for (const given of [
      { response: 'in zanzibar' },
      { mock_response: 'in zanzibar' },
      { response: { choices: [{ index: 0, message: { role: 'assistant', content: 'in zanzibar' } }] } },
    ]) {
      const { body } = await run({ pipeline, test_messages, ...given });
      expect(body).toMatchObject({ terminal_action: 'block', mode: 'post_call' });
      expect(body.step_results).toMatchObject([{ outcome: 'fail', action_taken: 'block' }]);
      expect(body.modified_data).toBeNull();
    }
    const nothing = await run({ pipeline, test_messages });
    expect(nothing.status).toBe(422);
    expect(JSON.stringify(nothing.body)).toContain('judges an answer');
  });

  test('services are told the context and that it is a test; a dry run does not call them (D-77, D-88)', async () => {
    const body = {
      pipeline: pipelineOf('service'),
      test_messages: user('hi'),
      context: { team_alias: 'health', key_alias: 'k', model: 'gpt-5', tags: ['t'] },
    };
    expect((await run(body)).body.step_results).toMatchObject([{ outcome: 'pass' }]);
    expect(plane.sent).toHaveLength(1);
    expect(plane.sent[0]).toContain('test-c1');
    expect(plane.sent[0]).toContain('health');
    const dry = await run({ ...body, dry_run: true });
    expect(plane.sent).toHaveLength(1);
    expect(dry.body.step_results).toMatchObject([
      { outcome: 'skip', error_detail: 'dry run: the service was not called' },
    ]);
  });

  test('a service that fails is an error of its step and blocks (P1, E1)', async () => {
    plane.serviceSays('no answer at all');
    const { body } = await run({ pipeline: pipelineOf('service'), test_messages: user('hi') });
    expect(body).toMatchObject({ terminal_action: 'block', step_results: [{ outcome: 'error' }] });
  });

  test('what cannot be saved cannot be tested: 400 in the words of the reference (P7, I4)', async () => {
    const unknown = await run({ pipeline: pipelineOf('mial'), test_messages: user('hi') });
    expect(unknown.status).toBe(400);
    expect(unknown.body.detail).toMatch(/^Invalid pipeline: .*mial/u);
    const empty = await run({ pipeline: { mode: 'pre_call', steps: [] }, test_messages: user('hi') });
    expect(empty.status).toBe(400);
    expect(empty.body.detail).toMatch(/^Invalid pipeline: steps: /u);
  });

  test('trials are bounded: 60 a minute for one caller, four at once for all (D-77)', async () => {
    const body = { pipeline: pipelineOf('words'), test_messages: user('hi') };
    for (let index = 0; index < 60; index += 1) expect((await run(body)).status).toBe(200);
    const refused = await run(body);
    expect(refused.status).toBe(429);
    expect(refused.body.error.message).toContain('60 trials a minute');
    plane.clock.advance(60_000);
    expect((await run(body)).status).toBe(200);

    const release = plane.holdService();
    const slow = { pipeline: pipelineOf('service'), test_messages: user('hi') };
    const running = Array.from({ length: 4 }, () => run(slow));
    expect((await run(slow)).status).toBe(429);
    release();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });
});

describe('POST /utils/test_policies_and_guardrails', () => {
  const run = (body: object) => plane.call('POST /utils/test_policies_and_guardrails', body);
  const texts = (...list: readonly string[]) => ({ texts: list });

  test('runs each input alone through the named guardrails and gives it back as they leave it (api 5.29)', async () => {
    const { status, body } = await run({
      guardrail_names: ['words', 'mail'],
      inputs_list: [texts('go to zanzibar'), texts('I am a@example.com', 'fine')],
    });
    expect(status).toBe(200);
    expect(body.test).toBe(true);
    const [blocked, masked] = body.results;
    expect(blocked.guardrail_errors).toMatchObject([{ guardrail_name: 'words', reason: 'blocked' }]);
    expect(blocked.inputs.texts).toEqual(['go to zanzibar']);
    expect(masked.guardrail_errors).toEqual([]);
    expect(masked.inputs.texts[0]).not.toContain('a@example.com');
    expect(masked.inputs.texts[1]).toBe('fine');
  });

  test('an unknown policy or guardrail is a failure of every input, never skipped (D-66)', async () => {
    const { body } = await run({
      policy_names: ['plian'],
      guardrail_names: ['mial', 'words'],
      inputs_list: [texts('hi'), texts('there')],
    });
    for (const { guardrail_errors } of body.results) {
      expect(guardrail_errors).toMatchObject([
        { guardrail_name: 'mial', reason: 'unknown' },
        { guardrail_name: 'plian', policy_name: 'plian', reason: 'unknown' },
      ]);
    }
  });

  test('inheritance and conditions are honoured, and what did not apply is named (D-66)', async () => {
    const inherited = await run({ policy_names: ['child'], inputs_list: [texts('zanzibar')] });
    expect(inherited.body.results[0].guardrail_errors).toEqual([]);
    const without = await run({ policy_names: ['big'], inputs_list: [texts('zanzibar')] });
    expect(without.body.results[0].guardrail_errors).toEqual([]);
    expect(without.body.not_applied).toMatchObject([{ policy_name: 'big' }]);
    const request_data = { model: 'gpt-5' };
    const applied = await run({ policy_names: ['big'], inputs_list: [texts('zanzibar')], request_data });
    expect(applied.body.results[0].guardrail_errors).toMatchObject([
      { policy_name: 'big', reason: 'blocked' },
    ]);
    expect(applied.body.not_applied).toEqual([]);
  });

  test("a policy's pipeline decides as it would for a request (D-66, P4)", async () => {
    const lenient = await run({ policy_names: ['piped'], inputs_list: [texts('zanzibar, a@example.com')] });
    const [result] = lenient.body.results;
    expect(result.guardrail_errors).toEqual([]);
    expect(result.inputs.texts[0]).not.toContain('a@example.com');
  });

  test('what runs on the other side only has not been tested, and that is a failure (D-66)', async () => {
    const asked = { guardrail_names: ['answers'], inputs_list: [texts('zanzibar')] };
    const request = await run(asked);
    expect(request.body.results[0].guardrail_errors).toMatchObject([
      { guardrail_name: 'answers', reason: 'not_run' },
    ]);
    const response = await run({ ...asked, input_type: 'response' });
    expect(response.body.results[0].guardrail_errors).toMatchObject([{ reason: 'blocked' }]);
  });

  test('a guardrail without a verdict is a failure (D-66, E1)', async () => {
    plane.serviceSays('no answer at all');
    const { body } = await run({ guardrail_names: ['service'], inputs_list: [texts('hi')] });
    expect(body.results[0].guardrail_errors).toMatchObject([{ guardrail_name: 'service', reason: 'error' }]);
  });

  test('an agent is refused, not ignored (D-66)', async () => {
    const { status, body } = await run({ inputs_list: [texts('hi')], agent_id: 'a' });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain('agents are not called here');
  });
});
