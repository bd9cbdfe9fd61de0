import { type CreateAttachment, createAttachmentSchema } from '@portcullis/contract';
import {
  type Attachment,
  decide,
  ModelReach,
  plannedGuardrails,
  type PrincipalSelectors,
  principalSelectors,
  type Snapshot,
} from '@portcullis/policy';
import { DatabaseError } from '../../ports/database.ts';
import type { KeyGroup, KnownCaller } from '../../ports/impact.ts';
import type { ControlContext } from '../context.ts';
import { snapshotOf } from '../policies/resolve.ts';
import type { Route } from '../route.ts';
import { inSlices } from '../slices.ts';
import { attachmentOf } from './write.ts';

type Row = Readonly<Record<string, unknown>>;

const SAMPLES = 10;
/** How many groups of keys, and callers of them, the change of guardrails is worked out for; the largest first. */
const DECIDED_GROUPS = 50;
const DECIDED_CALLERS = 50;
/** How many models a decided caller is asked about. */
const MODELS_EACH = 20;
const DAY_MS = 86_400_000;

/**
 * `POST /policies/attachments/estimate-impact`: whom an attachment would reach, counted exactly with the rules of the
 * matcher and never capped (Q2, D-56).
 */
export function estimateImpactRoute(context: ControlContext): Route<CreateAttachment> {
  return {
    method: 'POST',
    path: '/policies/attachments/estimate-impact',
    permission: 'admin_viewer',
    body: createAttachmentSchema,
    async handler({ body }) {
      const snapshot = snapshotOf(context);
      // No stored attachment has such an id: they are UUIDs, or `config-` and a number.
      const attachment = attachmentOf(body, 'estimated');
      const reach = new ModelReach(snapshot, attachment.models);
      const selectors = principalSelectors(attachment);
      const { keys: store } = context.database.stores;
      const totals = await store.totals();
      const groups = await reached(context, reach, await store.keyGroups(selectors, reach.selects));
      const teams = await reached(context, reach, await store.matchedTeams(selectors));
      const named = await store.matchedKeys({
        selectors,
        byModels: reach.selects,
        signatures: enoughNames(groups),
        choice: 'named',
        limit: SAMPLES,
      });
      const sum = (count: (group: KeyGroup) => number) =>
        groups.reduce((all, group) => all + count(group), 0);
      const namedTeams = teams.map(({ alias }) => alias).filter((alias) => alias !== null);
      const isGlobal = attachment.scope === '*';
      return {
        body: {
          affected_keys_count: sum(({ keys }) => keys),
          affected_teams_count: teams.length,
          unnamed_keys_count: sum(({ unnamed }) => unnamed),
          unnamed_teams_count: teams.length - namedTeams.length,
          sample_keys: named.map(({ alias }) => alias),
          sample_teams: namedTeams.slice(0, SAMPLES),
          is_global: isGlobal,
          scope: isGlobal ? 'global' : 'specific',
          total_keys: totals.keys,
          total_teams: totals.teams,
          /** Also teams of which only some keys are reached. */
          teams_of_affected_keys_count: new Set(
            groups.map(({ teamId }) => teamId).filter((teamId) => teamId !== null),
          ).size,
          caller_tags_counted: false,
          traffic_24h: await traffic(context, reach, selectors),
          guardrails: await guardrailChange(context, snapshot, attachment, {
            reach,
            selectors,
            groups,
            teamIds: teams.map(({ teamId }) => teamId),
          }),
          notes: notesOf(snapshot, attachment),
        },
      };
    },
  };
}

/** Those that may call a model which the attachment selects. */
async function reached<T extends { readonly caller: KeyGroup['caller'] }>(
  { clock }: ControlContext,
  reach: ModelReach,
  all: readonly T[],
): Promise<readonly T[]> {
  if (!reach.selects) return all;
  return inSlices(keep(), clock);

  function* keep(): Generator<void, readonly T[]> {
    const kept: T[] = [];
    for (const one of all) {
      if (reach.reaches(one.caller)) kept.push(one);
      yield;
    }
    return kept;
  }
}

/** The largest groups that together have the named keys of a sample. */
function enoughNames(groups: readonly KeyGroup[]): readonly string[] {
  const signatures: string[] = [];
  let names = 0;
  for (const { keys, unnamed, signature } of groups) {
    if (names >= SAMPLES) break;
    if (keys === unnamed) continue;
    signatures.push(signature);
    names += keys - unnamed;
  }
  return signatures;
}

