import type { Profiler } from 'node:inspector';

const SHOWN = 60;

/** Prints the functions in which most time was spent: by themselves, and with what they call. */
export function printProfile(name: string, profile: Profiler.Profile): void {
  const functions = new Map<number, string>();
  const parents = new Map<number, number>();
  for (const { id, callFrame, children } of profile.nodes) {
    const file = callFrame.url.replace(/^.*\/(?:node_modules|packages)\//u, '');
    const place = file === '' ? '' : `  ${file}:${callFrame.lineNumber + 1}`;
    functions.set(id, `${callFrame.functionName || '(anonymous)'}${place}`);
    for (const child of children ?? []) parents.set(child, id);
  }
  const alone = new Map<string, number>();
  const whole = new Map<string, number>();
  const add = (to: Map<string, number>, of: string, time: number) => to.set(of, (to.get(of) ?? 0) + time);
  let busy = 0;
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const of = functions.get(id) ?? '';
    if (of === '(idle)') continue;
    const time = profile.timeDeltas?.[index] ?? 0;
    busy += time;
    add(alone, of, time);
    // A function that calls itself counts once.
    const onStack = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at))
      onStack.add(functions.get(at) ?? '');
    for (const called of onStack) add(whole, called, time);
  }
  const print = (title: string, times: ReadonlyMap<string, number>): void => {
    process.stdout.write(`\nWhere ${name} spends its time, ${title} (main thread, % of busy time)\n`);
    const top = [...times].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
    for (const [of, time] of top)
      process.stdout.write(`  ${((100 * time) / busy).toFixed(1).padStart(5)}  ${of}\n`);
  };
  print('functions alone', alone);
  print('functions with what they call', whole);
}
