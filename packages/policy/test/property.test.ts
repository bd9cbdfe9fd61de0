import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appliedPoliciesHeader,
  type CompileResult,
  compile,
  type Context,
  type Decision,
  decide,
  type Documents,
  explain,
  type Finding,
  HOOKS,
  LIMITS,
  type Plan,
  type Policy,
  policySourcesHeader,
  type Snapshot,
} from '../src/index.ts';
import {
  attachmentSketches,
  buildAttachment,
  callerTags,
  cases,
  conversations,
  GUARDRAIL_NAMES,
  POLICY_NAMES,
  shuffled,
  worlds,
} from './arbitraries.ts';
import { canonical, modelDecide, modelHash, modelHeaders } from './model.ts';

const strict = process.env['PORTCULLIS_TEST_STRICT'] === '1';
const MANY = { numRuns: strict ? 20_000 : 2_000 };
const SOME = { numRuns: strict ? 2_000 : 300 };

const everyHook = () => ({ hooks: HOOKS, masks: false });

function compiled(documents: Documents): Snapshot {
  const result = compile(documents, everyHook);
  if (!result.ok) throw new Error(`a valid world is refused: ${JSON.stringify(result.findings)}`);
  return result.snapshot;
}

/** No rule orders the reasons of one run, one policy or one refusal, so both evaluators' are sorted. */
function comparable(decision: Decision): unknown {
  const inOrder = <T>(values: readonly T[]): T[] =>
    [...values].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
  if (decision.kind === 'refused') return { ...decision, refusals: inOrder(decision.refusals) };
  const { plan } = decision;
  const hooks = HOOKS.map((hook) =>
    plan.hooks[hook].map((run) => ({ ...run, demanded_by: inOrder(run.demanded_by) })),
  );
  const policies = plan.policies.map((policy) => ({ ...policy, selections: inOrder(policy.selections) }));
  return { ...decision, notes: inOrder(decision.notes), plan: { hooks, policies } };
}

/** In a reference to a version (`policy_...`) a new name stands in the middle, so that it sorts otherwise among names. */
function withNamesSorted(decision: Decision): Decision {
  if (decision.kind !== 'refused') return decision;
  const refusals = decision.refusals.map((refusal) => ({ ...refusal, names: refusal.names.toSorted() }));
  return { ...decision, refusals };
}

/** What a plan does, without its reasons: the runs of each hook, in order. */
function effect({ hooks }: Plan): unknown {
  return HOOKS.map((hook) => hooks[hook].map((run) => ({ ...run, demanded_by: [] })));
}

function planOf(decision: Decision): Plan {
  fc.pre(decision.kind === 'planned');
  return decision.plan;
}

/** Each protection of a plan, and how strong it is. */
function strengths({ hooks }: Plan): Map<string, { enforced: boolean; trusted: boolean; name: string }> {
  const found = new Map<string, { enforced: boolean; trusted: boolean; name: string }>();
  for (const hook of HOOKS) {
    for (const run of hooks[hook]) {
      const key = `${hook} ${run.kind} ${run.name}`;
      const known = found.get(key);
      found.set(key, {
        name: run.name,
        enforced: run.enforcement === 'enforce' || known?.enforced === true,
        trusted: run.trusted || known?.trusted === true,
      });
    }
  }
  return found;
}

/** The protections that `before` has and `after` lacks or has in a weaker form. */
function lost(before: Plan, after: Plan): string[] {
  const now = strengths(after);
  return [...strengths(before)].flatMap(([key, was]) => {
    const is = now.get(key);
    const kept =
      is !== undefined &&
      Number(is.enforced) >= Number(was.enforced) &&
      Number(is.trusted) >= Number(was.trusted);
    return kept ? [] : [key];
  });
}

