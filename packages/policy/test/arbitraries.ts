/**
 * Small, dense worlds for the property tests: few names, so that patterns, tags, policies and guardrails collide often.
 * A world is drawn as a sketch of numbers and then built, so that every drawn world is valid and shrinks well.
 */
import fc from 'fast-check';
import type { Attachment, TagSelector } from '../src/schema/attachment.ts';
import type { Hook } from '../src/schema/content.ts';
import type { Context, Fact, ProtectionSettings, TagFact } from '../src/schema/context.ts';
import type { Documents } from '../src/schema/documents.ts';
import type { Guardrail, Mode } from '../src/schema/guardrail.ts';
import type { ModelGroup } from '../src/schema/model.ts';
import type { Enforcement } from '../src/schema/name.ts';
import type { Condition, Pipeline, Policy, VersionStatus } from '../src/schema/policy.ts';

// Upper case, a digit and a dot make sure that names are ordered by code units and not by a language's rules; names that
// every object inherits make sure that no lookup falls through to its prototype.
export const GUARDRAIL_NAMES: readonly string[] = ['pii', 'Inj', 'g.3', 'tox', 'constructor', 'über'];
export const POLICY_NAMES: readonly string[] = [
  'base',
  'Child',
  'a b',
  'mid',
  'leaf',
  'x;y',
  'p=q',
  '__proto__',
];
const TEAM_ID = '0f0e0d0c-0b0a-4908-8706-050403020100';
const OTHER_TEAM_ID = '1f0e0d0c-0b0a-4908-8706-050403020100';
const KEY_HASH = 'ab'.repeat(32);
const TAGS = ['t', 't-x', 'u', 'constructor', 'cafe\u0301', 'a, b'] as const;
const TAG_PATTERNS = ['t', 'constructor', 't*', 't-*', 'u', '*', 'caf\u00e9', 'none-has-it'] as const;
const TEAM_ALIASES = ['fin-1', 'fin-2', '__proto__'] as const;
const TEAM_PATTERNS = ['fin-1', 'fin-*', '__proto__', '*', TEAM_ID, OTHER_TEAM_ID, '0f*'] as const;
const KEY_ALIASES = ['k-1', 'k-2'] as const;
const KEY_PATTERNS = ['k-1', 'k-*', '*', KEY_HASH, 'ab*'] as const;
const MODEL_PATTERNS = [
  'gpt-4',
  'gpt-*',
  'fast',
  'azure/*',
  '*',
  'openai/*',
  'openai/gpt-4',
  'claude',
] as const;
const REQUESTED = [
  'gpt-4',
  'fast',
  'claude',
  'openai/gpt-4',
  'openai/gpt-5',
  'gpt-404',
  'smart',
  'mine',
  'constructor',
] as const;
const PARAMETERS = [null, { lang: 'en' }, { lang: 'de', level: 2 }, { level: { deep: [1] } }, {}] as const;
const CONDITIONS: readonly (Condition | null)[] = [
  null,
  null,
  null,
  null,
  {},
  { model: 'gpt-4' },
  { model: 'gpt-*' },
  { model: 'fast' },
  { model: '*' },
  { model: 'azure/.*' },
  { model: ['claude', 'openai/.+'] },
  { model: { exact: 'anthropic/claude' } },
  { model: { prefix: 'openai/' } },
  { model: { regex: '(smart|mine)' } },
];
const GROUPS: readonly ModelGroup[] = [
  { model_name: 'gpt-4', deployments: [deployment('openai/gpt-4'), deployment('azure/gpt-4')] },
  { model_name: 'claude', deployments: [deployment('anthropic/claude')] },
  { model_name: 'openai/*', deployments: [deployment('openai/*')] },
  { model_name: 'openai/gpt-*', deployments: [deployment('azure/*'), deployment('openai/gpt-4')] },
];
const ALIASES: readonly Readonly<Record<string, string>>[] = [
  {},
  { fast: 'gpt-4' },
  { fast: 'openai/gpt-5', smart: 'fast' },
  { mine: 'smart', smart: 'claude' },
  { 'gpt-4': 'claude' },
];
const LOOP = { smart: 'mine', mine: 'smart' };

