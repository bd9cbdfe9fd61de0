import type { Demand, Enforcement, Hook, PlannedRun, RunRecord } from '@portcullis/policy';
import { MOST_RISK, riskScore } from './risk.ts';
import { type RunResult, refuses, unscannedReason } from './run.ts';

/** Where in the plan a run stands, as far as its record tells. */
export interface RecordContext {
  readonly hook: Hook;
  readonly enforcement: Enforcement;
  readonly demandedBy: readonly Demand[];
  readonly pipeline: RunRecord['pipeline'];
}

/** The record of one run (E2). Kinds, places and keyed hashes only; never matched text. */
export function recordOf(context: RecordContext, result: RunResult): RunRecord {
  const { instance, outcome, trace } = result;
  const methods = new Set(result.details.map((detail) => detail.detection_method));
  const startSeconds = result.startedAtMs / 1000;
  const durationSeconds = result.tookMs / 1000;
  return {
    guardrail_name: result.guardrail,
    guardrail_id: instance?.guardrail.guardrail_id ?? result.guardrail,
    guardrail_provider: instance?.definition.ids[0] ?? 'unknown',
    guardrail_mode: instance?.params.mode ?? null,
    executed_hook: context.hook,
    enforcement: context.enforcement,
    pipeline: context.pipeline,
    demanded_by: context.demandedBy,
    outcome: outcome.outcome,
    flagged_action: outcome.outcome === 'flagged' ? outcome.action : null,
    error_class: outcome.outcome === 'error' ? outcome.error_class : null,
    reason: reasonOf(result),
    verdict: result.verdict,
    failed_open: result.failedOpen,
    guardrail_status: STATUS[outcome.outcome],
    start_time: startSeconds,
    end_time: startSeconds + durationSeconds,
    duration: durationSeconds,
    masked_entity_count: result.maskedCounts,
    match_details: result.details,
    detection_method: methods.size === 0 ? null : [...methods].sort().join(','),
    patterns_checked: trace.patterns_checked ?? null,
    risk_score: trace.risk_score ?? riskOf(result),
    confidence_score: trace.confidence_score ?? surest(result.details),
    classification: trace.classification ?? null,
    guardrail_response: trace.guardrail_response ?? null,
    alert_recipients: instance?.params.alert_recipients ?? NOBODY,
    policy_template: instance?.guardrail.policy_template ?? null,
    unscanned: result.unscanned,
  };
}

const NOBODY: readonly string[] = [];

/** Only a run with a verdict has a risk. A block is the highest, also when nobody said what was found. */
function riskOf({ outcome, details }: RunResult): number | null {
  switch (outcome.outcome) {
    case 'error':
    case 'not_run':
      return null;
    case 'flagged':
      return outcome.action === 'block' ? MOST_RISK : riskScore(details);
    case 'clean':
    case 'masked':
      return riskScore(details);
  }
}

/** The highest score of what was found; null when nothing has one. */
function surest(details: RunResult['details']): number | null {
  let most: number | null = null;
  for (const { score } of details) if (score !== null && score > (most ?? -1)) most = score;
  return most;
}

const STATUS = {
  clean: 'success',
  masked: 'guardrail_intervened',
  flagged: 'guardrail_intervened',
  error: 'guardrail_failed_to_respond',
  not_run: 'not_run',
} as const;

function reasonOf(result: RunResult): string | null {
  const { outcome } = result;
  if (outcome.outcome === 'error' || outcome.outcome === 'not_run') return outcome.reason;
  if (outcome.outcome === 'flagged') return result.trace.reason ?? outcome.message;
  return refuses(result.unscanned) ? unscannedReason(result.unscanned) : null;
}

/** The records a list of runs leads to: one for each guardrail and one for each step (E2). */
export function plannedRecords(runs: readonly PlannedRun[], enforcement: Enforcement): number {
  let count = 0;
  for (const run of runs) {
    if (run.enforcement !== enforcement) continue;
    count += run.kind === 'pipeline' ? run.steps.length : 1;
  }
  return count;
}
