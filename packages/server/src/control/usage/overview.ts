import type { UsageOverview, UsageRow } from '@portcullis/contract';
import type { DailyCounts, LogReader, LogScope, Subject } from '../../ports/logs.ts';
import type { ControlContext } from '../context.ts';
import { chartOf, figuresOf, passRate, sumOf } from './figures.ts';
import type { UsageRange } from './range.ts';

export type UsageContext = Pick<ControlContext, 'database' | 'clock' | 'catalogue'>;

/** What may be in an overview: active now, or in the counts. */
export interface Usable {
  readonly id: string;
  readonly name: string;
  readonly version: number | null;
  readonly provider: string;
}

const NO_UNITS: UsageRow['usageUnits'] = Object.freeze({});

/** One row for each subject that is active or was counted in the asked days. */
export async function overviewOf(
  logs: LogReader,
  kind: Subject['kind'],
  listed: readonly Usable[],
  range: UsageRange,
  scope: LogScope | null,
): Promise<UsageOverview> {
  const counts = await logs.dailyCounts({ kind, fromDay: range.fromDay, toDay: range.toDay, scope });
  const before = await logs.dailyCounts({
    kind,
    fromDay: range.previousFromDay,
    toDay: range.previousToDay,
    scope,
  });
  const now = bySubject(counts);
  const earlier = bySubject(before);
  const all = new Map(listed.map((usable) => [usable.id, usable]));
  for (const [id, days] of now) {
    const newest = days.at(-1);
    // What is deleted or renamed since then has still done what it did.
    if (newest !== undefined && !all.has(id)) all.set(id, { ...newest, id, provider: newest.provider ?? '' });
  }
  const sum = sumOf(counts);
  return {
    rows: [...all.values()].sort(byName).map(({ id, name, version, provider }) => ({
      id,
      name,
      type: kind === 'policy' ? 'Policy' : 'Guardrail',
      provider: kind === 'policy' ? 'LiteLLM' : provider,
      ...figuresOf(now.get(id) ?? [], earlier.get(id) ?? []),
      usageUnits: NO_UNITS,
      cost: null,
      untrackedUsageUnits: NO_UNITS,
      ...(kind === 'policy' ? { versionNumber: version } : {}),
    })),
    chart: chartOf(counts),
    totalRequests: sum.evaluated,
    totalBlocked: sum.blocked,
    passRate: passRate(sum),
    hasData: sum.evaluated > 0,
    totalUsageUnits: NO_UNITS,
    totalCost: null,
    totalUntrackedUsageUnits: NO_UNITS,
  };
}

function bySubject(counts: readonly DailyCounts[]): ReadonlyMap<string, readonly DailyCounts[]> {
  const found = new Map<string, DailyCounts[]>();
  for (const count of counts) {
    const days = found.get(count.subject);
    if (days === undefined) found.set(count.subject, [count]);
    else days.push(count);
  }
  return found;
}

function byName(a: Usable, b: Usable): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return (a.version ?? 0) - (b.version ?? 0);
}
