/**
 * Measures the content filter on one core, in processor time, which busy neighbours do not lengthen: messages of 4 KB with every
 * prebuilt pattern, chat messages of 1 KB with a few, clean text in bulk, a stream in deltas beside the same text in one piece,
 * and loading.
 */
import { catalogue, type Detector, type Ports, PREBUILT_PATTERNS } from '@portcullis/guardrails';
import type { Segment } from '@portcullis/policy';

const KB = 1_024;
const FEW = ['email', 'us_ssn', 'credit_card', 'us_phone', 'iban'];
const DELTAS = 100;

const PARAGRAPHS = [
  'The quarterly review went well and the team agreed on the next steps for the migration. We will move the remaining services in 3 waves, starting with the reporting jobs, and keep the old cluster for two more weeks.',
  'Please read the notes before Monday and add your questions at the end of the page, so that nobody has to ask twice. The budget of 12,500 EUR has been approved on 2026-03-14 and covers the first phase.',
  'Here is what happened: the job started at 09:41, copied 48,213 rows and stopped with exit code 137. The log says "out of memory", which fits the limit of 512 MiB that we set in version 2.4.1 last week.',
  '1. Stop the worker. 2. Delete the file cache/index.db. 3. Start the worker again and wait for the line "ready" in the log.',
  'Could you write a short, friendly answer to a customer whose parcel 4831-77 is late? Offer a voucher, and do not promise a date.',
];
const VALUES = [
  'Reach me at jane.doe@example.org or +1 212 555 0187.',
  'The card is 4111 1111 1111 1111, valid until 09/29.',
  'Account DE89 3704 0044 0532 0130 00, please.',
];

/** Messages of `size` characters that begin in different places of the same paragraphs; every third has values. */
function messages(size: number, count: number, withValues: boolean): string[] {
  return Array.from({ length: count }, (_, number) => {
    const parts: string[] = [];
    for (let length = 0, at = number; length < size; at++) {
      const part = `${PARAGRAPHS[at % PARAGRAPHS.length]}${withValues && at % 7 === 0 ? ` ${VALUES[(at + number) % VALUES.length]}` : ''}`;
      parts.push(part);
      length += part.length + 1;
    }
    return parts.join(number % 2 === 0 ? ' ' : '\n\n').slice(0, size);
  });
}

const ports: Ports = {
  clock: { now: () => 0, monotonic: () => performance.now() },
  http: { send: () => Promise.reject(new Error('the content filter does not use the network')) },
  hash: (text) => text,
};
const signal = new AbortController().signal;

function filterOf(names: readonly string[]): Detector {
  const definition = catalogue.find(({ ids }) => ids.includes('litellm_content_filter'));
  if (definition === undefined) throw new Error('the content filter is missing');
  const config = definition.configSchema.parse({
    guardrail: 'litellm_content_filter',
    mode: 'pre_call',
    patterns: names.map((name) => ({ pattern_type: 'prebuilt', pattern_name: name, action: 'MASK' })),
  });
  return definition.create(config, ports);
}

function inspector(detector: Detector): (text: string) => void {
  return (text) => {
    const segments: Segment[] = [
      { path: '/messages/0/content', kind: 'user', role: 'user', text, join: null, leaf: 'string' },
    ];
    const subject = {
      hook: 'pre_call',
      direction: 'request',
      segments,
      original: segments,
      params: null,
      request: {
        callId: 'bench',
        model: null,
        keyHash: null,
        keyAlias: null,
        userId: null,
        userEmail: null,
        teamId: null,
        teamAlias: null,
        endUserId: null,
        organizationId: null,
        headers: {},
        body: null,
      },
    } as const;
    void detector.inspect(subject, signal);
  };
}

/** Processor time of one call in microseconds. */
function cpuUs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function report(label: string, texts: readonly string[], run: (text: string) => void, rounds: number): void {
  for (let i = 0; i < 5; i++) for (const text of texts) run(text);
  const times: number[] = [];
  let total = 0;
  let units = 0;
  for (let i = 0; i < rounds; i++) {
    for (const text of texts) {
      const time = cpuUs(() => run(text));
      times.push(time);
      total += time;
      units += text.length;
    }
  }
  times.sort((a, b) => a - b);
  const quantile = (share: number) => (times[Math.floor(share * times.length)] ?? 0).toFixed(0);
  print(
    `${label.padEnd(44)} p50 ${quantile(0.5).padStart(6)} us  p99 ${quantile(0.99).padStart(6)} us  mean ${(total / times.length).toFixed(1).padStart(8)} us  ${(units / total).toFixed(1).padStart(6)} MB/s`,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const all = PREBUILT_PATTERNS.map(({ name }) => name);
const memory = () => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
};
const memoryBefore = memory();
let everything: Detector | null = null;
const loadUs = cpuUs(() => {
  everything = filterOf(all);
});
print(
  `loading all ${all.length} patterns: ${(loadUs / 1_000).toFixed(0)} ms, ${(memory() - memoryBefore).toFixed(1)} MB${globalThis.gc === undefined ? ' (with garbage; node --expose-gc tells it without)' : ''}`,
);
const full = inspector(everything ?? filterOf(all));
const few = inspector(filterOf(FEW));
const clean = PARAGRAPHS[0]?.replace(/\d/g, 'some') ?? '';

report('4 KB message, all patterns', messages(4 * KB, 50, false), full, 40);
report('4 KB message with values, all patterns', messages(4 * KB, 50, true), full, 40);
report(`1 KB message, ${FEW.length} patterns`, messages(KB, 50, false), few, 200);
report(`1 KB message with values, ${FEW.length} patterns`, messages(KB, 50, true), few, 200);
report('64 KB of clean text, all patterns', [clean.repeat(400).slice(0, 64 * KB)], full, 200);
report(`64 KB of clean text, ${FEW.length} patterns`, [clean.repeat(400).slice(0, 64 * KB)], few, 200);

const streams = filterOf(FEW);
for (const text of messages(4 * KB, 2, true)) {
  const size = Math.ceil(text.length / DELTAS);
  const inPieces = (step: number) => {
    const channel = streams.openChannel?.('assistant', 'assistant');
    for (let at = 0; at < text.length; at += step) channel?.push(text.slice(at, at + step), false);
    channel?.push('', true);
  };
  report('4 KB stream in one delta', [text], () => inPieces(text.length), 300);
  report(`4 KB stream in ${DELTAS} deltas`, [text], () => inPieces(size), 300);
}
