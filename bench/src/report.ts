import { cpus, totalmem } from 'node:os';

/** One window, or the medians of several. Times in milliseconds, CPU of the target process in microseconds a request. */
export interface Row {
  readonly target: string;
  readonly load: string;
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly firstByteP50Ms: number;
  readonly cpuUsPerRequest: number;
  /** Of it the main thread; NaN where the system does not tell. */
  readonly mainUsPerRequest: number;
  readonly rssMb: number;
  readonly heapMb: number;
}

export function machine(): Readonly<Record<string, unknown>> {
  const processors = cpus();
  return {
    node: process.version,
    cpu: processors[0]?.model,
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    date: new Date().toISOString(),
  };
}

const COLUMNS: readonly [string, (row: Row, direct: Row | undefined) => string][] = [
  ['req/s', (row) => row.perSecond.toFixed(0)],
  ['p50 ms', (row) => row.p50Ms.toFixed(2)],
  ['p99 ms', (row) => row.p99Ms.toFixed(2)],
  ['+p50', (row, direct) => (direct === undefined ? '' : (row.p50Ms - direct.p50Ms).toFixed(2))],
  ['+p99', (row, direct) => (direct === undefined ? '' : (row.p99Ms - direct.p99Ms).toFixed(2))],
  ['1st byte', (row) => row.firstByteP50Ms.toFixed(2)],
  ['CPU us/req', (row) => row.cpuUsPerRequest.toFixed(0)],
  ['main thread', (row) => (Number.isNaN(row.mainUsPerRequest) ? '' : row.mainUsPerRequest.toFixed(0))],
  ['rss MB', (row) => row.rssMb.toFixed(0)],
  ['heap MB', (row) => row.heapMb.toFixed(0)],
];

export function printTable(rows: readonly Row[]): void {
  for (const load of new Set(rows.map((row) => row.load))) {
    const group = rows.filter((row) => row.load === load);
    const direct = group.find((row) => row.target === 'direct');
    process.stdout.write(
      `\n${load}\n${''.padEnd(26)}${COLUMNS.map(([name]) => name.padStart(12)).join('')}\n`,
    );
    for (const row of group) {
      const cells = COLUMNS.map(([, cell]) => cell(row, direct).padStart(12)).join('');
      process.stdout.write(`${row.target.padEnd(26)}${cells}\n`);
    }
  }
}

/** CPU per request of the gateway over that of the raw proxy in the same run: the figures that carry over. */
export function printRatios(rows: readonly Row[]): Readonly<Record<string, number>> {
  const ratios: Record<string, number> = {};
  for (const load of new Set(rows.map((row) => row.load))) {
    const cpu = (target: string): number =>
      rows.find((row) => row.load === load && row.target === target)?.cpuUsPerRequest ?? Number.NaN;
    for (const { target } of rows) {
      if (target.startsWith('gateway')) ratios[`${target}, ${load}`] = cpu(target) / cpu('raw proxy');
    }
  }
  process.stdout.write(
    '\nCPU per request as a multiple of the raw proxy (targets, whole, closed loop: bare 2.5, guarded 3.5)\n',
  );
  for (const [name, ratio] of Object.entries(ratios))
    process.stdout.write(`  ${name.padEnd(48)}${ratio.toFixed(2)}\n`);
  return ratios;
}
