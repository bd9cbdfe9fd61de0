import { describe, expect, it } from 'vitest';
import {
  ANY_DETECTOR,
  attachment,
  documents,
  findingsOf,
  group,
  guardrail,
  policy,
  snapshotOf,
} from '../test/builders.ts';
import { checkVersion } from './check-version.ts';
import { compile, compileSteps } from './compile.ts';
import type { Documents } from './schema/documents.ts';

const codes = (given: Partial<Documents>) =>
  findingsOf(given).map(({ code, path }) => `${code} ${path.join('/')}`);

describe('I4 chains', () => {
  it('refuses a cycle and prints it from each of its members', () => {
    const found = findingsOf({ policies: [policy('p', { inherit: 'q' }), policy('q', { inherit: 'p' })] });
    expect(found.map(({ code }) => code)).toEqual(['inheritance_cycle', 'inheritance_cycle']);
    expect(found[0]?.message).toContain('p -> q -> p');
    expect(found[1]?.message).toContain('q -> p -> q');
  });

  it('refuses a missing parent with the nearest name, once, and not again in its descendants', () => {
    const found = findingsOf({
      policies: [policy('base'), policy('mid', { inherit: 'bsae' }), policy('leaf', { inherit: 'mid' })],
    });
    const missing = found.filter(({ code }) => code === 'missing_parent');
    expect(missing).toHaveLength(1);
    expect(missing[0]?.message).toContain('did you mean "base"?');
  });

  it('accepts a chain of 32 policies and refuses one of 33', () => {
    const chain = (length: number) =>
      Array.from({ length }, (_, index) =>
        policy(`p${index}`, { inherit: index === 0 ? null : `p${index - 1}`, guardrails_add: ['pii'] }),
      );
    expect(codes({ policies: chain(32) })).toEqual([]);
    expect(codes({ policies: chain(33) })).toEqual(['chain_too_deep policies/p32/inherit']);
  });

  it('refuses an unknown guardrail wherever it is named, all at once', () => {
    const pipeline = { steps: [{ guardrail: 'ghost-2' }] };
    expect(
      codes({
        policies: [policy('p', { guardrails_add: ['ghost-1'], pipeline })],
        models: [{ model_name: 'm', deployments: [{ model: 'x/m', guardrails: ['ghost-3'] }] }],
      }),
    ).toEqual([
      'unknown_guardrail policies/p/guardrails_add/0',
      'unknown_guardrail policies/p/pipeline/steps/0/guardrail',
      'step_not_in_list policies/p/pipeline/steps/0/guardrail',
      'unknown_guardrail models/m/deployments/0/guardrails/0',
    ]);
  });

  it('holds for drafts as well, and says which version is meant', () => {
    const [finding] = findingsOf({
      policies: [policy('p', { version_status: 'draft', version_number: 3, guardrails_add: ['ghost'] })],
    });
    expect(finding).toMatchObject({ severity: 'error', code: 'unknown_guardrail' });
    expect(finding?.message).toContain('(version 3, draft)');
  });
});

describe('I5 locks', () => {
  const base = policy('base', { guardrails_add: ['pii', 'inj'], guardrails_lock: ['pii'] });

  it('refuses the removal of a locked guardrail at any distance', () => {
    const policies = [
      base,
      policy('mid', { inherit: 'base' }),
      policy('leaf', { inherit: 'mid', guardrails_remove: ['pii', 'inj'] }),
    ];
    expect(codes({ policies })).toEqual(['removes_locked_guardrail policies/leaf/guardrails_remove/0']);
  });

  it('refuses a lock on what is not in the list, and a lock of what is removed', () => {
    const policies = [
      policy('a', { guardrails_lock: ['pii'] }),
      policy('b', { guardrails_add: ['pii'], guardrails_remove: ['pii'], guardrails_lock: ['pii'] }),
    ];
    expect(codes({ policies }).filter((code) => code.startsWith('lock'))).toEqual([
      'lock_not_in_list policies/a/guardrails_lock/0',
      'lock_and_remove policies/b/guardrails_lock/0',
    ]);
  });
});

describe('D-73 attachments', () => {
  const toGhost = { scope: '*' };

  it('refuses one of the configuration to an unknown policy, and warns of a stored one', () => {
    const attachments = [
      attachment('a', 'ghost', toGhost),
      attachment('b', 'ghost', { ...toGhost, definition_location: 'db' }),
    ];
    expect(findingsOf({ attachments }).map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'error unknown_policy',
      'warning attachment_without_effect',
    ]);
  });

  it('D-80 warns of one to a policy that has drafts alone, with the real cause', () => {
    const policies = [policy('p', { version_status: 'draft', guardrails_add: ['pii'] })];
    const [finding] = findingsOf({ policies, attachments: [attachment('a', 'p', toGhost)] });
    expect(finding).toMatchObject({ severity: 'warning', code: 'attachment_without_effect' });
    expect(finding?.message).toContain('no production version');
  });
});

describe('duplicates', () => {
  it('refuses two production versions of one name, one number twice, and ids used twice', () => {
    const policies = [policy('p', { guardrails_add: ['pii'] }), policy('p', { guardrails_add: ['pii'] })];
    const attachments = [attachment('a', 'p', { teams: ['x'] }), attachment('a', 'p', { teams: ['y'] })];
    const models = [group('m', 'x/m'), group('m', 'y/m')];
    const guardrails = [guardrail('pii'), guardrail('pii')];
    expect(findingsOf({ policies, attachments, models, guardrails }).map(({ code }) => code)).toEqual([
      'duplicate_guardrail_id',
      'duplicate_policy_id',
      'duplicate_policy_version',
      'duplicate_production_version',
      'duplicate_model_group',
      'duplicate_attachment_id',
    ]);
  });
});

