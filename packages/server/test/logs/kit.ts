import type { Demand, RunRecord } from '@portcullis/policy';
import type { LoggedRequest, RequestDetails } from '../../src/ports/logs.ts';
import type { RequestRecord } from '../../src/ports/records.ts';

/** 2026-01-01 12:00:00 UTC. */
export const NOON = Date.UTC(2026, 0, 1, 12);
export const DAY_MS = 86_400_000;

export function run(name: string, over: Partial<RunRecord> = {}): RunRecord {
  return {
    guardrail_name: name,
    guardrail_id: `id-of-${name}`,
    guardrail_provider: 'litellm_content_filter',
    guardrail_mode: ['pre_call'],
    executed_hook: 'pre_call',
    enforcement: 'enforce',
    pipeline: null,
    demanded_by: [{ source: 'global' }],
    outcome: 'clean',
    flagged_action: null,
    error_class: null,
    reason: null,
    verdict: 'allow',
    failed_open: false,
    guardrail_status: 'success',
    start_time: NOON / 1_000,
    end_time: NOON / 1_000 + 0.002,
    duration: 0.002,
    masked_entity_count: {},
    match_details: [],
    detection_method: null,
    patterns_checked: null,
    risk_score: null,
    confidence_score: null,
    classification: null,
    alert_recipients: [],
    guardrail_response: null,
    policy_template: null,
    unscanned: [],
    ...over,
  };
}

export const passed = (name: string, over: Partial<RunRecord> = {}): RunRecord => run(name, over);
export const masked = (name: string, over: Partial<RunRecord> = {}): RunRecord =>
  run(name, { outcome: 'masked', verdict: 'mask', guardrail_status: 'guardrail_intervened', ...over });
export const blocked = (name: string, over: Partial<RunRecord> = {}): RunRecord =>
  run(name, {
    outcome: 'flagged',
    flagged_action: 'block',
    verdict: 'block',
    reason: 'a kind of thing was found',
    guardrail_status: 'guardrail_intervened',
    ...over,
  });
export const failed = (name: string, over: Partial<RunRecord> = {}): RunRecord =>
  run(name, {
    outcome: 'error',
    error_class: 'unreachable',
    verdict: 'block',
    reason: 'timeout',
    guardrail_status: 'guardrail_failed_to_respond',
    ...over,
  });
export const notRun = (name: string, over: Partial<RunRecord> = {}): RunRecord =>
  run(name, { outcome: 'not_run', reason: 'monitored', guardrail_status: 'not_run', ...over });

export const demandedBy = (policyId: string, name = policyId): { demanded_by: readonly Demand[] } => ({
  demanded_by: [{ source: 'attachment', policy_name: name, policy_id: policyId, version_number: 1 }],
});

export const policy = (
  policyId: string,
  name = policyId,
  version = 1,
): RequestRecord['policies'][number] => ({
  policy_name: name,
  policy_id: policyId,
  version_number: version,
  override: false,
  enforcement: 'enforce',
  selections: [],
  guardrails: [],
  replaced_by: [],
});

export function record(callId: string, over: Partial<RequestRecord> = {}): RequestRecord {
  return {
    call_id: callId,
    time: NOON,
    method: 'POST',
    path: '/v1/chat/completions',
    status: 200,
    end: 'answered',
    error_code: null,
    error_message: null,
    revision: 1,
    plan_hash: 'f'.repeat(64),
    key_hash_prefix: null,
    key_alias: null,
    team_id: null,
    team_alias: null,
    user_id: null,
    role: 'internal_user',
    model: 'gpt-4o',
    model_group: 'gpt-4o',
    model_id: 'deployment-1',
    upstream_model: 'gpt-4o-2024-08-06',
    upstream_status: 200,
    stream: false,
    request_bytes: 100,
    caller_tags: [],
    stripped_fields: [],
    policies: [],
    notes: [],
    verdicts: {},
    guardrails: [],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    timings: { total: 120, upstream: 100, overhead: 20 },
    ...over,
  };
}

export const BLOCKED: Partial<RequestRecord> = {
  status: 400,
  end: 'blocked',
  error_code: 'guardrail_violation',
  error_message: 'Content blocked',
  usage: null,
  model_id: null,
  upstream_model: null,
};

const DETAILS: RequestDetails = {
  keyHash: null,
  organizationId: null,
  endUser: null,
  tags: [],
  callType: 'acompletion',
  provider: 'openai',
  content: null,
};

export function parts({ policies, guardrails, ...summary }: RequestRecord) {
  return { summary, policies, runs: guardrails };
}

/** A finished request as telemetry hands it to the store. */
export function logged(
  callId: string,
  over: Partial<RequestRecord> = {},
  details: Partial<RequestDetails> = {},
): LoggedRequest {
  const whole = record(callId, over);
  return { ...parts(whole), text: JSON.stringify(whole), details: { ...DETAILS, ...details } };
}
