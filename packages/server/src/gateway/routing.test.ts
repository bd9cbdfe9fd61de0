import { describe, expect, test } from 'vitest';
import type { DeployedGroup, Deployment } from '../ports/models.ts';
import { chooseDeployment, upstreamModelName } from './routing.ts';

const deployment = (more: Partial<Deployment>): Deployment => ({
  id: 'd',
  model: 'openai/m',
  provider: 'openai',
  upstreamModel: 'm',
  apiBase: 'http://x/v1',
  apiKey: null,
  headers: {},
  timeoutMs: 1_000,
  streamTimeoutMs: 1_000,
  weight: 1,
  mockResponse: null,
  defaults: {},
  ...more,
});

describe('a deployment', () => {
  const group: DeployedGroup = {
    name: 'g',
    deployments: [deployment({ id: 'a', weight: 1 }), deployment({ id: 'b', weight: 3 })],
  };

  test.each([
    [0, 'a'],
    [0.24, 'a'],
    [0.26, 'b'],
    [0.999_999, 'b'],
  ])('is chosen by weight: %d is %s', (random, id) => {
    expect(chooseDeployment(group, random).id).toBe(id);
  });
});

describe('the name at the provider', () => {
  const wild = deployment({ model: 'openai/*', upstreamModel: '*' });
  const group: DeployedGroup = { name: 'wild/*', deployments: [wild] };
  const names = (requested: string, part: string) => ({
    requested,
    group: 'wild/*',
    deployments: [`openai/${part}`],
  });

  test('is what the wildcard stood for', () => {
    expect(upstreamModelName(wild, group, names('wild/gpt-x', 'gpt-x'))).toBe('gpt-x');
  });

  test('is what the wildcard stood for behind an alias', () => {
    expect(upstreamModelName(wild, group, names('fast', 'gpt-x'))).toBe('gpt-x');
  });

  test('is not expanded like a replacement pattern', () => {
    expect(upstreamModelName(wild, group, names('wild/$&$1', '$&$1'))).toBe('$&$1');
  });

  test('without a wildcard is the configured one', () => {
    expect(upstreamModelName(deployment({}), { name: 'g', deployments: [] }, names('g', 'm'))).toBe('m');
  });
});
