import { expect, it } from 'vitest';
import {
  attachment,
  byCaller,
  context,
  guardrail,
  policy,
  settings,
  snapshotOf,
  trusted,
} from '../test/builders.ts';
import { explain } from './explain.ts';

const snapshot = snapshotOf({
  guardrails: [guardrail('pii'), guardrail('inj'), guardrail('tox', { default_on: true })],
  policies: [
    policy('base', { guardrails_add: ['pii', 'inj'] }),
    policy('relaxed', { inherit: 'base', guardrails_remove: ['pii'] }),
    policy('later', { version_status: 'draft', guardrails_add: ['pii'] }),
    policy('big', { guardrails_add: ['pii'], condition: { model: 'gpt-*' } }),
  ],
  attachments: [
    attachment('global', 'base', { scope: '*' }),
    attachment('both', 'relaxed', { teams: ['t*'], tags: ['x'] }),
    attachment('draft', 'later', { scope: '*' }),
    attachment('conditional', 'big', { scope: '*' }),
    attachment('default', 'base', { scope: '*', default: true }),
  ],
});

const reportOf = (explanation: ReturnType<typeof explain>, id: string) =>
  explanation.attachments.find(({ attachment_id }) => attachment_id === id);

it('Q1 answers in the shape of the reference, globals included', () => {
  const { effective_guardrails, matched_policies } = explain(snapshot, context());
  expect(effective_guardrails).toEqual(['inj', 'pii', 'tox']);
  expect(matched_policies).toEqual([
    { policy_name: 'base', matched_via: 'scope:*', guardrails_added: ['inj', 'pii'] },
  ]);
});

it('Q1 reports every dimension of an attachment, without stopping at the first failure', () => {
  const asked = context({ team_alias: 'other' }, { tags: [byCaller('y')] });
  expect(reportOf(explain(snapshot, asked), 'both')?.dimensions).toEqual([
    {
      dimension: 'teams',
      constraint: ['t*'],
      actual: [{ value: 'other', source: 'team_alias', trusted: true }],
      passes: false,
      passes_trusted: false,
    },
    {
      dimension: 'tags.any',
      constraint: ['x'],
      actual: [{ value: 'y', source: 'request', trusted: false }],
      passes: false,
      passes_trusted: false,
    },
  ]);
});

it('Q1 says what became of each attachment', () => {
  const explanation = explain(snapshot, context());
  expect(explanation.attachments.map(({ attachment_id, effect }) => `${attachment_id} ${effect}`)).toEqual([
    'global applies',
    'both does_not_match',
    'draft no_production_version',
    'conditional condition_false',
    'default default_not_needed',
  ]);
});

it('Q1 lists as near misses the attachments with exactly one failing dimension', () => {
  const { near_misses } = explain(snapshot, context({ team_alias: 'tx' }));
  expect(near_misses.map(({ attachment_id, failed }) => `${attachment_id} ${failed.dimension}`)).toEqual([
    'both tags.any',
    'conditional condition',
  ]);
});

it('Q1 says what was removed and by whom', () => {
  const { removed } = explain(snapshot, context({ team_alias: 'tx', tags: [trusted('x')] }));
  expect(removed).toEqual([{ policy_name: 'base', removed_by: ['relaxed'], guardrails: ['inj', 'pii'] }]);
});

it('Q1 names the facts that are missing although something asks for them', () => {
  expect(explain(snapshot, context()).missing_context).toEqual(['team', 'model', 'tags']);
});

it('O1, O3 shows every opt-out with its effect', () => {
  const asked = context({
    settings: [settings({ source: 'team', opted_out_global_guardrails: ['tox', 'pii'] })],
  });
  expect(
    explain(snapshot, asked).opt_outs.map(({ guardrail: name, effective }) => [name, effective]),
  ).toEqual([
    ['pii', false],
    ['tox', true],
  ]);
});

it('A6 shows the refusals, and the attachments all the same', () => {
  const explanation = explain(snapshot, context({}, { policies: ['ghost'] }));
  expect(explanation.refusals).toEqual([{ code: 'unknown_policy', names: ['ghost'], source: 'request' }]);
  expect([explanation.plan, explanation.attachments.length]).toEqual([null, 5]);
});
