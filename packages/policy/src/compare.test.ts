import { expect, it } from 'vitest';
import { policy, snapshotOf } from '../test/builders.ts';
import { comparePolicies, resolvedGuardrails } from './compare.ts';

const base = policy('base', { guardrails_add: ['inj'] });
const first = policy('p', { guardrails_add: ['pii'], description: 'same' });
const second = policy('p', {
  policy_id: 'p2',
  version_number: 2,
  version_status: 'draft',
  inherit: 'base',
  guardrails_add: ['tox'],
  description: 'same',
});
const snapshot = snapshotOf({ policies: [base, first, second] });

it('Q3 names the fields that differ, and no other', () => {
  const { field_diffs } = comparePolicies(snapshot, first, second);
  expect(field_diffs).toEqual({
    inherit: { version_a: null, version_b: 'base' },
    guardrails_add: { version_a: ['pii'], version_b: ['tox'] },
  });
});

it('Q3 gives the difference of the resolved guardrails', () => {
  expect(comparePolicies(snapshot, first, second).resolved_guardrails).toEqual({
    version_a: ['pii'],
    version_b: ['inj', 'tox'],
    only_a: ['pii'],
    only_b: ['inj', 'tox'],
  });
});

it('V8 resolves the version asked for', () => {
  expect([resolvedGuardrails(snapshot, 'p2'), resolvedGuardrails(snapshot, 'ghost')]).toEqual([
    ['inj', 'tox'],
    null,
  ]);
});
