import { Worker } from 'node:worker_threads';
import { makeScanner, type Scanned, type ScannerOptions } from './scanner.ts';

/** Texts that go to a thread together: so many, or so many UTF-16 units. */
const BATCH = { texts: 64, characters: 256 * 1024 } as const;
/** Batches that wait for a thread or an answer, for each thread: what bounds the memory. */
const BATCHES_AHEAD = 3;

type Ask = (texts: readonly string[]) => Promise<readonly Scanned[]>;

/**
 * Scans rows on so many threads and gives each with its answer, in their order. Reads no more rows ahead than the threads
 * have to do. One thread means this one.
 * @throws what a row or a thread throws
 */
export async function* scanAll<Row extends { readonly text: string }>(
  rows: AsyncIterable<Row>,
  options: ScannerOptions,
  threads: number,
): AsyncGenerator<readonly [Row, Scanned]> {
  const { ask, close } = threads > 1 ? startThreads(options, threads) : startHere(options);
  const ahead: { readonly rows: readonly Row[]; readonly answers: Promise<readonly Scanned[]> }[] = [];
  const take = async function* (): AsyncGenerator<readonly [Row, Scanned]> {
    const first = ahead.shift();
    if (first === undefined) return;
    const answers = await first.answers;
    for (const [index, row] of first.rows.entries()) yield [row, answers[index] as Scanned];
  };
  try {
    for await (const batch of batched(rows)) {
      const answers = ask(batch.map(({ text }) => text));
      // Its failure is told where it is awaited, in its turn.
      answers.catch(() => undefined);
      ahead.push({ rows: batch, answers });
      if (ahead.length >= threads * BATCHES_AHEAD) yield* take();
    }
    while (ahead.length > 0) yield* take();
  } finally {
    await close();
  }
}

async function* batched<Row extends { readonly text: string }>(
  rows: AsyncIterable<Row>,
): AsyncGenerator<readonly Row[]> {
  let batch: Row[] = [];
  let characters = 0;
  for await (const row of rows) {
    batch.push(row);
    characters += row.text.length;
    if (batch.length < BATCH.texts && characters < BATCH.characters) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

function startHere(options: ScannerOptions): { ask: Ask; close: () => Promise<void> } {
  const scanner = makeScanner(options);
  const ask: Ask = async (texts) => {
    const answers: Scanned[] = [];
    for (const text of texts) answers.push(await scanner.scan(text));
    return answers;
  };
  return { ask, close: () => scanner.dispose() };
}

interface Asked {
  readonly resolve: (answers: readonly Scanned[]) => void;
  readonly reject: (error: Error) => void;
}

/** Threads that are asked in turn; each answers in the order in which it was asked. */
function startThreads(options: ScannerOptions, count: number): { ask: Ask; close: () => Promise<void> } {
  const threads = Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: options });
    const asked: Asked[] = [];
    let broken: Error | null = null;
    const fail = (error: Error) => {
      broken = error;
      for (const { reject } of asked.splice(0)) reject(error);
    };
    worker.on('message', (answers: readonly Scanned[]) => asked.shift()?.resolve(answers));
    worker.on('error', fail);
    worker.on('exit', (code) => fail(new Error(`a thread ended with code ${code}`)));
    const ask: Ask = (texts) =>
      new Promise((resolve, reject) => {
        if (broken !== null) {
          reject(broken);
          return;
        }
        asked.push({ resolve, reject });
        worker.postMessage(texts);
      });
    return { worker, asked, ask };
  });
  return {
    ask: (texts) =>
      threads.reduce((least, one) => (one.asked.length < least.asked.length ? one : least)).ask(texts),
    close: async () => {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}
