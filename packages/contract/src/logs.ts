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

type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Immutable<T[Name]> }
    : T;

const countSchema = z.int().min(0);
const percentSchema = z.number().nullable();
const nothingSchema = z.object({});
const momentAnswer = z.iso.datetime({ precision: 3 });

/** Figures that the reference does not have are in milliseconds and percent, and null where there is no data. */
export const usageFiguresShape = {
  requestsEvaluated: countSchema,
  /** Percent of evaluated requests that were blocked; the reference's name. */
  failRate: percentSchema,
  avgScore: z.number().nullable(),
  avgLatency: z.number().nullable(),
  status: z.enum(['healthy', 'warning', 'critical', 'no_data']),
  trend: z.enum(['up', 'down', 'stable']),
  hasData: z.boolean(),
  passedCount: countSchema,
  maskedCount: countSchema,
  blockedCount: countSchema,
  flaggedCount: countSchema,
  errorCount: countSchema,
  /** Not part of `requestsEvaluated`: nothing looked (D-62). */
  notRunCount: countSchema,
  blockRate: percentSchema,
  maskRate: percentSchema,
  flagRate: percentSchema,
  errorRate: percentSchema,
  p50Latency: z.number().nullable(),
  p95Latency: z.number().nullable(),
};
const usageFiguresSchema = z.object(usageFiguresShape);
export type UsageFigures = Immutable<z.infer<typeof usageFiguresSchema>>;

/** One guardrail, or one version of a policy, in an overview. */
const usageRowSchema = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  provider: z.string(),
  ...usageFiguresShape,
  usageUnits: nothingSchema,
  cost: z.null(),
  untrackedUsageUnits: nothingSchema,
  versionNumber: z.int().nullish(),
});
export type UsageRow = Immutable<z.infer<typeof usageRowSchema>>;

export const usageDaySchema = z.object({
  date: z.iso.date(),
  passed: countSchema,
  blocked: countSchema,
  masked: countSchema,
  flagged: countSchema,
  errors: countSchema,
});
export type UsageDay = Immutable<z.infer<typeof usageDaySchema>>;

/**
 * Answer of the overviews. `passRate` is the percentage of evaluations that neither blocked nor failed; the reference
 * says 100 when there is no data, here it is null and `hasData` is false (D-60).
 */
export const usageOverviewSchema = z.object({
  rows: z.array(usageRowSchema),
  chart: z.array(usageDaySchema),
  totalRequests: countSchema,
  totalBlocked: countSchema,
  passRate: percentSchema,
  hasData: z.boolean(),
  totalUsageUnits: nothingSchema,
  totalCost: z.null(),
  totalUntrackedUsageUnits: nothingSchema,
});
export type UsageOverview = Immutable<z.infer<typeof usageOverviewSchema>>;

/** One row of the spend logs, with the names of the reference and, additive, `action`, `error_code` and `cost_known`. */
export const spendLogRowSchema = z.object({
  request_id: z.string(),
  call_type: z.string(),
  /** The hash of the key. */
  api_key: z.string(),
  user: z.string(),
  team_id: z.string().nullable(),
  organization_id: z.string().nullable(),
  end_user: z.string(),
  request_tags: z.array(z.string()),
  requester_ip_address: z.null(),
  session_id: z.null(),
  model: z.string(),
  model_id: z.string(),
  model_group: z.string(),
  custom_llm_provider: z.string(),
  api_base: z.string(),
  mcp_namespaced_tool_name: z.null(),
  spend: z.number(),
  cost_known: z.boolean(),
  total_tokens: z.number(),
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  startTime: momentAnswer,
  endTime: momentAnswer,
  completionStartTime: momentAnswer.nullable(),
  request_duration_ms: z.number(),
  cache_hit: z.literal('None'),
  cache_key: z.string(),
  status: z.enum(['success', 'failure']),
  action: requestActionSchema,
  error_code: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  messages: nothingSchema,
  response: nothingSchema,
  proxy_server_request: nothingSchema,
});
export type SpendLogRow = Immutable<z.infer<typeof spendLogRowSchema>>;