describe('the engine and the second evaluator', () => {
  it('A6 C1-C5: give the same decision for every world and request', () => {
    fc.assert(
      fc.property(cases, ({ documents, context }) => {
        expect(comparable(decide(compiled(documents), context))).toEqual(
          comparable(modelDecide(documents, context)),
        );
      }),
      MANY,
    );
  });

  it('H1 H2: name the same policies and sources in the headers', () => {
    fc.assert(
      fc.property(cases, ({ documents, context }) => {
        const snapshot = compiled(documents);
        const decision = decide(snapshot, context);
        fc.pre(decision.kind === 'planned');
        expect({
          applied_policies: appliedPoliciesHeader(snapshot, decision),
          policy_sources: policySourcesHeader(snapshot, context, decision),
        }).toEqual(modelHeaders(documents, context));
      }),
      SOME,
    );
  });

  it('C5: the plan hash is the SHA-256 of the canonical JSON of hooks and policies', () => {
    fc.assert(
      fc.property(cases, ({ documents, context }) => {
        const plan = planOf(decide(compiled(documents), context));
        expect(plan.hash).toBe(modelHash(plan));
      }),
      SOME,
    );
  });

  it('A6 Q1: explain reports the plan that decide gives', () => {
    fc.assert(
      fc.property(cases, ({ documents, context }) => {
        const snapshot = compiled(documents);
        const decision = decide(snapshot, context);
        const explanation = explain(snapshot, context);
        expect(explanation.plan).toEqual(decision.kind === 'planned' ? decision.plan : null);
        expect(explanation.refusals).toEqual(decision.kind === 'refused' ? decision.refusals : []);
      }),
      SOME,
    );
  });
});

describe('a decision', () => {
  it('C1 C5: does not depend on the order in which documents are written', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ documents, context }, seed) => {
        const other: Documents = {
          ...documents,
          policies: shuffled(documents.policies, seed),
          attachments: shuffled(documents.attachments, seed + 1),
          guardrails: shuffled(documents.guardrails, seed + 2),
          models: shuffled(documents.models, seed + 3),
        };
        expect(decide(compiled(other), context)).toEqual(decide(compiled(documents), context));
      }),
      SOME,
    );
  });

  it('C1: does not change when an attachment is written twice', () => {
    fc.assert(
      fc.property(cases, ({ documents, context }) => {
        const twins = documents.attachments.map((one) => ({
          ...one,
          attachment_id: `${one.attachment_id}-twin`,
        }));
        const other = { ...documents, attachments: [...documents.attachments, ...twins] };
        const [plan, twice] = [documents, other].map((one) => planOf(decide(compiled(one), context)));
        expect(effect(twice!)).toEqual(effect(plan!));
        const bare = ({ policies }: Plan) => policies.map((policy) => ({ ...policy, selections: [] }));
        expect(bare(twice!)).toEqual(bare(plan!));
      }),
      SOME,
    );
  });

  it('A4 M5 O5: does not change when a request repeats its tags, policies and guardrails', () => {
    fc.assert(
      fc.property(cases, ({ documents, context }) => {
        const twice = <T>(values: readonly T[]): T[] => values.flatMap((value) => [value, value]);
        const other: Context = {
          ...context,
          principal: { ...context.principal, tags: twice(context.principal.tags) },
          tags: twice(context.tags),
          policies: twice(context.policies),
          guardrails: twice(context.guardrails),
        };
        const snapshot = compiled(documents);
        expect(decide(snapshot, other)).toEqual(decide(snapshot, context));
      }),
      SOME,
    );
  });

  it('A6: is the same when it is asked for again, after other requests, and of another snapshot', () => {
    fc.assert(
      fc.property(conversations, ({ documents, contexts }) => {
        const snapshot = compiled(documents);
        const first = contexts.map((context) => decide(snapshot, context));
        const again = contexts.toReversed().map((context) => decide(snapshot, structuredClone(context)));
        expect(again.toReversed()).toEqual(first);
        expect(contexts.map((context) => decide(compiled(documents), context))).toEqual(first);
      }),
      SOME,
    );
  });

  it('C5: is renamed with its documents, and with nothing else', () => {
    fc.assert(
      fc.property(cases, ({ documents, context }) => {
        // A common prefix keeps the order of the names, so the whole plan must come out renamed.
        const renamed = rename({ documents, context });
        const before = decide(compiled(documents), context);
        const after = decide(compiled(renamed.documents), renamed.context);
        expect(comparable(withNamesSorted(after))).toEqual(comparable(withNamesSorted(rename(before))));
      }),
      SOME,
    );
  });
});

