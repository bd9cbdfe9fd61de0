/**
 * npm run bench: direct, a raw pass-through proxy, and the gateway bare and guarded, measured in turns in one run.
 *
 * Absolute times depend on the machine; the ratios within the run do not, so the table ends with them.
 * Options: --seconds N (a window, default 3), --rounds N (default 3), --quick, --soak N (requests), --json FILE.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fire, median, quantile, type Shot } from './load.ts';
import { bodies, chatShot, postJson, waitUntilReady } from './client.ts';
import { machine, printRatios, printTable, type Row } from './report.ts';
import { freePort, saysListening, Target } from './target.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    soak: { type: 'string' },
    json: { type: 'string' },
  },
});
const seconds = options.quick ? 1 : Number(options.seconds);
const rounds = options.quick ? 1 : Number(options.rounds);
const MASTER_KEY = 'sk-bench-admin-0123456789';
const CONNECTIONS = 16;

interface Load {
  readonly name: string;
  readonly stream: boolean;
  readonly rate: number | null;
}

const LOADS: readonly Load[] = [
  { name: 'whole, closed loop', stream: false, rate: null },
  { name: 'whole, 400/s', stream: false, rate: 400 },
  { name: 'stream, closed loop', stream: true, rate: null },
  { name: 'stream, 60/s', stream: true, rate: 60 },
];

const scratch = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
const targets: Target[] = [];

/** Starts the gateway with a configuration and a fresh key of its own. */
async function startGateway(
  name: 'bare' | 'guarded',
  upstream: string,
): Promise<{ target: Target; key: string }> {
  const port = await freePort();
  const config = fileURLToPath(new URL(`../configs/${name}.yaml`, import.meta.url));
  const cli = new URL('../../packages/cli/dist/main.js', import.meta.url);
  const target = await Target.start(
    `gateway ${name}`,
    cli,
    ['serve', '--config', config, '--port', String(port), '--data-dir', join(scratch, name)],
    port,
    () => waitUntilReady(`http://127.0.0.1:${port}`),
    { ...process.env, BENCH_UPSTREAM: `${upstream}/v1`, BENCH_MASTER_KEY: MASTER_KEY },
  );
  targets.push(target);
  const answer = await postJson(target.origin, '/key/generate', MASTER_KEY, { key_alias: `bench-${name}` });
  return { target, key: String((answer as { key?: unknown }).key) };
}

async function measure(target: Target, load: Load, shot: Shot): Promise<Row> {
  const before = await target.read();
  const window = await fire(target.origin, shot, { connections: CONNECTIONS, seconds, rate: load.rate });
  const after = await target.read();
  if (window.failed > 0)
    throw new Error(`${target.name}, ${load.name}: ${window.failed} requests failed; no figures`);
  return {
    target: target.name,
    load: load.name,
    requests: window.requests,
    perSecond: window.requests / window.seconds,
    p50Ms: quantile(window.totalMs, 0.5),
    p99Ms: quantile(window.totalMs, 0.99),
    firstByteP50Ms: quantile(window.firstByteMs, 0.5),
    cpuUsPerRequest: (after.cpuUs - before.cpuUs) / window.requests,
    rssMb: after.rssBytes / 1_048_576,
    heapMb: after.heapBytes / 1_048_576,
  };
}

async function soak(target: Target, key: string, requests: number): Promise<void> {
  process.stdout.write(
    `\nMemory over ${requests} requests (${target.name}), after a collection each time:\n`,
  );
  const shot = chatShot(bodies.whole, key);
  const steps = 10;
  for (let step = 0; step <= steps; step += 1) {
    if (step > 0) {
      const window = await fire(target.origin, shot, {
        connections: CONNECTIONS,
        seconds: 600,
        rate: null,
        maxRequests: Math.ceil(requests / steps),
      });
      if (window.failed > 0) throw new Error(`${window.failed} requests failed during the soak`);
    }
    const { rssBytes, heapBytes } = await target.read();
    const mb = (bytes: number): string => (bytes / 1_048_576).toFixed(1).padStart(7);
    process.stdout.write(
      `  ${String((requests / steps) * step).padStart(8)} requests  heap ${mb(heapBytes)} MB  rss ${mb(rssBytes)} MB\n`,
    );
  }
}

