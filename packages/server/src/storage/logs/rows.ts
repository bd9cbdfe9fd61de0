import { LATENCY_BOUNDS_MS, type LoggedRequest } from '../../ports/logs.ts';
import { contentRow } from './content.ts';
import { bucketOf, type Decision, decisionsOf, requestAction } from './decisions.ts';

/** Characters of an indexed text: the index takes 2,704 bytes, and a character has at most four. */
const INDEXED_CHARACTERS = 256;
const MAX_TAGS = 100;

/**
 * The rows of requests as JSON lists, which the database takes apart: one parameter for a whole batch, and the record is
 * put in as the text that it already is.
 */
export interface Rows {
  readonly requests: string;
  readonly decisions: (fresh: ReadonlySet<string>) => string;
  readonly counts: (fresh: ReadonlySet<string>) => string;
  readonly contents: (fresh: ReadonlySet<string>) => string;
}

export function rowsOf(batch: readonly LoggedRequest[]): Rows {
  const decided = batch.map((request) => ({ request, decisions: decisionsOf(request) }));
  const among = (fresh: ReadonlySet<string>) =>
    decided.filter(({ request }) => fresh.has(request.summary.call_id));
  return {
    requests: storable(`[${batch.map(requestJson).join(',')}]`),
    decisions: (fresh) =>
      storable(
        JSON.stringify(
          among(fresh).flatMap(({ request: { summary }, decisions }) =>
            decisions.map((decision) => ({
              request_id: summary.call_id,
              started_at: isoOf(summary.time),
              kind: decision.kind,
              subject: decision.subject,
              name: decision.name,
              version: decision.version,
              provider: decision.provider,
              action: decision.action,
              latency_ms: decision.latencyMs,
              score: decision.score,
              reason: decision.reason,
            })),
          ),
        ),
      ),
    counts: (fresh) => storable(JSON.stringify(countsOf(among(fresh)))),
    contents: (fresh) =>
      storable(JSON.stringify(among(fresh).flatMap(({ request }) => contentRow(request) ?? []))),
  };
}

function requestJson(request: LoggedRequest): string {
  const { summary, text, details } = request;
  const durationMs = summary.timings['total'] ?? 0;
  const usage = summary.usage;
  const columns = JSON.stringify({
    request_id: summary.call_id,
    started_at: isoOf(summary.time),
    ended_at: isoOf(summary.time + durationMs),
    duration_ms: durationMs,
    call_type: details.callType,
    status: summary.end === 'answered' || summary.end === 'responded' ? 'success' : 'failure',
    action: requestAction(request),
    error_code: summary.error_code,
    team_id: indexed(summary.team_id),
    key_hash: details.keyHash,
    key_alias: indexed(summary.key_alias),
    user_id: indexed(summary.user_id),
    organization_id: indexed(details.organizationId),
    end_user: indexed(details.endUser),
    model: indexed(summary.model),
    model_group: indexed(summary.model_group),
    provider: details.provider,
    tags: tagsOf(summary.caller_tags, details.tags),
    prompt_tokens: tokens(usage?.prompt_tokens),
    completion_tokens: tokens(usage?.completion_tokens),
    total_tokens: tokens(usage?.total_tokens),
    spend: details.spend ?? 0,
    cost_known: details.spend !== undefined,
  });
  return `${columns.slice(0, -1)},"record":${text}}`;
}

/** A provider's count is any JSON number; a column is a whole one. */
function tokens(count: number | undefined): number | null {
  return count !== undefined && Number.isSafeInteger(count) && count >= 0 ? count : null;
}

/** As it is stored and looked for. */
export function indexed(text: string | null): string | null {
  return text === null || text.length <= INDEXED_CHARACTERS ? text : text.slice(0, INDEXED_CHARACTERS);
}

function tagsOf(own: readonly string[], given: readonly string[]): readonly string[] {
  if (own.length + given.length === 0) return [];
  return [...new Set([...given, ...own])].slice(0, MAX_TAGS).map((tag) => tag.slice(0, INDEXED_CHARACTERS));
}

interface Counts {
  readonly kind: string;
  readonly subject: string;
  readonly day: string;
  name: string;
  version: number | null;
  provider: string | null;
  evaluated: number;
  passed: number;
  masked: number;
  blocked: number;
  flagged: number;
  errors: number;
  not_run: number;
  timed: number;
  latency_ms: number;
  latency_buckets: number[];
  scored: number;
  score: number;
}

const COLUMN = {
  blocked: 'blocked',
  error: 'errors',
  masked: 'masked',
  flagged: 'flagged',
  passed: 'passed',
  not_run: 'not_run',
} as const;

/** The counts of a batch by subject and day, in one order everywhere, so that two replicas never wait for each other. */
function countsOf(
  decided: readonly { readonly request: LoggedRequest; readonly decisions: readonly Decision[] }[],
): readonly Counts[] {
  const found = new Map<string, Counts>();
  for (const { request, decisions } of decided) {
    const day = isoOf(request.summary.time).slice(0, 10);
    for (const decision of decisions) {
      const key = `${decision.kind}\n${decision.subject}\n${day}`;
      let counts = found.get(key);
      if (counts === undefined) {
        counts = emptyCounts(decision, day);
        found.set(key, counts);
      }
      add(counts, decision);
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, counts]) => counts);
}

function emptyCounts({ kind, subject, name, version, provider }: Decision, day: string): Counts {
  return {
    kind,
    subject,
    day,
    name,
    version,
    provider,
    evaluated: 0,
    passed: 0,
    masked: 0,
    blocked: 0,
    flagged: 0,
    errors: 0,
    not_run: 0,
    timed: 0,
    latency_ms: 0,
    latency_buckets: Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0),
    scored: 0,
    score: 0,
  };
}

function add(counts: Counts, { action, latencyMs, score }: Decision): void {
  counts[COLUMN[action]] += 1;
  if (action !== 'not_run') counts.evaluated += 1;
  if (latencyMs !== null) {
    const bucket = bucketOf(latencyMs);
    counts.timed += 1;
    counts.latency_ms += latencyMs;
    counts.latency_buckets[bucket] = (counts.latency_buckets[bucket] ?? 0) + 1;
  }
  if (score !== null) {
    counts.scored += 1;
    counts.score += score;
  }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

const ESCAPES = /\\(?:u0000|ud[89a-f][0-9a-f]{2}|[^])/gu;

/**
 * JSON without what the database has no place for: the character NUL, and halves of surrogate pairs (which JSON.stringify
 * writes as escapes, and only them). A caller can put both into names and tags, and one such record must not keep a whole
 * batch out.
 */
export function storable(json: string): string {
  if (!json.includes('\\u')) return json;
  return json.replace(ESCAPES, (escape) => (escape.length > 2 ? '\\ufffd' : escape));
}
