/** The one decision function: snapshot and context in, plan or refusal out (A6). */
import { sortedUnique } from './key.ts';
import { ABSENT, type Level, TRUSTED } from './level.ts';
import { type Hits, matchAttachments, withHitLevels } from './match.ts';
import { type ModelFacts, modelFacts } from './models.ts';
import { buildPlan } from './plan.ts';
import { type HitFact, type PrincipalFacts, principalFacts } from './principal.ts';
import { type RequestAdditions, requestAdditions } from './request.ts';
import type { Context } from './schema/context.ts';
import type { Decision, Plan, Refusal } from './schema/decision.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Decides which guardrails a request must pass, and why. Pure: the same snapshot and context give the same decision. It
 * never throws for any context; what cannot be planned is a refusal.
 */
export function decide(snapshot: Snapshot, context: Context): Decision {
  const facts = requestFacts(snapshot, context);
  const { revision } = snapshot;
  if (facts.model === 'alias_loop' || facts.refusals.length > 0) {
    return { kind: 'refused', revision, refusals: facts.refusals };
  }
  const notes =
    facts.who.notes.length === 0 ? facts.additions.notes : [...facts.who.notes, ...facts.additions.notes];
  return {
    kind: 'planned',
    revision,
    plan: planOf(snapshot, facts, facts.model),
    model: facts.model.names,
    notes,
  };
}

/** What a request is, in the engine's terms. */
export interface RequestFacts {
  readonly who: PrincipalFacts;
  readonly model: ModelFacts | 'alias_loop';
  readonly tags: readonly HitFact[];
  readonly tagHits: Hits;
  readonly additions: RequestAdditions;
  readonly refusals: readonly Refusal[];
}

export function requestFacts(snapshot: Snapshot, context: Context): RequestFacts {
  const who = principalFacts(snapshot, context.principal);
  const model = modelFacts(snapshot, who.models, context.principal.model_aliases, context.model);
  const additions = requestAdditions(snapshot, who, context);
  const tags = requestTags(snapshot, context);
  return {
    who,
    model,
    tags,
    tagHits: tagHits(tags, who),
    additions,
    refusals: refusalsOf(who, model, additions, context),
  };
}

function refusalsOf(
  who: PrincipalFacts,
  model: ModelFacts | 'alias_loop',
  additions: RequestAdditions,
  context: Context,
): readonly Refusal[] {
  if (model !== 'alias_loop') {
    if (who.refusals.length === 0) return additions.refusals;
    return [...who.refusals, ...additions.refusals];
  }
  const loop: Refusal = { code: 'model_alias_loop', names: [context.model ?? ''], source: 'request' };
  return [loop, ...who.refusals, ...additions.refusals];
}

const NO_TAGS: readonly HitFact[] = Object.freeze([]);
const NO_HITS: Hits = Object.freeze({ trusted: [], caller: [] });

function requestTags(snapshot: Snapshot, { tags }: Context): readonly HitFact[] {
  if (tags.length === 0) return NO_TAGS;
  return tags.map(({ value, trusted, source }) => {
    return { value, trusted, source, dimension: 'tags', patterns: snapshot.patterns.hits('tags', value) };
  });
}

/** The request's own tag hits, without those that the principal's trusted facts already give. */
function tagHits(tags: readonly HitFact[], who: PrincipalFacts): Hits {
  let trusted: number[] = [];
  let caller: number[] = [];
  for (const tag of tags) {
    for (const pattern of tag.patterns) {
      if (!who.hits.trusted.includes(pattern)) (tag.trusted ? trusted : caller).push(pattern);
    }
  }
  if (trusted.length + caller.length === 0) return NO_HITS;
  trusted = sortedUnique(trusted);
  caller = sortedUnique(caller).filter((pattern) => !trusted.includes(pattern));
  return { trusted, caller };
}

/** The cached plan, or a new one. Values that hit no pattern are not in the key, so no caller can fill the cache. */
function planOf(snapshot: Snapshot, facts: RequestFacts, model: ModelFacts): Plan {
  const { additions, who, tagHits: hits } = facts;
  if (additions.part === null) return newPlan(snapshot, facts, model);
  const key = `${who.part}|${model.part}|${hits.trusted.join()}|${hits.caller.join()}|${additions.part}`;
  const known = snapshot.caches.plans.get(key);
  if (known !== undefined) return known;
  const plan = newPlan(snapshot, facts, model);
  snapshot.caches.plans.set(key, plan);
  return plan;
}

function newPlan(
  snapshot: Snapshot,
  { who, additions, tagHits: tags }: RequestFacts,
  model: ModelFacts,
): Plan {
  const hits = [who.hits, model.hits, tags];
  return withHitLevels(snapshot.attachments, hits, (levels) =>
    buildPlan({
      snapshot,
      matches: matchAttachments(snapshot.attachments, levels, hits),
      who,
      additions,
      model,
      levels,
      conditionLevel: (condition) => conditionLevel(model, condition),
    }),
  );
}

/** How far a condition holds; -1 is "no condition" (K3). */
export function conditionLevel(model: ModelFacts, condition: number): Level {
  return condition === -1 ? TRUSTED : (model.conditions.get(condition) ?? ABSENT);
}
