// Nothing that protects is behind a licence, neither when it is set up nor on the way of a request.
import { createClient } from '@portcullis/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';

const CONFIG = `
model_list:
  - model_name: gpt
    litellm_params: { model: mock/mock-1 }
guardrails:
  - guardrail_name: words
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      blocked_words: [{ keyword: forbidden, action: BLOCK }]
  - guardrail_name: tagged
    litellm_params:
      guardrail: litellm_content_filter
      mode: { tags: { strict: pre_call }, default: logging_only }
      blocked_words: [{ keyword: secretive, action: BLOCK }]
policies:
  base: { guardrails: { add: [words] } }
  by-tag: { guardrails: { add: [tagged] } }
`;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await Gateway.start(CONFIG);
});
afterAll(() => gateway?.stop());

const call = () => createClient({ baseUrl: gateway.url, key: ADMIN_KEY });

async function say(content: string, key: string): Promise<number> {
  const answer = await gateway.chat(
    { messages: [{ role: 'user', content }] },
    { authorization: `Bearer ${key}` },
  );
  await answer.arrayBuffer();
  return answer.status;
}

test('attachments to teams and keys, modes by tag, and guardrails on a key need no licence to be set up (D-86)', async () => {
  const { body: team } = await call()('POST /team/new', { body: { team_alias: 'finance' } });
  const ofTeam = { body: { team_id: team.team_id, key_alias: 'finance-key' } };
  const { body: key } = await call()('POST /key/generate', ofTeam);
  await call()('POST /policies/attachments', { body: { policy_name: 'base', teams: ['finance'] } });
  await call()('POST /policies/attachments', { body: { policy_name: 'by-tag', keys: [key.token] } });
  expect(await say('this is forbidden', key.key)).toBe(400);
  expect(await say('this is fine', key.key)).toBe(200);

  const { body: strict } = await call()('POST /key/generate', {
    body: { guardrails: ['tagged'], tags: ['strict'] },
  });
  expect(await say('this is secretive', strict.key)).toBe(400);
});

test('a guarded request is treated like an unguarded one in everything but its guardrails: no licence is asked for (D-67)', async () => {
  const { body: guarded } = await call()('POST /key/generate', { body: { guardrails: ['words'] } });
  const { body: bare } = await call()('POST /key/generate', { body: {} });
  expect([await say('hello', guarded.key), await say('hello', bare.key)]).toEqual([200, 200]);
  // Nothing in the catalogue of errors is about a licence, so no answer can be.
  const description = await (await gateway.get('/openapi.json', null)).text();
  expect(description).not.toMatch(/licen[cs]e_|enterprise|premium/iu);
});
