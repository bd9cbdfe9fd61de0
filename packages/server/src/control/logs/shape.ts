import type { SpendLogRow } from '@portcullis/contract';
import type { StoredRequest } from '../../ports/logs.ts';

/** A stored request in the words of the reference. What this gateway does not know is empty, never made up. */
export function spendLogRow(row: StoredRequest): SpendLogRow {
  return {
    request_id: row.requestId,
    call_type: row.callType,
    api_key: row.keyHash ?? '',
    user: row.userId ?? '',
    team_id: row.teamId,
    organization_id: row.organizationId,
    end_user: row.endUser ?? '',
    request_tags: row.tags,
    requester_ip_address: null,
    session_id: null,
    model: textIn(row.record, 'upstream_model') ?? row.model ?? '',
    model_id: textIn(row.record, 'model_id') ?? '',
    model_group: row.modelGroup ?? row.model ?? '',
    custom_llm_provider: row.provider ?? '',
    api_base: '',
    mcp_namespaced_tool_name: null,
    spend: row.spend,
    cost_known: row.costKnown,
    total_tokens: row.totalTokens ?? 0,
    prompt_tokens: row.promptTokens ?? 0,
    completion_tokens: row.completionTokens ?? 0,
    startTime: new Date(row.startedAtMs).toISOString(),
    endTime: new Date(row.endedAtMs).toISOString(),
    completionStartTime: null,
    request_duration_ms: row.endedAtMs - row.startedAtMs,
    cache_hit: 'None',
    cache_key: '',
    status: row.status,
    action: row.action,
    error_code: row.errorCode,
    metadata: metadataOf(row),
    messages: {},
    response: {},
    proxy_server_request: {},
  };
}

function metadataOf({ record, ...row }: StoredRequest): Readonly<Record<string, unknown>> {
  const runs = listIn(record, 'guardrails').filter(isObject);
  const policies = listIn(record, 'policies').filter(isObject);
  return {
    user_api_key: row.keyHash,
    user_api_key_alias: row.keyAlias,
    user_api_key_user_id: row.userId,
    user_api_key_team_id: row.teamId,
    user_api_key_team_alias: record['team_alias'] ?? null,
    user_api_key_org_id: row.organizationId,
    spend_logs_metadata: null,
    applied_guardrails: appliedGuardrails(runs),
    guardrail_information: runs,
    applied_policies: policies.map((policy) => policy['policy_name']),
    policies,
    error_information:
      row.errorCode === null
        ? null
        : {
            error_code: JSON.stringify(record['status'] ?? ''),
            error_class: row.errorCode,
            error_message: record['error_message'] ?? null,
          },
    usage_object: record['usage'] ?? null,
    status: row.status,
    action: row.action,
    cost_known: row.costKnown,
    revision: record['revision'] ?? null,
  };
}

/** The enforced guardrails that gave a verdict, in the order of their runs (E3). */
function appliedGuardrails(runs: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] {
  const applied = runs
    .filter((run) => run['enforcement'] === 'enforce' && GAVE_VERDICT.has(run['outcome']))
    .map((run) => run['guardrail_name']);
  return [...new Set(applied)];
}

const GAVE_VERDICT: ReadonlySet<unknown> = new Set(['clean', 'masked', 'flagged']);

function textIn(record: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = record[name];
  return typeof value === 'string' ? value : null;
}

function listIn(record: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  const value = record[name];
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
