import { z } from 'zod';
import { keyReferenceSchema } from './keys.ts';
import { textSchema } from './protection.ts';

/** Queries of the log and usage routes. An unknown filter is refused: ignoring it would answer another question. */

const DAY = /^\d{4}-\d{2}-\d{2}$/u;
const TIME = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|\+00:00)?$/u;

/** A moment as the reference writes it (`YYYY-MM-DD HH:MM:SS`, UTC), or a whole day; null when the text is neither. */
export function momentOf(text: string): { readonly ms: number; readonly isDay: boolean } | null {
  const isDay = DAY.test(text);
  if (!isDay && !TIME.test(text)) return null;
  const day = text.slice(0, 10);
  const time = isDay ? '00:00:00' : text.slice(11).replace(/(?:Z|\+00:00)$/u, '');
  const ms = Date.parse(`${day}T${time}Z`);
  // Date.parse takes the 31st of a short month for the 1st of the next one.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== day ? null : { ms, isDay };
}

const momentSchema = z
  .string()
  .refine((text) => momentOf(text) !== null, 'is YYYY-MM-DD HH:MM:SS (UTC), or YYYY-MM-DD');

/** What guardrails did, as an enum and never as a text to search in (D-62). */
export const actionSchema = z.enum(['blocked', 'error', 'masked', 'flagged', 'passed', 'not_run']);
const requestActionSchema = z.enum([...actionSchema.options, 'none']);

const requestIdSchema = z.string().min(1).max(256);

const flag = z
  .enum(['true', 'false', 'True', 'False', '1', '0'])
  .transform((value) => ['true', 'True', '1'].includes(value));

const pageShape = {
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  page_size: z.coerce.number().int().min(1).max(100).default(50),
};

/** Query of `GET /spend/logs`. */
export const spendLogsQuerySchema = z.strictObject({
  request_id: requestIdSchema.optional(),
  api_key: keyReferenceSchema.optional(),
  user_id: textSchema.optional(),
  start_date: momentSchema.optional(),
  end_date: momentSchema.optional(),
  summarize: flag.default(true),
});
export type SpendLogsQuery = z.infer<typeof spendLogsQuerySchema>;

/**
 * Query of `GET /spend/logs/ui` and `/spend/logs/v2`. `model` is the requested name or the model group. `action` is what
 * the named guardrail or policy did; without one of them, what became of the request.
 */
export const spendLogPageQuerySchema = z.strictObject({
  ...pageShape,
  start_date: momentSchema.optional(),
  end_date: momentSchema.optional(),
  sort_by: z
    .enum(['startTime', 'endTime', 'spend', 'total_tokens', 'request_duration_ms'])
    .default('startTime'),
  sort_order: z.enum(['asc', 'desc']).default('desc'),
  request_id: requestIdSchema.optional(),
  api_key: keyReferenceSchema.optional(),
  user_id: textSchema.optional(),
  team_id: textSchema.optional(),
  key_alias: textSchema.optional(),
  status_filter: z.enum(['success', 'failure']).optional(),
  model: textSchema.optional(),
  end_user: textSchema.optional(),
  error_code: textSchema.optional(),
  tag: textSchema.optional(),
  guardrail: textSchema.optional(),
  policy: textSchema.optional(),
  action: requestActionSchema.optional(),
});
export type SpendLogPageQuery = z.infer<typeof spendLogPageQuerySchema>;

/** Query of `GET /spend/logs/ui/{request_id}`; the reference's scripts send the day of the request. */
export const spendLogQuerySchema = z.strictObject({
  start_date: momentSchema.optional(),
  end_date: momentSchema.optional(),
});

/** Query of the usage overviews. The dates are checked by the handler, because the reference answers 400 for them. */
export const usageQuerySchema = z.strictObject({
  start_date: z.string().max(64).optional(),
  end_date: z.string().max(64).optional(),
});
export type UsageQuery = z.infer<typeof usageQuerySchema>;