/** The requests of the last 24 hours whose key and model the attachment selects, as keys and teams are today. */
async function traffic(
  { database, clock }: ControlContext,
  reach: ModelReach,
  selectors: PrincipalSelectors,
): Promise<Row> {
  try {
    const { total, groups } = await database.stores.keys.traffic(selectors, clock.now() - DAY_MS);
    const affected = groups
      .filter(({ model, aliases }) => reach.matches(model, aliases))
      .reduce((sum, { requests }) => sum + requests, 0);
    return {
      total_requests: total,
      affected_requests: affected,
      // Nothing is known of a share of nothing.
      share: total === 0 ? null : affected / total,
    };
  } catch (error) {
    // The log can be far larger than everything else; the counts are worth having without it.
    if (!(error instanceof DatabaseError) || error.kind !== 'timeout') throw error;
    return {
      total_requests: null,
      affected_requests: null,
      share: null,
      problem: `the requests of the last 24 hours could not be counted: ${error.message}; ask again when the database is less busy`,
    };
  }
}

interface Affected {
  readonly reach: ModelReach;
  readonly selectors: PrincipalSelectors;
  readonly groups: readonly KeyGroup[];
  readonly teamIds: readonly string[];
}

/**
 * What affected requests would gain and lose: the gateway's own decision with and without the attachment, for callers that
 * stand for the largest groups (A6). The answer says how many that were.
 */
async function guardrailChange(
  { database, engine }: ControlContext,
  snapshot: Snapshot,
  attachment: Attachment,
  { reach, selectors, groups, teamIds }: Affected,
): Promise<Row> {
  const none = { gained: [], lost: [], decided: { callers: 0, requests: 0, keys_in_groups: 0 } };
  if (!snapshot.production.has(attachment.policy_name)) {
    return {
      ...none,
      problem: `policy '${attachment.policy_name}' has no production version: promote one first`,
    };
  }
  const decidedGroups = groups.slice(0, DECIDED_GROUPS);
  const { keys: store } = database.stores;
  const varied = await store.matchedKeys({
    selectors,
    byModels: reach.selects,
    signatures: decidedGroups.map(({ signature }) => signature),
    choice: 'varied',
    limit: DECIDED_CALLERS,
  });
  const callers = await store.callers({
    tokenHashes: varied.map(({ tokenHash }) => tokenHash),
    teamIds: teamIds.slice(0, SAMPLES),
  });
  if (callers.length === 0) return none;
  const { documents } = snapshot;
  const compiled = await engine.compile({
    ...documents,
    attachments: [...documents.attachments, attachment],
  });
  if (!compiled.ok) {
    const reasons = compiled.findings.map(({ message }) => message).join('; ');
    return { ...none, problem: `the attachment cannot be put in force: ${reasons}` };
  }
  const represented = new Set(varied.map(({ signature }) => signature));
  const gained = new Set<string>();
  const lost = new Set<string>();
  let requests = 0;
  const every = reach.selects ? reach : new ModelReach(snapshot, ['*']);
  for (const { principal, caller } of callers) {
    const models = every.examples(caller, MODELS_EACH);
    for (const model of models.length === 0 ? [null] : models) {
      const before = guardrailsOf(snapshot, principal, model);
      const after = guardrailsOf(compiled.snapshot, principal, model);
      if (before === null || after === null) continue;
      requests += 1;
      for (const name of after) if (!before.has(name)) gained.add(name);
      for (const name of before) if (!after.has(name)) lost.add(name);
    }
  }
  return {
    gained: [...gained].sort(),
    lost: [...lost].sort(),
    decided: {
      callers: callers.length,
      requests,
      keys_in_groups: decidedGroups
        .filter(({ signature }) => represented.has(signature))
        .reduce((sum, { keys }) => sum + keys, 0),
    },
  };
}

/** Null for a request that would be refused: it has no guardrails to gain or lose. */
function guardrailsOf(
  snapshot: Snapshot,
  principal: KnownCaller['principal'],
  model: string | null,
): ReadonlySet<string> | null {
  const decision = decide(snapshot, { principal, model, tags: [], guardrails: [], policies: [] });
  return decision.kind === 'planned' ? new Set(plannedGuardrails(decision.plan)) : null;
}

function notesOf(snapshot: Snapshot, { policy_name, tags }: Attachment): readonly string[] {
  const notes = [
    'counted: every stored key and team, blocked and expired ones included; a team counts when its own facts match, whatever its keys add',
    'not counted: the admin key, which is no stored key',
    'guardrails: decided with and without the attachment for one key of each set of tags in the largest groups of keys (same team, same models) and for sample teams',
  ];
  const selectsByTag = Array.isArray(tags) ? tags.length > 0 : true;
  if (selectsByTag) {
    notes.push('caller tags are not counted: a request that brings a matching tag itself is affected too');
  }
  const condition = snapshot.production.get(policy_name)?.policy.condition ?? null;
  if (condition !== null) {
    notes.push(
      'the policy has a condition: the counts are of whom the attachment matches, guardrails honour the condition',
    );
  }
  return notes;
}
