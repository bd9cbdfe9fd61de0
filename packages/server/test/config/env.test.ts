import { expect, test } from 'vitest';
import { EnvironmentProblem, readEnvironment } from '../../src/config/env.ts';

test('an empty variable counts as not set', () => {
  const environment = readEnvironment({ DATABASE_URL: '', HOST: undefined });
  expect(environment).toMatchObject({ databaseUrl: null, host: null, variables: {} });
});

test('PORT, HOST and the data folder are read', () => {
  expect(readEnvironment({ PORT: '8080', HOST: '0.0.0.0', PORTCULLIS_DATA_DIR: '/data' })).toMatchObject({
    port: 8080,
    host: '0.0.0.0',
    dataDir: '/data',
  });
});

test.each(['x', '-1', '65536', '1.5'])('PORT=%s is refused by name', (PORT) => {
  expect(() => readEnvironment({ PORT })).toThrow(EnvironmentProblem);
  expect(() => readEnvironment({ PORT })).toThrow(/^PORT /u);
});

test('the log level of the reference is understood', () => {
  expect(readEnvironment({ LITELLM_LOG: 'WARNING' }).logLevel).toBe('warn');
  expect(readEnvironment({ LITELLM_LOG: 'DEBUG', PORTCULLIS_LOG_LEVEL: 'error' }).logLevel).toBe('error');
  expect(() => readEnvironment({ PORTCULLIS_LOG_LEVEL: 'loud' })).toThrow(/PORTCULLIS_LOG_LEVEL/u);
});

test('salt keys are read in the order in which they write, old ones apart', () => {
  const environment = readEnvironment({
    LITELLM_SALT_KEY: 'sk-salt',
    PORTCULLIS_SALT_KEY: 'newest',
    PORTCULLIS_OLD_SALT_KEYS: 'older, oldest,',
  });
  expect(environment.saltKeys).toEqual(['newest', 'sk-salt']);
  expect(environment.oldSaltKeys).toEqual(['older', 'oldest']);
});

test('the gateway of commands and its key are read, also by the names of the reference', () => {
  expect(readEnvironment({ LITELLM_PROXY_URL: 'http://a', LITELLM_PROXY_API_KEY: 'sk-a' })).toMatchObject({
    gatewayUrl: 'http://a',
    gatewayKey: 'sk-a',
  });
  expect(readEnvironment({ LITELLM_PROXY_URL: 'http://a', PORTCULLIS_URL: 'http://b' }).gatewayUrl).toBe(
    'http://b',
  );
});
