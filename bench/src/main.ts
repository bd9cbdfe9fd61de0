/**
 * npm run bench: direct, a raw pass-through proxy, and the gateway bare and guarded, without and with requests stored in
 * the embedded database, measured in turns in one run.
 *
 * Absolute times depend on the machine; the ratios within the run do not, so the table ends with them.
 * Options: --seconds N (a window, default 3), --rounds N (default 3), --quick, --soak N (requests), --json FILE,
 * --profile (where the gateways spend their time, and nothing else).
 * With BENCH_DATABASE_URL or DATABASE_URL_TEST, the memory of a gateway on that PostgreSQL is told, too.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fire, median, quantile, type Shot } from './load.ts';
import { bodies, chatShot, postJson, waitUntilReady, waitUntilStored } from './client.ts';
import { printProfile } from './profile.ts';
import { machine, printRatios, printTable, type Row } from './report.ts';
import { freePort, saysListening, Target } from './target.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    soak: { type: 'string' },
    profile: { type: 'boolean', default: false },
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

/** A gateway, or one of the others, which know no keys. */
interface Subject {
  readonly target: Target;
  readonly key: string;
  readonly stores: boolean;
}

/** Starts the gateway with a configuration and a fresh key of its own. */
async function startGateway(
  kind: 'bare' | 'guarded',
  upstream: string,
  options: { readonly stores: boolean; readonly databaseUrl?: string },
): Promise<Subject> {
  const { stores, databaseUrl } = options;
  const name = `${kind}${stores ? ', stored' : ''}${databaseUrl === undefined ? '' : ', PostgreSQL'}`;
  const port = await freePort();
  const config = join(scratch, `${name}.yaml`);
  const written = readFileSync(fileURLToPath(new URL(`../configs/${kind}.yaml`, import.meta.url)), 'utf8');
  writeFileSync(config, `${written}  disable_spend_logs: ${!stores}\n`);
  const cli = new URL('../../packages/cli/dist/main.js', import.meta.url);
  const target = await Target.start(
    `gateway ${name}`,
    cli,
    ['serve', '--config', config, '--port', String(port), '--data-dir', join(scratch, name)],
    port,
    () => waitUntilReady(`http://127.0.0.1:${port}`),
    {
      ...process.env,
      BENCH_UPSTREAM: `${upstream}/v1`,
      BENCH_MASTER_KEY: MASTER_KEY,
      DATABASE_URL: databaseUrl,
    },
  );
  targets.push(target);
  const answer = await postJson(target.origin, '/key/generate', MASTER_KEY, {});
  return { target, key: String((answer as { key?: unknown }).key), stores };
}

async function measure({ target, key, stores }: Subject, load: Load): Promise<Row> {
  const shot = shotOf(load.stream, key);
  const before = await target.cpu();
  const window = await fire(target.origin, shot, { connections: CONNECTIONS, seconds, rate: load.rate });
  // What is written later belongs to these requests, and must not disturb the next target.
  if (stores) await waitUntilStored(target.origin);
  const after = await target.cpu();
  const { rssBytes, heapBytes } = await target.memory();
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
    cpuUsPerRequest: (after.allUs - before.allUs) / window.requests,
    mainUsPerRequest: ((after.mainUs ?? Number.NaN) - (before.mainUs ?? Number.NaN)) / window.requests,
    rssMb: rssBytes / 1_048_576,
    heapMb: heapBytes / 1_048_576,
  };
}

const shotOf = (stream: boolean, key: string): Shot => chatShot(stream ? bodies.stream : bodies.whole, key);

async function soak({ target, key }: Subject, requests: number): Promise<void> {
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
    const { rssBytes, heapBytes } = await target.memory();
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
  await printMemoryAtRest(upstream.origin);
  const subjects: Subject[] = [
    { target: upstream, key: '', stores: false },
    { target: raw, key: '', stores: false },
  ];
  for (const stores of [false, true]) {
    for (const kind of ['bare', 'guarded'] as const) {
      const subject = await startGateway(kind, upstream.origin, { stores });
      subjects.push(subject);
      if (kind === 'bare') continue;
      // A guarded target that lets the forbidden through has no figures.
      await expectStatus(subject.target.origin, subject.key, bodies.blocked, 400);
      await expectStatus(subject.target.origin, subject.key, bodies.masked, 200);
    }
  }

  const rows: Row[] = [];
  for (const { target, key } of subjects) {
    for (const stream of [false, true]) {
      await fire(target.origin, shotOf(stream, key), {
        connections: CONNECTIONS,
        seconds: Math.min(2, seconds),
        rate: null,
      });
    }
  }
  if (options.profile) {
    await profileAll(subjects.filter(({ key, stores }) => key !== '' && !stores));
    return;
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const load of LOADS) {
      process.stderr.write(`round ${round + 1} of ${rounds}: ${load.name}\n`);
      for (const subject of subjects) rows.push(await measure(subject, load));
    }
  }
  const medians = summarise(rows);
  printTable(medians);
  const ratios = printRatios(medians);
  if (options.soak !== undefined) {
    for (const subject of subjects) {
      if (subject.target.name.startsWith('gateway guarded')) await soak(subject, Number(options.soak));
    }
  }
  const result = { machine: machine(), seconds, rounds, connections: CONNECTIONS, rows, medians, ratios };
  if (options.json !== undefined) {
    mkdirSync(dirname(options.json), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  }
}

/** A gateway that has just started, and what of it is the embedded database. */
async function printMemoryAtRest(upstream: string): Promise<void> {
  const databaseUrl = process.env['BENCH_DATABASE_URL'] ?? process.env['DATABASE_URL_TEST'];
  const places = [undefined, ...(databaseUrl === undefined ? [] : [databaseUrl])];
  process.stdout.write('Memory of a gateway at rest (target: below 150 MB with PostgreSQL)\n');
  for (const url of places) {
    const { target } = await startGateway('guarded', upstream, {
      stores: false,
      ...(url === undefined ? {} : { databaseUrl: url }),
    });
    const { rssBytes } = await target.memory();
    await target.stop();
    const place = url === undefined ? 'embedded database' : 'PostgreSQL';
    process.stdout.write(`  ${place.padEnd(20)}${(rssBytes / 1_048_576).toFixed(0).padStart(5)} MB\n`);
  }
}

async function profileAll(subjects: readonly Subject[]): Promise<void> {
  for (const { target, key } of subjects) {
    const load = { connections: CONNECTIONS, seconds, rate: null };
    const profile = await target.profile(() => fire(target.origin, shotOf(false, key), load));
    printProfile(target.name, profile);
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
      mainUsPerRequest: mid((row) => row.mainUsPerRequest),
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
