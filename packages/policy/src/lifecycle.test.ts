import { expect, it } from 'vitest';
import { editProblem, transition } from './lifecycle.ts';
import { VERSION_STATUSES } from './schema/policy.ts';

it('V1 allows publish, promote and demote, and nothing else', () => {
  const allowed = VERSION_STATUSES.flatMap((from) =>
    VERSION_STATUSES.flatMap((to) => {
      const result = transition(from, to);
      return result.allowed ? [`${from} -> ${to}: ${result.change}`] : [];
    }),
  );
  expect(allowed).toEqual([
    'draft -> published: publish',
    'published -> production: promote',
    'production -> published: demote',
  ]);
});

it.each([
  ['draft', 'production', 'Cannot promote draft directly to production. Publish the version first.'],
  ['published', 'published', "Only draft versions can be published. Current status: 'published'."],
  [
    'production',
    'production',
    "Only draft or published versions can be promoted to production. Current: 'production'.",
  ],
  ['published', 'draft', "Invalid status 'draft'. Use 'published' or 'production'."],
  ['draft', 'archived', "Invalid status 'archived'. Use 'published' or 'production'."],
] as const)('V9 refuses %s -> %s with the text of the reference', (from, to, message) => {
  expect(transition(from, to)).toEqual({ allowed: false, message });
});

it('V4 lets drafts alone be edited', () => {
  expect(VERSION_STATUSES.map((status) => editProblem(status) === null)).toEqual([true, false, false]);
});
