import type { Profiler } from 'node:inspector';

const SHOWN = 45;

/** Prints the functions in which most time was spent, calls of others not counted. */
export function printProfile(name: string, profile: Profiler.Profile): void {
  const functions = new Map<number, string>();
  for (const { id, callFrame } of profile.nodes) {
    const file = callFrame.url.replace(/^.*\/(?:node_modules|packages)\//u, '');
    const place = file === '' ? '' : `  ${file}:${callFrame.lineNumber + 1}`;
    functions.set(id, `${callFrame.functionName || '(anonymous)'}${place}`);
  }
  const spent = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const of = functions.get(id) ?? '';
    if (of === '(idle)') continue;
    const time = profile.timeDeltas?.[index] ?? 0;
    busy += time;
    spent.set(of, (spent.get(of) ?? 0) + time);
  }
  process.stdout.write(`\nWhere ${name} spends its time (main thread, % of busy time)\n`);
  const top = [...spent].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
  for (const [of, time] of top)
    process.stdout.write(`  ${((100 * time) / busy).toFixed(1).padStart(5)}  ${of}\n`);
}