function deployment(model: string): ModelGroup['deployments'][number] {
  return { model, guardrails: [] };
}

// --- small draws ---------------------------------------------------------------------------------------------------

/** True once in `n`. */
const oneIn = (n: number): fc.Arbitrary<boolean> => fc.nat(n - 1).map((drawn) => drawn === n - 1);
/** A set of up to six members as bits; `sparse` ones have few members. */
const bits = fc.nat(63);
const sparseBits = fc.tuple(bits, bits, oneIn(2)).map(([a, b, on]) => (on ? a & b : 0));
const pick = <T>(values: readonly T[]): fc.Arbitrary<T> =>
  fc.nat(values.length - 1).map((index) => values[index]!);
/** Absent `absences` times in `n`. */
const maybe = <T>(values: readonly T[], absences = 1, n = 2): fc.Arbitrary<T | null> =>
  fc.tuple(fc.nat(n - 1), pick(values)).map(([drawn, value]) => (drawn < absences ? null : value));
const few = <T>(values: readonly T[], maxLength: number): fc.Arbitrary<T[]> =>
  fc.array(pick(values), { maxLength, size: 'max' });

function chosen<T>(values: readonly T[], mask: number): T[] {
  return values.filter((_, index) => (mask >> index) % 2 === 1);
}

// --- guardrails ----------------------------------------------------------------------------------------------------

const HOOK_SETS: readonly Hook[][] = [
  ['pre_call'],
  ['pre_call', 'post_call'],
  ['post_call'],
  ['during_call'],
  ['pre_call', 'during_call', 'logging_only'],
];
const modeArbitrary: fc.Arbitrary<Mode> = fc
  .tuple(oneIn(3), pick(HOOK_SETS), pick(HOOK_SETS), pick(HOOK_SETS), oneIn(4))
  .map(([tagged, t, u, other, bare]) =>
    tagged ? { tags: { t, u, café: u }, default: bare ? [] : other } : other,
  );

const guardrailSketch = fc.record({
  mode: modeArbitrary,
  default_on: oneIn(4),
  keep: oneIn(4),
  monitor: oneIn(6),
  priority: maybe([-1, 0, 2], 3, 4),
  request_params: pick<string[]>([[], ['lang'], ['lang', 'level']]),
  twice: oneIn(8),
});

function guardrail(
  name: string,
  sketch: typeof guardrailSketch extends fc.Arbitrary<infer S> ? S : never,
): Guardrail {
  const enforcement: Enforcement = sketch.monitor ? 'monitor' : 'enforce';
  return {
    guardrail_id: `id-${name}`,
    guardrail_name: name,
    litellm_params: {
      guardrail: 'fake',
      mode: sketch.mode,
      default_on: sketch.default_on,
      opt_out: !sketch.keep,
      enforcement,
      priority: sketch.priority,
      weight: 1,
      scan: null,
      unscanned: null,
      request_params: sketch.request_params,
      timeout: null,
      on_error: null,
      alert_recipients: [],
      fail_on_error: null,
      unreachable_fallback: null,
      streaming_mode: null,
    },
    guardrail_info: {},
    policy_template: null,
    definition_location: 'config',
  };
}

// --- policies ------------------------------------------------------------------------------------------------------

const stepSketch = fc.record({
  guardrail: fc.nat(5),
  on_pass: pick(['allow', 'next'] as const),
  on_fail: pick(['block', 'next', 'modify_response'] as const),
  on_error: maybe(['next', 'block'] as const),
  pass_data: fc.boolean(),
});
const policySketch = fc.record({
  name: fc.nat(7),
  status: fc.nat(9),
  parent: fc.nat(15),
  add: bits,
  remove: sparseBits,
  lock: sparseBits,
  condition: pick(CONDITIONS),
  pipeline: oneIn(3),
  mode: pick(['pre_call', 'post_call'] as const),
  steps: fc.array(stepSketch, { minLength: 1, maxLength: 3, size: 'max' }),
});
type PolicySketch = typeof policySketch extends fc.Arbitrary<infer S> ? S : never;