describe('what a caller sends', () => {
  it('M7: a tag never shrinks or weakens a plan', () => {
    fc.assert(
      fc.property(cases, callerTags, ({ documents, context }, tag) => {
        const snapshot = compiled(documents);
        const before = planOf(decide(snapshot, context));
        const after = planOf(decide(snapshot, { ...context, tags: [...context.tags, tag] }));
        expect(lost(before, after)).toEqual([]);
      }),
      SOME,
    );
  });

  it('A4 O5: a policy or guardrail in the request never shrinks or weakens a plan', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ documents, context }, seed) => {
        const snapshot = compiled(documents);
        const before = planOf(decide(snapshot, context));
        const name = POLICY_NAMES[seed % POLICY_NAMES.length]!;
        const guardrail = { name: GUARDRAIL_NAMES[seed % GUARDRAIL_NAMES.length]!, params: { lang: 'fr' } };
        const additions = [
          { ...context, policies: [...context.policies, name] },
          { ...context, guardrails: [...context.guardrails, guardrail] },
        ];
        for (const asked of additions) {
          const decision = decide(snapshot, asked);
          if (decision.kind === 'planned') expect(lost(before, decision.plan)).toEqual([]);
        }
      }),
      SOME,
    );
  });

  it('M7 M8: a spelling of the model that leads to the same group never shrinks or weakens its plan', () => {
    fc.assert(
      fc.property(cases, ({ documents, context }) => {
        const named = { ...context, model: 'gpt-4', principal: { ...context.principal, model_aliases: {} } };
        const spelt = {
          ...named,
          model: 'fast',
          principal: { ...context.principal, model_aliases: { fast: 'gpt-4' } },
        };
        const world = { ...documents, model_aliases: {} };
        fc.pre(world.models.some((group) => group.model_name === 'gpt-4'));
        const snapshot = compiled(world);
        const before = planOf(decide(snapshot, named));
        const after = planOf(decide(snapshot, spelt));
        expect(lost(before, after)).toEqual([]);
      }),
      SOME,
    );
  });

  it('M7 M9: an alias of the key that nobody vouches for never shrinks or weakens a plan', () => {
    fc.assert(
      fc.property(cases, ({ documents, context }) => {
        const snapshot = compiled(documents);
        const withAlias = (key_alias: Context['principal']['key_alias']) =>
          planOf(decide(snapshot, { ...context, principal: { ...context.principal, key_alias } }));
        expect(lost(withAlias(null), withAlias({ value: 'k-1', trusted: false }))).toEqual([]);
      }),
      SOME,
    );
  });
});

describe('one more attachment', () => {
  it('C3 A3: removes a run only by specialisation or because a default is not needed any more', () => {
    fc.assert(
      fc.property(cases, attachmentSketches, ({ documents, context }, sketch) => {
        const names = [...new Set(documents.policies.map((policy) => policy.policy_name))];
        const more = {
          ...buildAttachment(documents.attachments.length, sketch, names),
          attachment_id: 'more',
        };
        const before = planOf(decide(compiled(documents), context));
        const after = planOf(
          decide(compiled({ ...documents, attachments: [...documents.attachments, more] }), context),
        );
        const explained = removalsExplained(before, after);
        expect(lost(before, after).filter((key) => !explained(key))).toEqual([]);
      }),
      SOME,
    );
  });
});

/**
 * A run may go when a policy that demanded it is newly replaced, or was there as a default that is there no longer. It
 * may lose strength for the same two reasons, because a demand that made it strong is gone.
 */
function removalsExplained(before: Plan, after: Plan): (key: string) => boolean {
  const now = new Map(after.policies.map((policy) => [policy.policy_name, policy]));
  const touched = before.policies.filter((policy) => {
    const then = policy.selections.filter((selection) => selection.source === 'default').length;
    const still =
      now.get(policy.policy_name)?.selections.filter(({ source }) => source === 'default').length ?? 0;
    return still < then || (now.get(policy.policy_name)?.replaced_by.length ?? 0) > policy.replaced_by.length;
  });
  const runs = HOOKS.flatMap((hook) =>
    before.hooks[hook].map((run) => ({ key: `${hook} ${run.kind} ${run.name}`, run })),
  );
  return (key) =>
    runs.some(
      ({ key: mine, run }) =>
        mine === key &&
        run.demanded_by.some((demand) => touched.some((policy) => policy.policy_name === demand.policy_name)),
    );
}

/** Renames every policy and guardrail, in documents, requests and decisions alike. */
function rename<T>(value: T): T {
  const names = new Set<string>([...GUARDRAIL_NAMES, ...POLICY_NAMES, 'nobody']);
  const versions = new Set(
    [...POLICY_NAMES, 'nobody'].flatMap((name) => [
      name,
      ...[...Array(12).keys()].map((n) => `${name}-v${n}`),
    ]),
  );
  const walk = (node: unknown, key: string): unknown => {
    if (typeof node === 'string') {
      const version = node.slice('policy_'.length);
      if (node.startsWith('policy_') && versions.has(version)) return `policy_n-${version}`;
      if (key === 'policy_id') return versions.has(node) ? `n-${node}` : node;
      return names.has(node) ? `n-${node}` : node;
    }
    if (Array.isArray(node)) return node.map((item) => walk(item, key));
    if (node === null || typeof node !== 'object') return node;
    return Object.fromEntries(
      Object.entries(node)
        .filter(([name]) => name !== 'hash')
        .map(([name, item]) => [name, walk(item, name)]),
    );
  };
  return walk(value, '') as T;
}