async function main(): Promise<void> {
  const upstreamPort = await freePort();
  const upstream = await Target.start(
    'direct',
    new URL('./upstream.js', import.meta.url),
    [String(upstreamPort)],
    upstreamPort,
    saysListening,
  );
  targets.push(upstream);
  const rawPort = await freePort();
  const raw = await Target.start(
    'raw proxy',
    new URL('./raw-proxy.js', import.meta.url),
    [String(rawPort), upstream.origin],
    rawPort,
    saysListening,
  );
  targets.push(raw);
  const bare = await startGateway('bare', upstream.origin);
  const guarded = await startGateway('guarded', upstream.origin);

  const rest = await bare.target.read();
  process.stdout.write(
    `Gateway at rest (embedded database included): ${(rest.rssBytes / 1_048_576).toFixed(0)} MB\n`,
  );

  // A guarded target that lets the forbidden through has no figures.
  await expectStatus(guarded.target.origin, guarded.key, bodies.blocked, 400);
  await expectStatus(guarded.target.origin, guarded.key, bodies.masked, 200);

  const runs: [Target, string][] = [
    [upstream, ''],
    [raw, ''],
    [bare.target, bare.key],
    [guarded.target, guarded.key],
  ];
  const rows: Row[] = [];
  for (const [target, key] of runs) {
    for (const stream of [false, true]) {
      const shot = chatShot(stream ? bodies.stream : bodies.whole, key);
      await fire(target.origin, shot, {
        connections: CONNECTIONS,
        seconds: Math.min(2, seconds),
        rate: null,
      });
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const load of LOADS) {
      process.stderr.write(`round ${round + 1} of ${rounds}: ${load.name}\n`);
      for (const [target, key] of runs) {
        rows.push(await measure(target, load, chatShot(load.stream ? bodies.stream : bodies.whole, key)));
      }
    }
  }
  const medians = summarise(rows);
  printTable(medians);
  const ratios = printRatios(medians);
  if (options.soak !== undefined) await soak(guarded.target, guarded.key, Number(options.soak));
  const result = { machine: machine(), seconds, rounds, connections: CONNECTIONS, rows, medians, ratios };
  if (options.json !== undefined) {
    mkdirSync(dirname(options.json), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  }
}

async function expectStatus(origin: string, key: string, body: string, status: number): Promise<void> {
  const window = await fire(
    origin,
    { ...chatShot(body, key), expectStatus: status },
    {
      connections: 1,
      seconds: 5,
      rate: null,
      maxRequests: 1,
    },
  );
  if (window.requests !== 1)
    throw new Error(`the gateway did not answer ${status} to the request that must get it`);
}

/** Medians over the rounds, per target and load. */
function summarise(rows: readonly Row[]): Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.load}|${row.target}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) => {
    const mid = (pick: (row: Row) => number): number => median(group.map(pick));
    const [first] = group;
    if (first === undefined) throw new Error('a group has no rows');
    return {
      ...first,
      requests: group.reduce((sum, row) => sum + row.requests, 0),
      perSecond: mid((row) => row.perSecond),
      p50Ms: mid((row) => row.p50Ms),
      p99Ms: mid((row) => row.p99Ms),
      firstByteP50Ms: mid((row) => row.firstByteP50Ms),
      cpuUsPerRequest: mid((row) => row.cpuUsPerRequest),
      rssMb: mid((row) => row.rssMb),
      heapMb: mid((row) => row.heapMb),
    };
  });
}

try {
  await main();
} finally {
  await Promise.all(targets.map((target) => target.stop()));
  rmSync(scratch, { recursive: true, force: true });
}