/** Query of `GET /guardrails/usage/logs`: of one guardrail, or of one policy version. */
export const usageLogsQuerySchema = z
  .strictObject({
    ...usageQuerySchema.shape,
    ...pageShape,
    guardrail_id: textSchema.optional(),
    policy_id: textSchema.optional(),
    action: actionSchema.optional(),
  })
  .refine((query) => (query.guardrail_id === undefined) !== (query.policy_id === undefined), {
    path: ['guardrail_id'],
    message: 'give either guardrail_id or policy_id',
  });
export type UsageLogsQuery = z.infer<typeof usageLogsQuerySchema>;

/** Figures that the reference does not have are in milliseconds and percent, and null where there is no data. */
export interface UsageFigures {
  readonly requestsEvaluated: number;
  /** Percent of evaluated requests that were blocked; the reference's name. Null without data. */
  readonly failRate: number | null;
  readonly avgScore: number | null;
  readonly avgLatency: number | null;
  readonly status: 'healthy' | 'warning' | 'critical' | 'no_data';
  readonly trend: 'up' | 'down' | 'stable';
  readonly hasData: boolean;
  readonly passedCount: number;
  readonly maskedCount: number;
  readonly blockedCount: number;
  readonly flaggedCount: number;
  readonly errorCount: number;
  /** Not part of `requestsEvaluated`: nothing looked (D-62). */
  readonly notRunCount: number;
  readonly blockRate: number | null;
  readonly maskRate: number | null;
  readonly flagRate: number | null;
  readonly errorRate: number | null;
  readonly p50Latency: number | null;
  readonly p95Latency: number | null;
}

/** One guardrail, or one version of a policy, in an overview. */
export interface UsageRow extends UsageFigures {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly provider: string;
  readonly usageUnits: Readonly<Record<string, never>>;
  readonly cost: null;
  readonly untrackedUsageUnits: Readonly<Record<string, never>>;
  readonly versionNumber?: number | null;
}

export interface UsageDay {
  readonly date: string;
  readonly passed: number;
  readonly blocked: number;
  readonly masked: number;
  readonly flagged: number;
  readonly errors: number;
}

/**
 * Answer of the overviews. `passRate` is the percentage of evaluations that neither blocked nor failed; the reference
 * says 100 when there is no data, here it is null and `hasData` is false (D-60).
 */
export interface UsageOverview {
  readonly rows: readonly UsageRow[];
  readonly chart: readonly UsageDay[];
  readonly totalRequests: number;
  readonly totalBlocked: number;
  readonly passRate: number | null;
  readonly hasData: boolean;
  readonly totalUsageUnits: Readonly<Record<string, never>>;
  readonly totalCost: null;
  readonly totalUntrackedUsageUnits: Readonly<Record<string, never>>;
}

/** One row of the spend logs, with the names of the reference and, additive, `action`, `error_code` and `cost_known`. */
export interface SpendLogRow {
  readonly request_id: string;
  readonly call_type: string;
  /** The hash of the key. */
  readonly api_key: string;
  readonly user: string;
  readonly team_id: string | null;
  readonly organization_id: string | null;
  readonly end_user: string;
  readonly request_tags: readonly string[];
  readonly requester_ip_address: null;
  readonly session_id: null;
  readonly model: string;
  readonly model_id: string;
  readonly model_group: string;
  readonly custom_llm_provider: string;
  readonly api_base: string;
  readonly mcp_namespaced_tool_name: null;
  readonly spend: number;
  readonly cost_known: boolean;
  readonly total_tokens: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly startTime: string;
  readonly endTime: string;
  readonly completionStartTime: string | null;
  readonly request_duration_ms: number;
  readonly cache_hit: 'None';
  readonly cache_key: string;
  readonly status: 'success' | 'failure';
  readonly action: z.infer<typeof requestActionSchema>;
  readonly error_code: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly messages: Readonly<Record<string, never>>;
  readonly response: Readonly<Record<string, never>>;
  readonly proxy_server_request: Readonly<Record<string, never>>;
}