// --- invalid worlds ------------------------------------------------------------------------------------------------

interface Damage {
  readonly what: string;
  /** Breaks a valid world; `null` when this one has nothing to break. */
  readonly harm: (documents: Documents, at: number) => Documents | null;
  readonly code: string;
  readonly path: (documents: Documents, at: number) => readonly string[];
}

const draft = (name: string, over: Partial<Policy>): Policy => ({
  policy_id: `new-${name}`,
  policy_name: name,
  version_number: 1,
  version_status: 'production',
  definition_location: 'db',
  inherit: null,
  description: null,
  guardrails_add: [],
  guardrails_remove: [],
  guardrails_lock: [],
  condition: null,
  pipeline: null,
  unscanned: null,
  ...over,
});

const withPolicies = (documents: Documents, ...policies: Policy[]): Documents => ({
  ...documents,
  policies: [...documents.policies, ...policies],
});

const DAMAGES: readonly Damage[] = [
  {
    what: 'I4: a missing parent',
    harm: (documents) => withPolicies(documents, draft('new', { inherit: 'nobody' })),
    code: 'missing_parent',
    path: () => ['policies', 'new'],
  },
  {
    what: 'I4: a cycle of any length',
    harm: (documents, at) =>
      withPolicies(
        documents,
        ...Array.from({ length: 1 + (at % 5) }, (_, index) =>
          draft(`new-${index}`, { inherit: `new-${(index + 1) % (1 + (at % 5))}` }),
        ),
      ),
    code: 'inheritance_cycle',
    path: () => ['policies'],
  },
  {
    what: `I4: a chain deeper than ${LIMITS.chainDepth}`,
    harm: (documents) =>
      withPolicies(
        documents,
        ...Array.from({ length: LIMITS.chainDepth + 1 }, (_, index) =>
          draft(`new-${index}`, { inherit: index === 0 ? null : `new-${index - 1}` }),
        ),
      ),
    code: 'chain_too_deep',
    path: () => ['policies', `new-${LIMITS.chainDepth}`],
  },
  {
    what: 'I4: an unknown guardrail in any list',
    harm: (documents, at) =>
      withPolicies(
        documents,
        draft('new', { [['guardrails_add', 'guardrails_remove', 'guardrails_lock'][at % 3]!]: ['nobody'] }),
      ),
    code: 'unknown_guardrail',
    path: () => ['policies', 'new'],
  },
  {
    what: 'I5: a descendant that removes a locked guardrail',
    harm: (documents) =>
      withPolicies(
        documents,
        draft('new', { guardrails_add: ['pii'], guardrails_lock: ['pii'] }),
        draft('new-child', { inherit: 'new', guardrails_remove: ['pii'] }),
      ),
    code: 'removes_locked_guardrail',
    path: () => ['policies', 'new-child'],
  },
  {
    what: 'P1: a step outside the policy’s list',
    harm: (documents) =>
      withPolicies(
        documents,
        draft('new', {
          pipeline: {
            mode: 'pre_call',
            steps: [
              {
                guardrail: 'pii',
                on_pass: 'allow',
                on_fail: 'block',
                on_error: null,
                pass_data: false,
                modify_response_message: null,
              },
            ],
          },
        }),
      ),
    code: 'step_not_in_list',
    path: () => ['policies', 'new'],
  },
  {
    what: 'V2: a second production version of a name',
    harm: (documents, at) => {
      const production = documents.policies.filter((policy) => policy.version_status === 'production');
      const twin = production[at % production.length];
      return twin === undefined
        ? null
        : withPolicies(documents, { ...twin, policy_id: 'new', version_number: 999 });
    },
    code: 'duplicate_production_version',
    path: (documents, at) => {
      const production = documents.policies.filter((policy) => policy.version_status === 'production');
      return ['policies', production[at % production.length]!.policy_name];
    },
  },
  {
    what: 'I4: an attachment of the configuration file to an unknown policy',
    harm: (documents, at) =>
      changeAttachment(documents, at, { policy_name: 'nobody', definition_location: 'config' }),
    code: 'unknown_policy',
    path: attachmentPath,
  },
  {
    what: 'M6: an attachment without a selector',
    harm: (documents, at) =>
      changeAttachment(documents, at, { scope: null, teams: [], keys: [], models: [], tags: [] }),
    code: 'invalid_selectors',
    path: attachmentPath,
  },
  {
    what: 'M6: an attachment with scope and a selector',
    harm: (documents, at) => changeAttachment(documents, at, { scope: '*', teams: ['fin-1'] }),
    code: 'invalid_selectors',
    path: attachmentPath,
  },
  {
    what: 'M1: an empty pattern',
    harm: (documents, at) => changeAttachment(documents, at, { scope: null, teams: [''] }),
    code: 'invalid_pattern',
    path: attachmentPath,
  },
  {
    what: `M1: a pattern of more than ${LIMITS.patternCharacters} characters`,
    harm: (documents, at) =>
      changeAttachment(documents, at, { scope: null, teams: ['a'.repeat(LIMITS.patternCharacters + 1)] }),
    code: 'invalid_pattern',
    path: attachmentPath,
  },
  {
    what: `section 14: more than ${LIMITS.patternsPerAttachment} patterns`,
    harm: (documents, at) =>
      changeAttachment(documents, at, {
        scope: null,
        teams: Array.from({ length: LIMITS.patternsPerAttachment + 1 }, (_, index) => `t-${index}`),
      }),
    code: 'invalid_selectors',
    path: attachmentPath,
  },
  {
    what: `section 14: more than ${LIMITS.guardrailsPerPolicy} guardrails in a policy`,
    harm: (documents) =>
      withPolicies(
        documents,
        draft('new', { guardrails_add: Array.from({ length: LIMITS.guardrailsPerPolicy + 1 }, () => 'pii') }),
      ),
    code: 'limit_exceeded',
    path: () => ['policies', 'new'],
  },
  {
    what: 'K2: an invalid expression',
    harm: (documents) => withPolicies(documents, draft('new', { condition: { model: { regex: '(' } } })),
    code: 'invalid_condition',
    path: () => ['policies', 'new'],
  },
  {
    what: 'V9: a name that begins with policy_',
    harm: (documents) => withPolicies(documents, draft('policy_new', {})),
    code: 'invalid_name',
    path: () => ['policies', 'policy_new'],
  },
  {
    what: 'M8: two groups of one name',
    harm: (documents) => {
      const [group] = documents.models;
      return group === undefined ? null : { ...documents, models: [...documents.models, group] };
    },
    code: 'duplicate_model_group',
    path: (documents) => ['models', documents.models[0]!.model_name],
  },
];

