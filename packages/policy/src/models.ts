/** By which names one request's model is known, and what depends on them alone (M8). */
import type { BoundedCache } from './cache.ts';
import { shortKey, sortedUnique } from './key.ts';
import { ABSENT, either, type Level, levelOf } from './level.ts';
import type { Hits } from './match.ts';
import type { ModelGroup, ModelNames } from './schema/model.ts';
import type { Snapshot } from './snapshot.ts';

/** After this many aliases the configuration is taken for a loop. */
const MAX_ALIAS_STEPS = 10;

/** Caches keyed by a caller's text take only short ones, so that no caller decides how much memory they need. */
const MAX_CACHED_NAME = 256;

/** The model groups, ready for look-up. */
export interface ModelIndex {
  readonly groups: ReadonlyMap<string, ModelGroup>;
  /** Groups whose name ends in `*`, the longest prefix first. */
  readonly wildcards: readonly { readonly prefix: string; readonly group: ModelGroup }[];
  /** `router_settings.model_group_alias`. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** One model name with its origin and the patterns it hits. */
export interface ModelNameFact {
  readonly value: string;
  readonly source: 'requested' | 'group' | 'deployment';
  readonly trusted: boolean;
  readonly patterns: readonly number[];
}

/** Everything about a request's model that a plan depends on. */
export interface ModelFacts {
  readonly names: ModelNames | null;
  readonly facts: readonly ModelNameFact[];
  readonly hits: Hits;
  /** The conditions that hold, by number; a condition that is not here does not hold. */
  readonly conditions: ReadonlyMap<number, Level>;
  /** Guardrails of the group's deployments, sorted by name. */
  readonly guardrails: readonly string[];
  /** What of this enters the plan cache's key. Names that hit nothing share one text. */
  readonly part: string;
}

/** Builds the look-up tables of the configured groups. */
export function indexModels(
  groups: readonly ModelGroup[],
  aliases: Readonly<Record<string, string>>,
): ModelIndex {
  const wildcards = groups
    .filter((group) => group.model_name.endsWith('*'))
    .map((group) => ({ prefix: group.model_name.slice(0, -1), group }))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return Object.freeze({
    groups: new Map(groups.map((group) => [group.model_name, group])),
    wildcards,
    aliases: new Map(Object.entries(aliases)),
  });
}

/**
 * The names of a requested model. Aliases are followed first by the principal's, then by the router's, until a name is
 * reached that is no alias.
 */
export function expandModel(
  index: ModelIndex,
  principalAliases: Readonly<Record<string, string>>,
  requested: string,
): ModelNames | 'alias_loop' {
  const name = followAliases(index, principalAliases, requested);
  if (name === null) return 'alias_loop';
  const exact = index.groups.get(name);
  if (exact !== undefined) return modelNames(requested, exact, null);
  const wildcard = index.wildcards.find(({ prefix }) => name.startsWith(prefix));
  if (wildcard === undefined) return { requested, group: null, deployments: [] };
  return modelNames(requested, wildcard.group, name.slice(wildcard.prefix.length));
}

function followAliases(
  index: ModelIndex,
  principalAliases: Readonly<Record<string, string>>,
  requested: string,
): string | null {
  let name = requested;
  for (let step = 0; step <= MAX_ALIAS_STEPS; step++) {
    const next = Object.hasOwn(principalAliases, name) ? principalAliases[name] : index.aliases.get(name);
    if (next === undefined) return name;
    name = next;
  }
  return null;
}

/** `stoodFor` is what the wildcard of the group's name stood for; a deployment `provider/*` is called by that name. */
function modelNames(requested: string, group: ModelGroup, stoodFor: string | null): ModelNames {
  const names = group.deployments.map(({ model }) =>
    stoodFor !== null && model.endsWith('*') ? model.slice(0, -1) + stoodFor : model,
  );
  return { requested, group: group.model_name, deployments: [...new Set(names)] };
}

/** What a request without a model brings: no names, and no condition holds (K3). */
const NO_MODEL: ModelFacts = Object.freeze({
  names: null,
  facts: [],
  hits: { trusted: [], caller: [] },
  conditions: new Map<number, Level>(),
  guardrails: [],
  part: '',
});

/**
 * The facts of a request's model. `cache` belongs to all principals with these aliases: what a name leads to depends on
 * the snapshot and the aliases alone.
 */
export function modelFacts(
  snapshot: Snapshot,
  cache: BoundedCache<ModelFacts>,
  principalAliases: Readonly<Record<string, string>>,
  model: string | null,
): ModelFacts | 'alias_loop' {
  if (model === null) return NO_MODEL;
  const known = cache.get(model);
  if (known !== undefined) return known;
  const names = expandModel(snapshot.models, principalAliases, model);
  if (names === 'alias_loop') return names;
  const facts = computeFacts(snapshot, names);
  if (model.length <= MAX_CACHED_NAME) cache.set(model, facts);
  return facts;
}

function computeFacts(snapshot: Snapshot, names: ModelNames): ModelFacts {
  const facts = nameFacts(snapshot, names);
  const trusted = sortedUnique(facts.filter((fact) => fact.trusted).flatMap((fact) => fact.patterns));
  const caller = sortedUnique(facts.flatMap((fact) => fact.patterns)).filter(
    (pattern) => !trusted.includes(pattern),
  );
  const conditions = conditionLevels(snapshot, facts);
  const guardrails = groupGuardrails(snapshot.models.groups.get(names.group ?? ''));
  return Object.freeze({
    names: Object.freeze(names),
    facts,
    hits: { trusted, caller },
    conditions,
    guardrails,
    part: shortKey(JSON.stringify([trusted, caller, [...conditions], guardrails])),
  });
}

function nameFacts(snapshot: Snapshot, names: ModelNames): ModelNameFact[] {
  const fact = (value: string, source: ModelNameFact['source'], trusted: boolean): ModelNameFact => {
    return { value, source, trusted, patterns: snapshot.patterns.hits('models', value) };
  };
  const facts = [fact(names.requested, 'requested', false)];
  if (names.group !== null) facts.push(fact(names.group, 'group', true));
  for (const deployment of names.deployments) facts.push(fact(deployment, 'deployment', true));
  return facts;
}

/** Each condition with the best of the names that satisfy it. */
function conditionLevels(snapshot: Snapshot, facts: readonly ModelNameFact[]): Map<number, Level> {
  const names = facts.map((fact) => ({ name: fact.value.normalize('NFC'), level: levelOf(fact.trusted) }));
  const levels = new Map<number, Level>();
  for (const [number, condition] of snapshot.conditions.entries()) {
    let best: Level = ABSENT;
    for (const { name, level } of names) {
      if (level > best && condition.matches(name)) best = either(best, level);
    }
    if (best !== ABSENT) levels.set(number, best);
  }
  return levels;
}

function groupGuardrails(group: ModelGroup | undefined): readonly string[] {
  return Object.freeze(
    [...new Set(group?.deployments.flatMap((deployment) => deployment.guardrails))].sort(),
  );
}
