/** What of a decision depends on the principal alone, computed once for each principal object and snapshot. */
import { BoundedCache } from './cache.ts';
import { shortKey, sortedUnique } from './key.ts';
import type { Hits } from './match.ts';
import type { ModelFacts } from './models.ts';
import type { Fact, Principal, ProtectionSettings } from './schema/context.ts';
import type { Note, Refusal } from './schema/decision.ts';
import type { Snapshot } from './snapshot.ts';

/** How many model names are remembered for one principal that has model aliases of its own. */
const MODELS_PER_PRINCIPAL = 32;

/** A fact of a request with the patterns it hits. */
export interface HitFact extends Fact {
  readonly dimension: 'teams' | 'keys' | 'tags';
  readonly source: string;
  readonly patterns: readonly number[];
}

export interface PrincipalFacts {
  /** Team, key and tags, in this order; the alias comes before the id. */
  readonly facts: readonly HitFact[];
  readonly hits: Hits;
  /** Policies and guardrails that administrators set; a source with nothing to say is left out. */
  readonly settings: readonly Pick<ProtectionSettings, 'source' | 'policies' | 'guardrails'>[];
  /** Global guardrails whose activation is off (O1, O3). */
  readonly optedOut: ReadonlySet<string>;
  /** Broken stored settings: every request of this principal is refused (V6). */
  readonly refusals: readonly Refusal[];
  readonly notes: readonly Note[];
  readonly mayAddGuardrails: boolean;
  readonly mayAddPolicies: boolean;
  readonly models: BoundedCache<ModelFacts>;
  /** What of this enters the plan cache's key. */
  readonly part: string;
}

export function principalFacts(snapshot: Snapshot, principal: Principal): PrincipalFacts {
  const known = snapshot.caches.principals.get(principal);
  if (known !== undefined) return known;
  const facts = computeFacts(snapshot, principal);
  snapshot.caches.principals.set(principal, facts);
  return facts;
}

function computeFacts(snapshot: Snapshot, principal: Principal): PrincipalFacts {
  const facts = hitFacts(snapshot, principal);
  const hits = hitsOf(facts);
  const settings = principal.settings
    .map(({ source, policies, guardrails }) => ({ source, policies, guardrails }))
    .filter(({ policies, guardrails }) => policies.length + guardrails.length > 0);
  const optedOut = optedOutGlobals(snapshot, principal.settings);
  const hasAliases = Object.keys(principal.model_aliases).length > 0;
  return Object.freeze({
    facts,
    hits,
    settings,
    optedOut,
    refusals: brokenSettings(snapshot, settings),
    notes: optOutsWithoutEffect(snapshot, principal.settings),
    mayAddGuardrails: principal.settings.every((setting) => setting.client_guardrails),
    mayAddPolicies: principal.settings.every((setting) => setting.client_policies),
    models: hasAliases ? new BoundedCache<ModelFacts>(MODELS_PER_PRINCIPAL) : snapshot.caches.models,
    part: shortKey(JSON.stringify([hits.trusted, hits.caller, settings, [...optedOut]])),
  });
}

/** Ids and the team's alias are trusted; the key's alias and tags say themselves who set them (M7). */
function hitFacts(snapshot: Snapshot, principal: Principal): HitFact[] {
  const { patterns } = snapshot;
  const { team_alias, team_id, key_alias, key_hash } = principal;
  const facts: HitFact[] = [];
  const add = (dimension: 'teams' | 'keys', source: string, fact: Fact, hit: readonly number[]) => {
    facts.push({ ...fact, dimension, source, patterns: hit });
  };
  if (team_alias !== null) {
    add('teams', 'team_alias', { value: team_alias, trusted: true }, patterns.hits('teams', team_alias));
  }
  if (team_id !== null)
    add('teams', 'team_id', { value: team_id, trusted: true }, patterns.idHits('teams', team_id));
  if (key_alias !== null) add('keys', 'key_alias', key_alias, patterns.hits('keys', key_alias.value));
  if (key_hash !== null)
    add('keys', 'key_hash', { value: key_hash, trusted: true }, patterns.idHits('keys', key_hash));
  for (const tag of principal.tags) {
    facts.push({ ...tag, dimension: 'tags', patterns: patterns.hits('tags', tag.value) });
  }
  return facts;
}

function hitsOf(facts: readonly HitFact[]): Hits {
  const trusted = sortedUnique(facts.filter((fact) => fact.trusted).flatMap((fact) => fact.patterns));
  const caller = sortedUnique(facts.filter((fact) => !fact.trusted).flatMap((fact) => fact.patterns));
  return { trusted, caller: caller.filter((pattern) => !trusted.includes(pattern)) };
}

/** The sources are united: list with list, switch or switch (O1). `opt_out: false` withstands both (O3). */
function optedOutGlobals(snapshot: Snapshot, settings: readonly ProtectionSettings[]): ReadonlySet<string> {
  const disabled = settings.some((setting) => setting.disable_global_guardrails);
  const listed = new Set(settings.flatMap((setting) => setting.opted_out_global_guardrails));
  const off = snapshot.globals.filter(({ name, opt_out }) => opt_out && (disabled || listed.has(name)));
  return new Set(off.map(({ name }) => name));
}

function optOutsWithoutEffect(snapshot: Snapshot, settings: readonly ProtectionSettings[]): readonly Note[] {
  const listed = new Set(settings.flatMap((setting) => setting.opted_out_global_guardrails));
  const names = [...listed].filter((name) => {
    const guardrail = snapshot.guardrails.get(name);
    return guardrail === undefined || !guardrail.default_on || !guardrail.opt_out;
  });
  return names.length === 0 ? [] : [Object.freeze({ note: 'opt_out_without_effect', names: names.sort() })];
}

/** A stored name that leads nowhere must not become a request without its protection (V6, D-44). */
function brokenSettings(snapshot: Snapshot, settings: PrincipalFacts['settings']): Refusal[] {
  return settings.flatMap(({ source, policies, guardrails }) => {
    const lostPolicies = sortedNames(policies.filter((name) => !snapshot.production.has(name)));
    const lostGuardrails = sortedNames(guardrails.filter((name) => !snapshot.guardrails.has(name)));
    const refusals: Refusal[] = [];
    if (lostPolicies.length > 0) refusals.push({ code: 'policy_unresolved', names: lostPolicies, source });
    if (lostGuardrails.length > 0)
      refusals.push({ code: 'unknown_guardrail', names: lostGuardrails, source });
    return refusals;
  });
}

/** The distinct names by code units. */
export function sortedNames(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
