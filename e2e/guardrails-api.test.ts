import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';

const SECRET = 'wh-live-5550001234567';
const CONFIG_SECRET = 'cfg-live-888999000';

const CONFIG = `
guardrails:
  - guardrail_name: filter
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      patterns: [{ pattern_type: prebuilt, pattern_name: email, action: MASK }]
      blocked_words: [{ keyword: zanzibar, action: BLOCK }]
  - guardrail_name: asked
    litellm_params:
      guardrail: generic_guardrail_api
      mode: pre_call
      api_base: https://guard.example
      api_key: ${CONFIG_SECRET}
`;

let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.start(CONFIG);
}, 60_000);
afterAll(() => gateway.stop());

async function call(method: string, path: string, body?: unknown, key = ADMIN_KEY) {
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

const WEBHOOK = {
  guardrail_name: 'ours',
  litellm_params: {
    guardrail: 'generic_guardrail_api',
    mode: 'pre_call',
    api_base: 'https://guard.example',
    api_key: SECRET,
  },
};

describe('guardrails through the running gateway', () => {
  test('apply_guardrail scans with the guardrail in force, under both paths', async () => {
    for (const path of ['/guardrails/apply_guardrail', '/apply_guardrail']) {
      const masked = await call('POST', path, { guardrail_name: 'filter', text: 'to jane@example.com' });
      expect(masked.body).toMatchObject({ response_text: 'to [EMAIL_REDACTED]', action: 'mask' });
      const blocked = await call('POST', path, { guardrail_name: 'filter', text: 'zanzibar' });
      expect(blocked.status).toBe(400);
      expect(blocked.headers.get('x-should-retry')).toBe('false');
      expect(blocked.body.error).toMatchObject({
        type: 'guardrail_violation',
        provider_specific_fields: { guardrail_name: 'filter', keyword: 'zanzibar' },
      });
    }
  });

  test('fixed paths win over ids, and a trailing part of the path is told apart', async () => {
    const list = await call('GET', '/guardrails/list');
    expect(list.body.guardrails).toHaveLength(2);
    const info = await call('GET', '/guardrails/filter/info');
    expect(info.body).toMatchObject({ guardrail_id: 'filter', guardrail_definition_location: 'config' });
    const settings = await call('GET', '/guardrails/ui/add_guardrail_settings');
    expect(settings.body.supported_modes).toContain('post_call');
  });

  test('a secret is in no answer and no log line, from the first write to the last', async () => {
    const answers = [];
    const made = await call('POST', '/guardrails', { guardrail: WEBHOOK });
    expect(made.status).toBe(200);
    expect(Number(made.headers.get('x-portcullis-revision'))).toBeGreaterThan(0);
    const path = `/guardrails/${made.body.guardrail_id}`;
    answers.push(made);
    answers.push(await call('PUT', path, { guardrail: made.body }));
    answers.push(await call('PATCH', path, { litellm_params: { api_base: SECRET } }));
    answers.push(await call('POST', '/guardrails', { guardrail: WEBHOOK }));
    answers.push(await call('GET', '/v2/guardrails/list'));
    answers.push(await call('GET', path));
    answers.push(await call('DELETE', path));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 422, 409, 200, 200, 200]);
    const told = answers.map(({ text }) => text).join('') + gateway.log();
    expect(told).toContain('wh-l****');
    expect(told).not.toContain(SECRET);
    expect(told).not.toContain(CONFIG_SECRET);
  });

  test('a key of a user judges texts and changes nothing', async () => {
    const { body } = await call('POST', '/key/generate', {});
    const key = body.key as string;
    const applied = await call('POST', '/apply_guardrail', { guardrail_name: 'filter', text: 'hi' }, key);
    expect(applied.status).toBe(200);
    expect((await call('POST', '/guardrails', { guardrail: WEBHOOK }, key)).status).toBe(403);
    expect((await call('DELETE', '/guardrails/filter', undefined, key)).status).toBe(403);
  });
});
