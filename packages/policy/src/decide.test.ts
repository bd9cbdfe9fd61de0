import { describe, expect, it } from 'vitest';
import {
  attachment,
  byCaller,
  context,
  group,
  guardrail,
  plannedBy,
  policy,
  runsOf,
  settings,
  snapshotOf,
  trusted,
} from '../test/builders.ts';
import { decide } from './decide.ts';
import type { Context } from './schema/context.ts';
import type { Snapshot } from './snapshot.ts';

const UUID = '0f0e0d0c-0b0a-4908-8706-050403020100';
const pii = policy('p', { guardrails_add: ['pii'] });

/** A snapshot in which one attachment with these selectors demands `pii`. */
const attached = (selectors: object) =>
  snapshotOf({ policies: [pii], attachments: [attachment('a', 'p', selectors)] });
const matches = (selectors: object, asked: Context) => runsOf(attached(selectors), asked).length > 0;

function refusalsOf(snapshot: Snapshot, asked: Context): string[] {
  const decision = decide(snapshot, asked);
  if (decision.kind === 'planned') return [];
  return decision.refusals.map(({ code, source, names }) => `${code} ${source} ${names.join()}`);
}

describe('matching', () => {
  it('M1 takes `*` and `?` literally except for one final `*`', () => {
    expect(matches({ teams: ['a*b'] }, context({ team_alias: 'axb' }))).toBe(false);
    expect(matches({ teams: ['a?'] }, context({ team_alias: 'ab' }))).toBe(false);
    expect(matches({ teams: ['a**'] }, context({ team_alias: 'a*b' }))).toBe(true);
    expect(matches({ teams: ['A*'] }, context({ team_alias: 'ab' }))).toBe(false);
  });

  it('M1 compares values in NFC', () => {
    expect(matches({ teams: ['caf\u00e9*'] }, context({ team_alias: 'cafe\u0301-1' }))).toBe(true);
  });

  it('M2 lets only `*` match an absent value', () => {
    expect(matches({ teams: ['*'] }, context())).toBe(true);
    expect(matches({ teams: ['a*'] }, context())).toBe(false);
    expect(matches({ models: ['*'] }, context())).toBe(true);
  });

  it('M3, M9 compares an id with ids alone, and an alias that looks like one with nothing', () => {
    expect(matches({ teams: [UUID] }, context({ team_id: UUID }))).toBe(true);
    expect(matches({ teams: [UUID] }, context({ team_alias: UUID }))).toBe(false);
    expect(matches({ teams: ['0f0e*'] }, context({ team_id: UUID }))).toBe(false);
  });

  it('M4 demands every dimension, and one entry of each', () => {
    const selectors = { teams: ['x', 't'], keys: ['k*'] };
    expect(matches(selectors, context({ team_alias: 't', key_alias: { value: 'k1', trusted: true } }))).toBe(
      true,
    );
    expect(matches(selectors, context({ team_alias: 't' }))).toBe(false);
  });

  it('M5 reads any, all and none; a request without tags matches no any part, not even `*`', () => {
    expect(matches({ tags: ['*'] }, context())).toBe(false);
    expect(matches({ tags: ['*'] }, context({}, { tags: [byCaller('x')] }))).toBe(true);
    const all = { tags: { all: ['a', 'b*'] } };
    expect(matches(all, context({}, { tags: [byCaller('a')] }))).toBe(false);
    expect(matches(all, context({ tags: [trusted('a')] }, { tags: [byCaller('b1')] }))).toBe(true);
  });

  it('M7 ignores a tag of the caller in none', () => {
    const selectors = { scope: '*', tags: { none: ['internal'] } };
    expect(matches(selectors, context({}, { tags: [byCaller('internal')] }))).toBe(true);
    expect(matches(selectors, context({ tags: [trusted('internal')] }))).toBe(false);
  });

  it('M8 follows the aliases of principal, then router, to the group and its deployments', () => {
    const snapshot = snapshotOf({
      policies: [pii],
      attachments: [attachment('a', 'p', { models: ['azure/gpt-4'] })],
      models: [group('gpt-4', 'azure/gpt-4'), group('openai/*', 'openai/*')],
      model_aliases: { fast: 'gpt-4' },
    });
    const asked = context({ model_aliases: { mine: 'fast' } }, { model: 'mine' });
    expect(plannedBy(snapshot, asked).model).toEqual({
      requested: 'mine',
      group: 'gpt-4',
      deployments: ['azure/gpt-4'],
    });
    expect(plannedBy(snapshot, asked).plan.policies[0]?.selections[0]?.trusted).toBe(true);
    expect(plannedBy(snapshot, context({}, { model: 'openai/o1' })).model).toEqual({
      requested: 'openai/o1',
      group: 'openai/*',
      deployments: ['openai/o1'],
    });
  });

  it('M8 refuses aliases that lead in a circle', () => {
    const snapshot = snapshotOf({ model_aliases: { a: 'b', b: 'a' } });
    expect(refusalsOf(snapshot, context({}, { model: 'a' }))).toEqual(['model_alias_loop request a']);
  });

  it('M8 marks what only the requested spelling matches as the caller’s', () => {
    const snapshot = snapshotOf({
      policies: [pii],
      attachments: [attachment('a', 'p', { models: ['fast'] })],
      models: [group('gpt-4', 'openai/gpt-4')],
      model_aliases: { fast: 'gpt-4' },
    });
    expect(plannedBy(snapshot, context({}, { model: 'fast' })).plan.hooks.pre_call[0]).toMatchObject({
      trusted: false,
    });
  });
});