/** Nine of ten are in production; a name that already is gets a draft or a published version instead. */
function statusOf(sketch: PolicySketch, inProduction: boolean): VersionStatus {
  if (sketch.status === 9 || inProduction) return sketch.status % 2 === 0 ? 'published' : 'draft';
  return 'production';
}

function pipelineOf(sketch: PolicySketch, list: readonly string[]): Pipeline | null {
  if (!sketch.pipeline || list.length === 0) return null;
  const steps = sketch.steps.map((step) => ({
    ...step,
    guardrail: list[step.guardrail % list.length]!,
    modify_response_message: null,
  }));
  return { mode: sketch.mode, steps };
}

/**
 * Parents are drawn from the production versions before, so there are no cycles; what a lock above forbids is not
 * removed, and only what a policy's list holds is locked or used in a step.
 */
function buildPolicies(sketches: readonly PolicySketch[]): Policy[] {
  const policies: Policy[] = [];
  const lists = new Map<string, readonly string[]>();
  const locks = new Map<string, string[]>();
  for (const sketch of sketches) {
    const name = POLICY_NAMES[sketch.name]!;
    const versions = policies.filter((policy) => policy.policy_name === name);
    const status = statusOf(
      sketch,
      versions.some((policy) => policy.version_status === 'production'),
    );
    const parents = [...lists.keys()].filter(
      (parent) => parent !== name && !descends(policies, parent, name),
    );
    const inherit =
      parents.length === 0 || sketch.parent % 4 === 0 ? null : parents[sketch.parent % parents.length]!;
    const lockedAbove = inherit === null ? [] : locks.get(inherit)!;
    const guardrails_add = chosen(GUARDRAIL_NAMES, sketch.add);
    const guardrails_remove = chosen(GUARDRAIL_NAMES, sketch.remove).filter(
      (one) => !lockedAbove.includes(one),
    );
    const list = [...new Set([...(inherit === null ? [] : lists.get(inherit)!), ...guardrails_add])].filter(
      (one) => !guardrails_remove.includes(one),
    );
    const guardrails_lock = chosen(GUARDRAIL_NAMES, sketch.lock).filter((one) => list.includes(one));
    const number = versions.length + 1;
    policies.push({
      policy_id: number === 1 ? name : `${name}-v${number}`,
      policy_name: name,
      version_number: number,
      version_status: status,
      definition_location: 'config',
      inherit,
      description: null,
      guardrails_add,
      guardrails_remove,
      guardrails_lock,
      condition: sketch.condition,
      pipeline: pipelineOf(sketch, list),
      unscanned: null,
    });
    if (status === 'production') {
      lists.set(name, list);
      locks.set(name, [...lockedAbove, ...guardrails_lock]);
    }
  }
  return policies;
}

/** Whether `name` is `ancestor` or inherits from it, so that no version can become its own ancestor. */
function descends(policies: readonly Policy[], name: string | null, ancestor: string): boolean {
  if (name === null) return false;
  if (name === ancestor) return true;
  const production = policies.find((one) => one.policy_name === name && one.version_status === 'production');
  return descends(policies, production?.inherit ?? null, ancestor);
}

// --- attachments ---------------------------------------------------------------------------------------------------

const attachmentSketch = fc.record({
  policy: fc.nat(15),
  global: oneIn(4),
  dimension: fc.nat(3),
  teams: few(TEAM_PATTERNS, 2),
  keys: few(KEY_PATTERNS, 1),
  models: few(MODEL_PATTERNS, 2),
  tags: few(TAG_PATTERNS, 2),
  tagForm: fc.nat(5),
  more: fc.nat(7),
  default: oneIn(4),
  monitor: oneIn(5),
  priority: maybe([-1, 0, 1, 2]),
  db: fc.boolean(),
});
type AttachmentSketch = typeof attachmentSketch extends fc.Arbitrary<infer S> ? S : never;

function tagSelector({ tags, tagForm }: AttachmentSketch): TagSelector {
  const [first = 't', second = 'u'] = tags;
  switch (tagForm) {
    case 0:
      return { any: [first] };
    case 1:
      return { all: [first, second] };
    case 2:
      return { any: [first], none: [second] };
    case 3:
      return { any: [first], all: [second], none: ['t-*'] };
    default:
      return tags.length === 0 ? ['t'] : tags;
  }
}

