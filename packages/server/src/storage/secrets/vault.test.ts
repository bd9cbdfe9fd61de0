import { catalogue, secretPaths } from '@portcullis/guardrails';
import { type Guardrail, guardrailSchema } from '@portcullis/policy';
import { describe, expect, test } from 'vitest';
import { SecretProblem } from '../../ports/guardrail-secrets.ts';
import { keyringOf } from './keyring.ts';
import { guardrailSecrets } from './vault.ts';

const KEY = 'wh-live-4242424242';

function guardrail(over: Record<string, unknown> = {}, id = 'g-1'): Guardrail {
  return guardrailSchema.parse({
    guardrail_id: id,
    guardrail_name: 'webhook',
    definition_location: 'db',
    litellm_params: {
      guardrail: 'generic_guardrail_api',
      mode: 'pre_call',
      api_base: 'https://guard.example',
      api_key: KEY,
      headers: { 'x-tenant': 'tenant-7' },
      additional_provider_specific_params: { pin: { token: 7_712_345_678 }, region: 'eu' },
      ...over,
    },
  });
}

const vault = (...keys: string[]) =>
  guardrailSecrets({
    keyring: keyringOf(keys),
    secretPaths: (params) => secretPaths(params, catalogue),
  });

describe('secrets of guardrails', () => {
  test('come back as they were, numbers as numbers, and nothing else is touched', () => {
    const box = vault('salt');
    const sealed = box.seal(guardrail());
    expect(box.open(sealed)).toEqual(guardrail());
    expect(sealed.litellm_params).toMatchObject({
      mode: ['pre_call'],
      api_base: 'https://guard.example',
      additional_provider_specific_params: { region: 'eu' },
    });
  });

  test('are in no byte of what is kept', () => {
    const kept = JSON.stringify(vault('salt').seal(guardrail()));
    expect(kept).not.toContain(KEY);
    expect(kept).not.toContain('tenant-7');
    expect(kept).not.toContain('7712345678');
    expect(kept).toMatch(/"api_key":"v1:[0-9a-f]{8}:[\w-]{16}:[\w-]+"/u);
  });

  test('are sealed with a nonce of their own each time', () => {
    const box = vault('salt');
    expect(box.seal(guardrail()).litellm_params['api_key']).not.toBe(
      box.seal(guardrail()).litellm_params['api_key'],
    );
  });

  test('sealed with an older key stay readable, and are written anew with the first', () => {
    const old = vault('old').seal(guardrail());
    const box = vault('new', 'old');
    expect(box.open(old)).toEqual(guardrail());
    const anew = box.seal(box.open(old));
    expect(vault('new').open(anew)).toEqual(guardrail());
  });

  test('cannot be opened without their key, and the error says which is missing and what to do', () => {
    const sealed = vault('old').seal(guardrail());
    const open = () => vault('new').open(sealed);
    expect(open).toThrow(SecretProblem);
    expect(open).toThrow(
      /api_key of guardrail "webhook" \(g-1\) .* [0-9a-f]{8}, .*PORTCULLIS_OLD_SALT_KEYS/u,
    );
    expect(open).not.toThrow(new RegExp(KEY, 'u'));
  });

  test('moved to another guardrail or another field do not open there', () => {
    const box = vault('salt');
    const sealed = box.seal(guardrail());
    expect(() => box.open({ ...sealed, guardrail_id: 'g-2' })).toThrow(SecretProblem);
    const { litellm_params: params } = sealed;
    const swapped = { ...sealed, litellm_params: { ...params, headers: { 'x-tenant': params['api_key'] } } };
    expect(() => box.open(swapped)).toThrow(/headers\.x-tenant .* changed outside/u);
  });

  test('changed by one bit do not open', () => {
    const box = vault('salt');
    const sealed = box.seal(guardrail());
    const text = String(sealed.litellm_params['api_key']);
    const last = text.at(-4) === 'A' ? 'B' : 'A';
    const changed = `${text.slice(0, -4)}${last}${text.slice(-3)}`;
    const bad = { ...sealed, litellm_params: { ...sealed.litellm_params, api_key: changed } };
    expect(() => box.open(bad)).toThrow(SecretProblem);
  });

  test('a text that only looks sealed is kept as the text it is', () => {
    const box = vault('salt');
    const text = `v1:01234567:${'n'.repeat(16)}:${'c'.repeat(40)}`;
    const odd = guardrail({ additional_provider_specific_params: { note: text } });
    expect(box.open(box.seal(odd))).toEqual(odd);
  });
});