describe('which policies apply', () => {
  it('K3 a policy with a condition does not apply to a request without a model', () => {
    const snapshot = snapshotOf({
      policies: [policy('p', { guardrails_add: ['pii'], condition: { model: '*' } })],
      attachments: [attachment('a', 'p', { scope: '*' })],
    });
    expect(runsOf(snapshot, context())).toEqual([]);
    expect(runsOf(snapshot, context({}, { model: 'any' }))).toEqual(['pii']);
  });

  it('A3 a default applies until a trusted, enforced attachment with something to run does', () => {
    const withOther = (fields: object) =>
      snapshotOf({
        policies: [pii, policy('q', { guardrails_add: ['inj'] })],
        attachments: [
          attachment('d', 'p', { scope: '*', default: true }),
          attachment('a', 'q', { tags: ['x'], ...fields }),
        ],
      });
    expect(runsOf(withOther({}), context({ tags: [trusted('x')] }))).toEqual(['inj']);
    expect(runsOf(withOther({}), context({}, { tags: [byCaller('x')] }))).toEqual(['pii', 'inj']);
    expect(runsOf(withOther({ enforcement: 'monitor' }), context({ tags: [trusted('x')] }))).toEqual([
      'inj',
      'pii',
    ]);
  });

  it('A5 runs the exact version asked for, by a principal that may', () => {
    const snapshot = snapshotOf({
      policies: [
        pii,
        policy('p', { policy_id: 'v2', version_number: 2, version_status: 'draft', guardrails_add: ['tox'] }),
      ],
      attachments: [attachment('a', 'p', { scope: '*' })],
    });
    const asked = context({}, { policies: ['policy_v2'] });
    expect(refusalsOf(snapshot, asked)).toEqual(['policy_versions_forbidden request policy_v2']);
    const allowed = context({ allow_policy_versions: true }, { policies: ['policy_v2'] });
    expect(runsOf(snapshot, allowed)).toEqual(['tox']);
    expect(plannedBy(snapshot, allowed).plan.policies[0]).toMatchObject({
      version_number: 2,
      override: true,
    });
  });

  it('V6 refuses a principal whose policy has no production version', () => {
    const principal = { settings: [settings({ source: 'team', policies: ['gone'], guardrails: ['lost'] })] };
    expect(refusalsOf(snapshotOf({}), context(principal))).toEqual([
      'policy_unresolved team gone',
      'unknown_guardrail team lost',
    ]);
  });

  it('A4, O5 refuses unknown names and forbidden additions, all at once, and never an empty list', () => {
    const principal = { settings: [settings({ client_policies: false, client_guardrails: false })] };
    expect(refusalsOf(snapshotOf({}), context(principal))).toEqual([]);
    const asked = context(principal, { policies: ['b', 'a'], guardrails: [{ name: 'g', params: null }] });
    expect(refusalsOf(snapshotOf({}), asked)).toEqual([
      'client_policies_forbidden request a,b',
      'unknown_policy request a,b',
      'client_guardrails_forbidden request g',
      'unknown_guardrail request g',
    ]);
  });
});

