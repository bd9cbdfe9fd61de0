// A thread of `portcullis scan` and `portcullis eval`: gets lists of texts, gives lists of answers in the same order.
import { parentPort, workerData } from 'node:worker_threads';
import { makeScanner, type Scanned, type ScannerOptions } from './scanner.ts';

const scanner = makeScanner(workerData as ScannerOptions);

parentPort?.on('message', (texts: readonly string[]) => {
  void (async () => {
    const answers: Scanned[] = [];
    for (const text of texts) answers.push(await scanner.scan(text));
    parentPort?.postMessage(answers);
  })();
});