/** One dimension always, the others once in a while: too many dimensions never match. */
export function buildAttachment(
  index: number,
  sketch: AttachmentSketch,
  policyNames: readonly string[],
): Attachment {
  const uses = (dimension: number) =>
    !sketch.global && (sketch.dimension === dimension || sketch.more === dimension);
  const list = (dimension: number, patterns: string[], fallback: string): string[] => {
    if (!uses(dimension)) return [];
    return patterns.length === 0 ? [fallback] : patterns;
  };
  const selector = tagSelector(sketch);
  const globalTags: TagSelector = sketch.more === 6 ? { none: ['t'] } : [];
  return {
    attachment_id: `config-${index}`,
    policy_name: policyNames[sketch.policy % policyNames.length]!,
    definition_location: sketch.db ? 'db' : 'config',
    scope: sketch.global ? '*' : null,
    teams: list(0, sketch.teams, 'fin-*'),
    keys: list(1, sketch.keys, 'k-*'),
    models: list(2, sketch.models, 'gpt-*'),
    tags: sketch.global ? globalTags : uses(3) ? selector : [],
    priority: sketch.priority,
    default: sketch.default,
    enforcement: sketch.monitor ? 'monitor' : 'enforce',
  };
}

// --- worlds --------------------------------------------------------------------------------------------------------

const worldSketch = fc.record({
  guardrails: fc.array(guardrailSketch, { minLength: 6, maxLength: 6 }),
  policies: fc.array(policySketch, { minLength: 1, maxLength: 9, size: 'max' }),
  attachments: fc.array(attachmentSketch, { maxLength: 12, size: 'max' }),
  groups: fc.nat(15),
  groupGuardrails: fc.array(sparseBits, { minLength: 4, maxLength: 4 }),
  aliases: pick(ALIASES),
});

/** Valid documents: `compile` must accept each of them. */
export const worlds: fc.Arbitrary<Documents> = worldSketch.map((sketch) => {
  const policies = buildPolicies(sketch.policies);
  const policyNames = [...new Set(policies.map((policy) => policy.policy_name))];
  const guardrails = GUARDRAIL_NAMES.map((name, index) => guardrail(name, sketch.guardrails[index]!));
  const twins = guardrails.filter((_, index) => sketch.guardrails[index]!.twice);
  return {
    revision: 1,
    policies,
    attachments:
      policyNames.length === 0
        ? []
        : sketch.attachments.map((one, index) => buildAttachment(index, one, policyNames)),
    // Several guardrails of one name are balanced by weight; for the engine they are one.
    guardrails: [
      ...guardrails,
      ...twins.map((one) => ({ ...one, guardrail_id: `${one.guardrail_id}-twin` })),
    ],
    models: chosen(GROUPS, sketch.groups).map((group, index) => ({
      ...group,
      deployments: group.deployments.map((one, position) =>
        position === 0
          ? { ...one, guardrails: chosen(GUARDRAIL_NAMES, sketch.groupGuardrails[index]!) }
          : one,
      ),
    })),
    model_aliases: sketch.aliases,
    settings: { unscanned: null },
  };
});

// --- contexts ------------------------------------------------------------------------------------------------------

const settingsSketch = fc.record({
  on: oneIn(2),
  policies: sparseBits,
  guardrails: sparseBits,
  optOuts: sparseBits,
  disabled: oneIn(10),
  forbidsGuardrails: oneIn(20),
  forbidsPolicies: oneIn(20),
});

const contextSketch = fc.record({
  team: maybe(TEAM_ALIASES, 1, 5),
  teamId: maybe([TEAM_ID, OTHER_TEAM_ID], 1, 3),
  key: maybe(KEY_ALIASES, 1, 5),
  keyTrusted: fc.boolean(),
  hash: maybe([KEY_HASH], 1, 3),
  trustedTags: few(TAGS, 2),
  keyTags: few(TAGS, 1),
  callerTags: few(TAGS, 2),
  settings: fc.tuple(settingsSketch, settingsSketch, settingsSketch),
  versions: oneIn(3),
  aliases: pick([...ALIASES, {}, {}, {}, LOOP]),
  model: maybe(REQUESTED, 1, 4),
  guardrails: fc.array(fc.tuple(fc.nat(5), pick(PARAMETERS)), { maxLength: 3, size: 'max' }),
  policies: few([0, 1, 2, 3, 4, 5, 6, 7], 2),
  stranger: fc.nat(60),
});
type ContextSketch = typeof contextSketch extends fc.Arbitrary<infer S> ? S : never;