describe('inheritance and specialisation', () => {
  const base = policy('base', { guardrails_add: ['pii', 'inj'] });
  const relaxed = policy('relaxed', { inherit: 'base', guardrails_remove: ['pii'] });
  const both = (fields: object = {}) =>
    snapshotOf({
      policies: [base, relaxed],
      attachments: [
        attachment('a', 'base', { scope: '*' }),
        attachment('b', 'relaxed', { tags: ['x'], ...fields }),
      ],
    });

  it('C3 a descendant’s list replaces its ancestor’s', () => {
    expect(runsOf(both(), context({ tags: [trusted('x')] }))).toEqual(['inj']);
  });

  it('C3 a caller’s tag, a monitored descendant and a default one replace nothing', () => {
    expect(runsOf(both(), context({}, { tags: [byCaller('x')] }))).toEqual(['inj', 'pii']);
    expect(runsOf(both({ enforcement: 'monitor' }), context({ tags: [trusted('x')] }))).toEqual([
      'inj',
      'pii',
    ]);
    expect(runsOf(both({ default: true }), context({ tags: [trusted('x')] }))).toEqual(['inj', 'pii']);
  });

  it('C3 a caller that names the ancestor gets its full list', () => {
    expect(runsOf(both(), context({ tags: [trusted('x')] }, { policies: ['base'] }))).toEqual(['inj', 'pii']);
  });

  it('I3 an ancestor’s condition gates its own operations alone, and a requested spelling removes nothing', () => {
    const snapshot = snapshotOf({
      policies: [
        policy('root', { guardrails_add: ['pii'] }),
        policy('mid', {
          inherit: 'root',
          guardrails_add: ['tox'],
          guardrails_remove: ['pii'],
          condition: { model: 'fast' },
        }),
        policy('leaf', { inherit: 'mid', guardrails_add: ['inj'] }),
      ],
      attachments: [attachment('a', 'leaf', { scope: '*' })],
      models: [group('gpt-4', 'openai/gpt-4')],
      model_aliases: { fast: 'gpt-4' },
    });
    expect(runsOf(snapshot, context({}, { model: 'gpt-4' }))).toEqual(['inj', 'pii']);
    // `tox` is added through the spelling alone, so it is the caller's and comes last.
    expect(runsOf(snapshot, context({}, { model: 'fast' }))).toEqual(['inj', 'pii', 'tox']);
  });
});

describe('the plan', () => {
  it('C4 the same guardrail runs once, and enforce beats monitor', () => {
    const snapshot = snapshotOf({
      policies: [pii, policy('q', { guardrails_add: ['pii'] })],
      attachments: [
        attachment('a', 'p', { scope: '*', enforcement: 'monitor' }),
        attachment('b', 'q', { scope: '*', priority: 7 }),
      ],
    });
    const runs = plannedBy(snapshot, context()).plan.hooks.pre_call;
    expect(runs).toMatchObject([{ name: 'pii', enforcement: 'enforce', priority: 0 }]);
    expect(runs[0]?.demanded_by.map(({ attachment_id }) => attachment_id)).toEqual(['a', 'b']);
  });

  it('P4 a pipeline satisfies its own policy’s demand alone, in its own hook alone', () => {
    const pipeline = { mode: 'pre_call', steps: [{ guardrail: 'pii' }] };
    const piped = policy('piped', { guardrails_add: ['pii'], pipeline });
    const guardrails = [guardrail('pii', { mode: ['pre_call', 'post_call'] })];
    const alone = snapshotOf({
      guardrails,
      policies: [piped],
      attachments: [attachment('a', 'piped', { scope: '*' })],
    });
    expect(runsOf(alone, context())).toEqual(['piped']);
    expect(runsOf(alone, context(), 'post_call')).toEqual(['pii']);
    const onKey = context({ settings: [settings({ guardrails: ['pii'] })] });
    expect(runsOf(alone, onKey)).toEqual(['piped', 'pii']);
  });

  it('E5 a monitored step also runs plainly, in monitor', () => {
    const pipeline = { steps: [{ guardrail: 'pii' }] };
    const snapshot = snapshotOf({
      guardrails: [guardrail('pii', { mode: 'post_call', enforcement: 'monitor' })],
      policies: [policy('piped', { guardrails_add: ['pii'], pipeline })],
      attachments: [attachment('a', 'piped', { scope: '*' })],
    });
    expect(plannedBy(snapshot, context()).plan.hooks.pre_call).toMatchObject([
      { kind: 'pipeline', enforcement: 'enforce', steps: [{ monitored: true }] },
      { kind: 'guardrail', name: 'pii', enforcement: 'monitor' },
    ]);
  });

  it('O1, O2, O3 opt-outs stop global activation alone, and not where opt_out is false', () => {
    const snapshot = snapshotOf({
      guardrails: [
        guardrail('pii', { default_on: true }),
        guardrail('inj', { default_on: true, opt_out: false }),
        guardrail('tox', { default_on: true }),
      ],
      policies: [policy('p', { guardrails_add: ['tox'] })],
      attachments: [attachment('a', 'p', { teams: ['t'] })],
    });
    const disabled = [settings({ disable_global_guardrails: true })];
    expect(runsOf(snapshot, context({ settings: disabled }))).toEqual(['inj']);
    expect(runsOf(snapshot, context({ settings: disabled, team_alias: 't' }))).toEqual(['inj', 'tox']);
    const listed = [settings({ opted_out_global_guardrails: ['pii', 'inj', 'ghost'] })];
    const planned = plannedBy(snapshot, context({ settings: listed }));
    expect(planned.plan.hooks.pre_call.map(({ name }) => name)).toEqual(['inj', 'tox']);
    expect(planned.notes).toEqual([{ note: 'opt_out_without_effect', names: ['ghost', 'inj'] }]);
  });

  it('O5 a caller’s parameters give a second run beside a trusted one, and are noted when not allowed', () => {
    const snapshot = snapshotOf({
      guardrails: [guardrail('pii', { default_on: true, request_params: ['lang'] })],
    });
    const asked = context({}, { guardrails: [{ name: 'pii', params: { lang: 'en', level: 0 } }] });
    const planned = plannedBy(snapshot, asked);
    expect(planned.plan.hooks.pre_call).toMatchObject([
      { trusted: true, params: null },
      { trusted: false, params: { lang: 'en' }, demanded_by: [{ source: 'request' }] },
    ]);
    expect(planned.notes).toEqual([{ note: 'request_params_ignored', names: ['pii'] }]);
  });

  it('O5 a trusted tag selects hooks, a caller’s tag only adds them', () => {
    const mode = { tags: { out: 'post_call' }, default: 'pre_call' };
    const snapshot = snapshotOf({ guardrails: [guardrail('pii', { default_on: true, mode })] });
    const hooks = (asked: Context) =>
      Object.entries(plannedBy(snapshot, asked).plan.hooks).flatMap(([hook, runs]) =>
        runs.map((run) => `${hook} ${run.trusted}`),
      );
    expect(hooks(context({ tags: [trusted('out')] }))).toEqual(['post_call true']);
    expect(hooks(context({}, { tags: [byCaller('out')] }))).toEqual(['pre_call true', 'post_call false']);
  });

  it('C1, C5 the order of documents changes no byte of the plan', () => {
    const policies = [pii, policy('q', { guardrails_add: ['inj', 'pii'] })];
    const attachments = [
      attachment('a', 'p', { scope: '*', priority: 2 }),
      attachment('b', 'q', { teams: ['t*'] }),
      attachment('c', 'q', { scope: '*', priority: -1 }),
    ];
    const asked = context({ team_alias: 'tx' });
    const forwards = plannedBy(snapshotOf({ policies, attachments }), asked).plan;
    const backwards = plannedBy(
      snapshotOf({ policies: policies.toReversed(), attachments: attachments.toReversed() }),
      asked,
    ).plan;
    expect(JSON.stringify(backwards)).toBe(JSON.stringify(forwards));
    expect(forwards.hash).toMatch(/^[0-9a-f]{64}$/u);
  });
});

