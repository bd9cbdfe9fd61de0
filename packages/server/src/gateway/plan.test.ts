import { allowsModel, type PlannedRun } from '@portcullis/policy';
import { expect, test } from 'vitest';
import { expectedRecords } from './plan.ts';

test.each<[readonly string[] | null, string, string | null, boolean]>([
  [null, 'a', 'a', true],
  [[], 'a', 'a', false],
  [['a'], 'a', 'a', true],
  [['group'], 'alias', 'group', true],
  [['openai/*'], 'openai/x', 'openai/*', true],
  [['openai/x'], 'openai/y', 'openai/*', false],
  [['a*'], 'b', 'a1', false],
])('the list %j allows %s (group %s): %s', (list, requested, group, expected) => {
  expect(allowsModel(list, requested, group)).toBe(expected);
});

test('a hook owes one record for each enforced guardrail and one for each step of a pipeline', () => {
  const base = { trusted: true, priority: 0, demanded_by: [] };
  const runs = [
    { kind: 'guardrail', name: 'a', enforcement: 'enforce', params: null, ...base },
    { kind: 'guardrail', name: 'b', enforcement: 'monitor', params: null, ...base },
    { kind: 'pipeline', name: 'p', enforcement: 'enforce', steps: [{}, {}], ...base },
  ] as unknown as PlannedRun[];
  expect(expectedRecords(runs)).toBe(3);
});
