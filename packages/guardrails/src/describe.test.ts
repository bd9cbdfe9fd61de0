import { describe, expect, test } from 'vitest';
import { catalogue } from './catalogue.ts';
import { describeDetector } from './describe.ts';
import { isSecretName, secretPaths } from './secrets.ts';

const byId = (id: string) => {
  const definition = catalogue.find(({ ids }) => ids.includes(id));
  if (definition === undefined) throw new Error(`no detector ${id}`);
  return describeDetector(definition);
};

describe('the description of a detector', () => {
  test('names every setting of its schema, with a text for people', () => {
    for (const id of ['litellm_content_filter', 'generic_guardrail_api']) {
      const { settings } = byId(id);
      expect(Object.keys(settings)).toContain('mode');
      for (const [name, { schema }] of Object.entries(settings)) {
        expect(schema['description'], `${id}.${name}`).toEqual(expect.any(String));
      }
    }
  });

  test('says what is required and what else a setting is when it is left out', () => {
    const { settings } = byId('generic_guardrail_api');
    const required = Object.entries(settings).flatMap(([name, setting]) => (setting.required ? [name] : []));
    expect(required).toEqual(['guardrail', 'mode', 'api_base']);
    expect(settings['opt_out']?.default).toBe(true);
    expect(settings['unreachable_fallback']?.default).toBeNull();
    expect(byId('litellm_content_filter').settings['severity_threshold']?.default).toBe('medium');
  });

  test('marks the secrets that the schema declares', () => {
    const { settings } = byId('generic_guardrail_api');
    const secret = Object.entries(settings).flatMap(([name, { schema }]) =>
      schema['secret'] === true ? [name] : [],
    );
    expect(secret).toEqual(['api_key', 'headers']);
  });
});

describe('secret settings', () => {
  test.each([
    'api_key',
    'apiKey',
    'X-API-Key',
    'Authorization',
    'client_secret',
    'auth_token',
    'password',
    'credentials',
    'privateKey',
    'Cookie',
  ])('the name %s is one of a secret', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  test.each(['keyword', 'keywords', 'max_tokens', 'monkey', 'author', 'guardrail', 'tokenizer', 'key_alias'])(
    'the name %s is none of a secret',
    (name) => {
      expect(isSecretName(name)).toBe(false);
    },
  );

  test('are found by the schema, by their name at any depth, and by a login in an address', () => {
    const params = {
      guardrail: 'generic_guardrail_api',
      api_base: 'https://user:pass@guard.example',
      api_key: 'sk-1',
      headers: { 'x-tenant': 'acme' },
      additional_provider_specific_params: {
        credentials: { pin: 1234, parts: ['a', true, null] },
        project: { token: 't' },
        region: 'eu',
      },
    };
    expect(secretPaths(params, catalogue)).toEqual([
      ['api_base'],
      ['api_key'],
      ['headers', 'x-tenant'],
      ['additional_provider_specific_params', 'credentials', 'pin'],
      ['additional_provider_specific_params', 'credentials', 'parts', 0],
      ['additional_provider_specific_params', 'project', 'token'],
    ]);
  });

  test('of a provider that is not in the catalogue are still found by name', () => {
    expect(secretPaths({ guardrail: 'gone', api_key: 'sk-1', url: 'https://a.example' }, catalogue)).toEqual([
      ['api_key'],
    ]);
  });
});
