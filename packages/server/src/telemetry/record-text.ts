import type { AppliedPolicy, RunRecord } from '@portcullis/policy';
import type { RequestSummary } from '../ports/records.ts';

/**
 * A record as JSON. It is written for every request, so what is the same for all requests of one plan is written once and
 * kept as text, and what is null or empty in a run is left out: that is most of it.
 */
export function recordText(
  summary: RequestSummary,
  policies: readonly AppliedPolicy[],
  runs: readonly RunRecord[],
): string {
  const guardrails = runs.length === 0 ? '' : runs.map(runText).join(',');
  return `${JSON.stringify(summary).slice(0, -1)},"policies":${policiesText(policies)},"guardrails":[${guardrails}]}`;
}

const POLICIES = new WeakMap<object, string>();

function policiesText(policies: readonly AppliedPolicy[]): string {
  if (policies.length === 0) return '[]';
  let text = POLICIES.get(policies);
  if (text === undefined) {
    text = JSON.stringify(policies);
    POLICIES.set(policies, text);
  }
  return text;
}

/** The parts of a run that its plan and its guardrail fix. */
interface Fixed {
  readonly name: string;
  readonly id: string;
  readonly hook: string;
  readonly enforcement: string;
  readonly text: string;
}

/** By the list of demands, which is one object of the plan for each of its runs. */
const FIXED = new WeakMap<object, Fixed[]>();

function fixedText(run: RunRecord): string {
  const { guardrail_name: name, guardrail_id: id, executed_hook: hook, enforcement } = run;
  const known = FIXED.get(run.demanded_by);
  if (known !== undefined) {
    for (const fixed of known) {
      if (
        fixed.name === name &&
        fixed.id === id &&
        fixed.hook === hook &&
        fixed.enforcement === enforcement
      ) {
        return fixed.text;
      }
    }
  }
  const { guardrail_provider, guardrail_mode, demanded_by } = run;
  const text = JSON.stringify({
    guardrail_name: name,
    guardrail_id: id,
    guardrail_provider,
    guardrail_mode,
    executed_hook: hook,
    enforcement,
    demanded_by,
  }).slice(0, -1);
  const made: Fixed = { name, id, hook, enforcement, text };
  if (known === undefined) FIXED.set(run.demanded_by, [made]);
  else known.push(made);
  return text;
}

function runText(run: RunRecord): string {
  let text = `${fixedText(run)},"outcome":"${run.outcome}","verdict":"${run.verdict}","guardrail_status":"${run.guardrail_status}","start_time":${run.start_time},"end_time":${run.end_time},"duration":${run.duration}`;
  if (run.pipeline !== null) text += `,"pipeline":${JSON.stringify(run.pipeline)}`;
  if (run.failed_open) text += ',"failed_open":true';
  for (const name of OPTIONAL) {
    const value = run[name];
    if (value !== null) text += `,"${name}":${JSON.stringify(value)}`;
  }
  for (const name of LISTS) if (run[name].length > 0) text += `,"${name}":${JSON.stringify(run[name])}`;
  if (!isEmpty(run.masked_entity_count)) {
    text += `,"masked_entity_count":${JSON.stringify(run.masked_entity_count)}`;
  }
  return `${text}}`;
}

const OPTIONAL = [
  'flagged_action',
  'error_class',
  'reason',
  'detection_method',
  'patterns_checked',
  'risk_score',
  'confidence_score',
  'classification',
  'guardrail_response',
  'policy_template',
] as const;

const LISTS = ['match_details', 'unscanned', 'alert_recipients'] as const;

function isEmpty(counts: Readonly<Record<string, number>>): boolean {
  for (const _name in counts) return false;
  return true;
}