describe('cost and robustness', () => {
  it('shares one plan between requests that differ only in values that hit nothing', () => {
    const snapshot = attached({ teams: ['t*'] });
    const first = plannedBy(snapshot, context({ team_alias: 't1' }, { tags: [byCaller('a')], model: 'x' }));
    for (let number = 0; number < 1_000; number++) {
      const asked = context(
        { team_alias: `t${number}` },
        { tags: [byCaller(`s${number}`)], model: `m${number}` },
      );
      expect(plannedBy(snapshot, asked).plan).toBe(first.plan);
    }
    expect(snapshot.caches.plans.size).toBe(1);
  });

  it('gives cached plans that nobody can change', () => {
    const { plan } = plannedBy(attached({ scope: '*' }), context());
    expect(() => Object.assign(plan.hooks.pre_call[0] ?? {}, { enforcement: 'monitor' })).toThrow(TypeError);
  });

  it('does not cache plans that carry a caller’s parameters', () => {
    const snapshot = snapshotOf({ guardrails: [guardrail('pii', { request_params: ['lang'] })] });
    for (let lang = 0; lang < 100; lang++) {
      decide(snapshot, context({}, { guardrails: [{ name: 'pii', params: { lang } }] }));
    }
    expect(snapshot.caches.plans.size).toBe(0);
  });

  it('A6 never throws, whatever the values are', () => {
    const snapshot = snapshotOf({
      guardrails: [guardrail('pii', { request_params: ['x'] })],
      policies: [policy('p', { guardrails_add: ['pii'], condition: { model: '(a|b)*' } })],
      attachments: [attachment('a', 'p', { models: ['a*'] })],
    });
    let deep: unknown = 0;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    const odd = ['', '\ud800', '__proto__', 'constructor', 'a'.repeat(1_000_000), '\0', '*'];
    for (const value of odd) {
      const asked = context(
        { team_alias: value, key_alias: { value, trusted: false }, model_aliases: { [value]: 'b' } },
        {
          model: value,
          tags: [byCaller(value)],
          policies: [value],
          guardrails: [{ name: value, params: { [value]: deep } }],
        },
      );
      expect(() => decide(snapshot, asked)).not.toThrow();
    }
    const params = { x: deep };
    expect(plannedBy(snapshot, context({}, { guardrails: [{ name: 'pii', params }] })).notes).toHaveLength(1);
  });
});
