import type { UsageDay, UsageFigures } from '@portcullis/contract';
import { type DailyCounts, LATENCY_BOUNDS_MS } from '../../ports/logs.ts';

const CRITICAL_PERCENT = 15;
const WARNING_PERCENT = 5;
/** Percentage points that make a trend. */
const TREND_POINTS = 0.5;

export type Sums = Omit<DailyCounts, 'subject' | 'name' | 'version' | 'provider' | 'day'>;

const NOTHING: Sums = {
  evaluated: 0,
  passed: 0,
  masked: 0,
  blocked: 0,
  flagged: 0,
  errors: 0,
  notRun: 0,
  timed: 0,
  latencyMs: 0,
  buckets: [],
  scored: 0,
  score: 0,
};

/** The counts of several days or subjects together. */
export function sumOf(counts: readonly Sums[]): Sums {
  return counts.reduce<Sums>(
    (sum, next) => ({
      evaluated: sum.evaluated + next.evaluated,
      passed: sum.passed + next.passed,
      masked: sum.masked + next.masked,
      blocked: sum.blocked + next.blocked,
      flagged: sum.flagged + next.flagged,
      errors: sum.errors + next.errors,
      notRun: sum.notRun + next.notRun,
      timed: sum.timed + next.timed,
      latencyMs: sum.latencyMs + next.latencyMs,
      buckets: next.buckets.map((count, bucket) => count + (sum.buckets[bucket] ?? 0)),
      scored: sum.scored + next.scored,
      score: sum.score + next.score,
    }),
    NOTHING,
  );
}

/** The figures of a row. Without data every rate is null: nothing seen is not everything passed (D-60). */
export function figuresOf(counts: readonly Sums[], before: readonly Sums[]): UsageFigures {
  const sum = sumOf(counts);
  const failRate = percent(sum.blocked, sum.evaluated);
  return {
    requestsEvaluated: sum.evaluated,
    failRate,
    avgScore: sum.scored === 0 ? null : rounded(sum.score / sum.scored),
    avgLatency: sum.timed === 0 ? null : rounded(sum.latencyMs / sum.timed),
    status: statusOf(failRate),
    trend: trendOf(failRate, sumOf(before)),
    hasData: sum.evaluated > 0,
    passedCount: sum.passed,
    maskedCount: sum.masked,
    blockedCount: sum.blocked,
    flaggedCount: sum.flagged,
    errorCount: sum.errors,
    notRunCount: sum.notRun,
    blockRate: failRate,
    maskRate: percent(sum.masked, sum.evaluated),
    flagRate: percent(sum.flagged, sum.evaluated),
    errorRate: percent(sum.errors, sum.evaluated),
    p50Latency: quantile(sum.buckets, sum.timed, 0.5),
    p95Latency: quantile(sum.buckets, sum.timed, 0.95),
  };
}

/** Percent that neither blocked nor failed; null without data. */
export function passRate(sum: Sums): number | null {
  return percent(sum.passed + sum.masked + sum.flagged, sum.evaluated);
}

/** One entry for each day on which something was evaluated. */
export function chartOf(counts: readonly DailyCounts[]): readonly UsageDay[] {
  const days = new Map<string, DailyCounts[]>();
  for (const count of counts) days.set(count.day, [...(days.get(count.day) ?? []), count]);
  return [...days]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([date, counts]) => {
      const { passed, blocked, masked, flagged, errors } = sumOf(counts);
      return { date, passed, blocked, masked, flagged, errors };
    });
}

/** A latency below which this share of the times lies: linear within its bucket, the upper bound beyond the last one. */
function quantile(buckets: readonly number[], total: number, share: number): number | null {
  if (total === 0) return null;
  const wanted = share * total;
  let below = 0;
  for (const [bucket, count] of buckets.entries()) {
    const lower = bucket === 0 ? 0 : (LATENCY_BOUNDS_MS[bucket - 1] ?? 0);
    const upper = LATENCY_BOUNDS_MS[bucket] ?? lower;
    if (count > 0 && below + count >= wanted) {
      return rounded(lower + (upper - lower) * Math.max(0, (wanted - below) / count));
    }
    below += count;
  }
  return null;
}

function statusOf(failRate: number | null): UsageFigures['status'] {
  if (failRate === null) return 'no_data';
  if (failRate > CRITICAL_PERCENT) return 'critical';
  return failRate > WARNING_PERCENT ? 'warning' : 'healthy';
}

/** Nothing to compare with is no trend. */
function trendOf(failRate: number | null, before: Sums): UsageFigures['trend'] {
  const earlier = percent(before.blocked, before.evaluated);
  if (failRate === null || earlier === null) return 'stable';
  const change = failRate - earlier;
  if (change > TREND_POINTS) return 'up';
  return change < -TREND_POINTS ? 'down' : 'stable';
}

function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : rounded((100 * part) / whole);
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