describe('guardrails', () => {
  it('refuses configurations of one name that differ in what a plan depends on', () => {
    const guardrails = [
      { ...guardrail('pii', { weight: 2, request_params: ['a', 'b'] }), guardrail_id: 'one' },
      { ...guardrail('pii', { default_on: true, request_params: ['b', 'a'] }), guardrail_id: 'two' },
    ];
    expect(codes({ guardrails })).toEqual(['guardrails_disagree guardrails/pii/litellm_params/default_on']);
  });

  it('P7 refuses a mask in during_call, a hook the detector lacks, and an unknown detector', () => {
    const guardrails = [guardrail('pii', { mode: { tags: { x: 'during_call' }, default: 'post_call' } })];
    expect(
      findingsOf({ guardrails }, { hooks: ['during_call'], masks: true }).map(({ code }) => code),
    ).toEqual(['unsupported_hook', 'mask_in_during_call']);
    expect(findingsOf({ guardrails }, null).map(({ code }) => code)).toEqual(['unknown_detector']);
  });

  it('P7 refuses a step whose guardrail cannot run in the mode of the pipeline', () => {
    const pipeline = { mode: 'post_call', steps: [{ guardrail: 'pii' }] };
    const policies = [policy('p', { guardrails_add: ['pii'], pipeline })];
    expect(findingsOf({ policies }, { hooks: ['pre_call'], masks: false }).map(({ code }) => code)).toEqual([
      'step_hook_unsupported',
    ]);
  });
});

describe('lint', () => {
  const withSteps = (steps: object[]) => [
    policy('p', { guardrails_add: ['pii', 'inj'], pipeline: { steps } }),
  ];

  it('P6 warns of a step that cannot be reached', () => {
    const steps = [{ guardrail: 'pii', on_pass: 'allow', on_fail: 'block' }, { guardrail: 'inj' }];
    expect(codes({ policies: withSteps(steps) })).toEqual(['unreachable_step policies/p/pipeline/steps/1']);
  });

  it('P7 warns of a step before the last that a pass ends', () => {
    const steps = [{ guardrail: 'pii', on_fail: 'next' }, { guardrail: 'inj' }];
    expect(codes({ policies: withSteps(steps) })).toEqual([
      'pass_ends_pipeline policies/p/pipeline/steps/0/on_pass',
    ]);
  });

  it('K1 warns of a condition that no configured model meets, unless a wildcard group may serve one', () => {
    const policies = [policy('p', { guardrails_add: ['pii'], condition: { model: 'gtp-4' } })];
    expect(codes({ policies, models: [group('gpt-4', 'openai/gpt-4')] })).toEqual([
      'condition_matches_no_model policies/p/condition/model',
    ]);
    expect(codes({ policies })).toEqual([]);
    const exact = [policy('p', { guardrails_add: ['pii'], condition: { model: { exact: 'openai/x' } } })];
    expect(codes({ policies: exact, models: [group('openai/*', 'openai/*')] })).toEqual([]);
  });

  it('C3 warns when an ancestor keeps a pipeline that runs what a descendant removes', () => {
    const policies = [
      policy('base', { guardrails_add: ['pii', 'inj'], pipeline: { steps: [{ guardrail: 'pii' }] } }),
      policy('leaf', { inherit: 'base', guardrails_remove: ['pii'] }),
    ];
    expect(codes({ policies })).toEqual([
      'kept_pipeline_runs_removed_guardrail policies/leaf/guardrails_remove',
    ]);
  });
});

it('section 14 refuses more than 200,000 attachments without looking at them', () => {
  const one = attachment('a', 'p', { teams: ['x'] });
  const [finding] = findingsOf({ policies: [policy('p')], attachments: Array(200_001).fill(one) }).filter(
    ({ severity }) => severity === 'error',
  );
  expect(finding).toMatchObject({ code: 'limit_exceeded', path: ['attachments'] });
  expect(finding?.message).toContain('200000');
});

it('S8 yields often: no more than a few hundred attachments lie between two steps', () => {
  const attachments = Array.from({ length: 20_000 }, (_, index) =>
    attachment(`a${index}`, 'p', { teams: [`t${index}`] }),
  );
  const steps = compileSteps(
    documents({ policies: [policy('p', { guardrails_add: ['pii'] })], attachments }),
    () => ANY_DETECTOR,
  );
  let count = 0;
  while (steps.next().done !== true) count++;
  expect(count).toBeGreaterThan(500);
});

it('S1 gives a frozen snapshot with the revision of its documents', () => {
  const result = compile(documents({ revision: 7 }), () => ANY_DETECTOR);
  expect(result.ok && [result.snapshot.revision, Object.isFrozen(result.snapshot)]).toEqual([7, true]);
});

it('I4 checks one version by itself with the same rules', () => {
  const snapshot = snapshotOf({
    policies: [policy('base', { guardrails_add: ['pii'], guardrails_lock: ['pii'] })],
  });
  const draft = policy('leaf', { version_status: 'draft', inherit: 'base', guardrails_remove: ['pii'] });
  expect(checkVersion(snapshot, draft).map(({ code }) => code)).toEqual(['removes_locked_guardrail']);
});