function buildSettings(
  sketch: ContextSketch['settings'],
  productionNames: readonly string[],
): ProtectionSettings[] {
  const built = sketch.map((one, index) => ({
    source: (['key', 'team', 'project'] as const)[index]!,
    policies: chosen(productionNames, one.policies),
    guardrails: chosen(GUARDRAIL_NAMES, one.guardrails),
    opted_out_global_guardrails: chosen(GUARDRAIL_NAMES, one.optOuts),
    disable_global_guardrails: one.disabled,
    client_guardrails: !one.forbidsGuardrails,
    client_policies: !one.forbidsPolicies,
  }));
  return built.filter((_, index) => sketch[index]!.on);
}

/** Once in a while a name that is not known, or one without a production version, which must be refused. */
function buildContext(sketch: ContextSketch, documents: Documents): Context {
  const production = documents.policies.filter((policy) => policy.version_status === 'production');
  const names = production.map((policy) => policy.policy_name);
  const tag =
    (trusted: boolean, source: string) =>
    (value: string): TagFact => ({ value, trusted, source });
  const keyAlias: Fact | null =
    sketch.key === null ? null : { value: sketch.key, trusted: sketch.keyTrusted };
  const references = sketch.versions
    ? documents.policies.map((policy) => `policy_${policy.policy_id}`)
    : names;
  const policies =
    references.length === 0 ? [] : sketch.policies.map((index) => references[index % references.length]!);
  const settings = buildSettings(sketch.settings, sketch.stranger === 31 ? POLICY_NAMES : names);
  return {
    principal: {
      key_hash: sketch.hash,
      key_alias: keyAlias,
      team_id: sketch.teamId,
      team_alias: sketch.team,
      user_id: null,
      tags: [...sketch.keyTags.map(tag(false, 'key')), ...sketch.trustedTags.map(tag(true, 'team'))],
      settings,
      allow_policy_versions: sketch.versions,
      model_aliases: sketch.aliases,
    },
    model: sketch.model,
    tags: sketch.callerTags.map(tag(false, 'request')),
    guardrails: [
      ...sketch.guardrails.map(([index, params]) => ({ name: GUARDRAIL_NAMES[index]!, params })),
      ...(sketch.stranger === 32 ? [{ name: 'nobody', params: null }] : []),
    ],
    policies: [
      ...policies,
      ...(sketch.stranger === 33 ? ['nobody'] : []),
      ...(sketch.stranger === 34 ? ['policy_nobody'] : []),
    ],
  };
}

export interface Case {
  readonly documents: Documents;
  readonly context: Context;
}

/** One world and one request to it. */
export const cases: fc.Arbitrary<Case> = fc
  .tuple(worlds, contextSketch)
  .map(([documents, sketch]) => ({ documents, context: buildContext(sketch, documents) }));

/** One world and several requests to it, for what a snapshot may remember between requests. */
export const conversations: fc.Arbitrary<{ documents: Documents; contexts: Context[] }> = fc
  .tuple(worlds, fc.array(contextSketch, { minLength: 2, maxLength: 5 }))
  .map(([documents, sketches]) => ({
    documents,
    contexts: sketches.map((sketch) => buildContext(sketch, documents)),
  }));

/** One more attachment for a given world. */
export const attachmentSketches = attachmentSketch;

export const callerTags: fc.Arbitrary<TagFact> = pick(TAGS).map((value) => ({
  value,
  trusted: false,
  source: 'request',
}));

/** The same values in an order that the seed decides. */
export function shuffled<T>(values: readonly T[], seed: number): T[] {
  const drawn = values.map((value, index) => ({
    value,
    key: Math.imul(seed + index * 7919 + 1, 2654435761) >>> 0,
  }));
  return drawn.sort((a, b) => a.key - b.key).map(({ value }) => value);
}