function changeAttachment(
  documents: Documents,
  at: number,
  over: Partial<Documents['attachments'][number]>,
): Documents | null {
  const index = at % documents.attachments.length;
  if (documents.attachments.length === 0) return null;
  return {
    ...documents,
    attachments: documents.attachments.map((one, position) =>
      position === index ? { ...one, ...over } : one,
    ),
  };
}

function attachmentPath(documents: Documents, at: number): string[] {
  return ['attachments', documents.attachments[at % documents.attachments.length]!.attachment_id];
}

describe('documents that must not enter a snapshot', () => {
  it.each(DAMAGES)('S2: $what is refused with its path and never thrown', ({ harm, code, path }) => {
    fc.assert(
      fc.property(worlds, fc.nat(99), (documents, at) => {
        const harmed = harm(documents, at);
        fc.pre(harmed !== null);
        const result: CompileResult = compile(harmed, everyHook);
        expect(result.ok).toBe(false);
        const findings: readonly Finding[] = result.ok ? [] : result.findings;
        const expected = path(documents, at);
        expect(findings).toContainEqual(
          expect.objectContaining({ severity: 'error', code, path: expect.toSatisfy(beginsWith(expected)) }),
        );
      }),
      { numRuns: strict ? 200 : 20 },
    );
  });

  it('S2: a world without a mistake is accepted', () => {
    fc.assert(
      fc.property(worlds, (documents) => {
        expect(compile(documents, everyHook)).toMatchObject({ ok: true });
      }),
      SOME,
    );
  });
});

function beginsWith(expected: readonly string[]): (path: readonly (string | number)[]) => boolean {
  return (path) => expected.every((part, index) => path[index] === part);
}
