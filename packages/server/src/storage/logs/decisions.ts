import type { RunRecord } from '@portcullis/policy';
import {
  type Action,
  ACTIONS,
  LATENCY_BOUNDS_MS,
  type LoggedRequest,
  type RequestAction,
  type Subject,
} from '../../ports/logs.ts';

/** Longest reason that is kept for lists; the record has the whole one. */
const REASON_CHARACTERS = 500;

/** What one guardrail or one policy version did to one request, over all hooks. */
export interface Decision {
  readonly kind: Subject['kind'];
  readonly subject: string;
  readonly name: string;
  readonly version: number | null;
  readonly provider: string | null;
  readonly action: Action;
  /** What the request waited for it; null when only monitored runs were made, for which nobody waits (E5). */
  readonly latencyMs: number | null;
  readonly score: number | null;
  readonly reason: string | null;
}

/**
 * What a run did, read from its typed outcome and never from a text (D-62). What a monitored run would have done counts
 * as `flagged`: it changed nothing.
 */
export function actionOf(run: RunRecord): Action {
  if (run.outcome === 'error') return 'error';
  if (run.enforcement === 'monitor') {
    if (run.verdict !== 'allow' || run.outcome === 'flagged' || run.outcome === 'masked') return 'flagged';
    return run.outcome === 'not_run' ? 'not_run' : 'passed';
  }
  // Content that could not be looked at may block although the run itself did not happen (E9).
  if (run.verdict === 'block' || run.verdict === 'respond') return 'blocked';
  switch (run.outcome) {
    case 'masked':
      return 'masked';
    case 'flagged':
      return 'flagged';
    case 'not_run':
      return 'not_run';
    case 'clean':
      return 'passed';
  }
}

const STRENGTH: Readonly<Record<Action, number>> = Object.fromEntries(
  ACTIONS.map((action, index) => [action, ACTIONS.length - index]),
) as Record<Action, number>;

/** What became of the whole request. A refusal because a guardrail gave no verdict is an error, not a block. */
export function requestAction({ summary, runs }: Pick<LoggedRequest, 'summary' | 'runs'>): RequestAction {
  if (summary.end === 'responded') return 'blocked';
  if (summary.end === 'blocked') return summary.error_code === 'guardrail_error' ? 'error' : 'blocked';
  let strongest: RequestAction = 'none';
  for (const run of runs) {
    const action = actionOf(run);
    if (strongest === 'none' || STRENGTH[action] > STRENGTH[strongest]) strongest = action;
  }
  return strongest;
}

/** One decision for each guardrail that was planned to run and for each policy that applied (D-60). */
export function decisionsOf({
  policies: applied,
  runs,
}: Pick<LoggedRequest, 'policies' | 'runs'>): readonly Decision[] {
  if (runs.length + applied.length === 0) return [];
  const guardrails = new Map<string, Collected>();
  const policies = new Map<string, Collected>();
  for (const { policy_id: id, policy_name: name, version_number: version } of applied) {
    policies.set(id, new Collected('policy', id, name, version, null));
  }
  for (const run of runs) {
    const { guardrail_name: name } = run;
    let guardrail = guardrails.get(name);
    if (guardrail === undefined) {
      guardrail = new Collected('guardrail', name, name, null, run.guardrail_provider);
      guardrails.set(name, guardrail);
    }
    guardrail.add(run);
    const counted = new Set<string>();
    for (const { policy_id: id } of run.demanded_by) {
      if (id === undefined || counted.has(id)) continue;
      counted.add(id);
      policies.get(id)?.add(run);
    }
  }
  return [...guardrails.values(), ...policies.values()];
}

class Collected implements Decision {
  readonly kind: Subject['kind'];
  readonly subject: string;
  readonly name: string;
  readonly version: number | null;
  readonly provider: string | null;
  /** A policy none of whose guardrails came to run did nothing, which is no pass. */
  action: Action = 'not_run';
  latencyMs: number | null = null;
  score: number | null = null;
  reason: string | null = null;

  constructor(
    kind: Subject['kind'],
    subject: string,
    name: string,
    version: number | null,
    provider: string | null,
  ) {
    this.kind = kind;
    this.subject = subject;
    this.name = name;
    this.version = version;
    this.provider = provider;
  }

  add(run: RunRecord): void {
    const action = actionOf(run);
    if (STRENGTH[action] > STRENGTH[this.action] || (action === this.action && this.reason === null)) {
      this.action = action;
      this.reason = run.reason === null ? null : run.reason.slice(0, REASON_CHARACTERS);
    }
    if (run.enforcement === 'enforce' && run.outcome !== 'not_run') {
      this.latencyMs = (this.latencyMs ?? 0) + run.duration * 1_000;
    }
    if (run.risk_score !== null) this.score = Math.max(this.score ?? 0, run.risk_score);
  }
}

/** The number of the histogram's bucket: how many of its bounds are at or below the time. */
export function bucketOf(latencyMs: number): number {
  let bucket = 0;
  for (const bound of LATENCY_BOUNDS_MS) {
    if (latencyMs < bound) break;
    bucket += 1;
  }
  return bucket;
}
