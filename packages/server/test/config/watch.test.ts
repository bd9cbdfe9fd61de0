import { EventEmitter } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readEnvironment } from '../../src/config/env.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { ConfigResult } from '../../src/config/types.ts';
import { type ConfigWatch, watchConfig } from '../../src/config/watch.ts';
import { testDetectors } from './detectors.ts';

const config = (name: string): string =>
  `model_list:\n  - model_name: ${name}\n    litellm_params: {model: mock/x}\n`;

let folder: string;
let file: string;
let watch: ConfigWatch | null = null;
let results: ConfigResult[];
let problems: Error[];
const signals = new EventEmitter();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-watch-'));
  file = join(folder, 'config.yaml');
  writeFileSync(file, config('first'));
  results = [];
  problems = [];
});
afterEach(async () => {
  await watch?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(onResult = (result: ConfigResult): void => void results.push(result)): Promise<void> {
  watch = watchConfig({
    file,
    load: () => loadConfig(file, readEnvironment({}), { detectors: testDetectors }),
    onResult,
    onProblem: (problem) => problems.push(problem),
    quietMs: 30,
    signals,
  });
  await watch.ready;
}

const names = (): (string | undefined)[] =>
  results.map((result) => (result.ok ? result.config.modelGroups[0]?.model_name : 'refused'));
const see = (expected: string[]): Promise<void> => vi.waitFor(() => expect(names()).toEqual(expected), 5000);

test('a file that is written over is read again', async () => {
  await start();
  writeFileSync(file, config('second'));
  await see(['second']);
});

test('a file that is replaced by renaming is read again, and again', async () => {
  await start();
  for (const [index, name] of ['second', 'third'].entries()) {
    const draft = join(folder, `.draft-${index}`);
    writeFileSync(draft, config(name));
    renameSync(draft, file);
    await vi.waitFor(() => expect(names().at(-1)).toBe(name), 5000);
  }
});

test('a mounted folder that is swapped below a link is noticed', async () => {
  for (const version of ['v1', 'v2']) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'config.yaml'), config(version));
  }
  symlinkSync('v1', join(folder, 'data'));
  rmSync(file);
  symlinkSync(join('data', 'config.yaml'), file);
  await start();
  symlinkSync('v2', join(folder, 'data-new'));
  renameSync(join(folder, 'data-new'), join(folder, 'data'));
  await see(['v2']);
});

test('a broken file is told with its findings, and a repaired one is read', async () => {
  await start();
  writeFileSync(file, 'model_lst: []\n');
  await see(['refused']);
  writeFileSync(file, config('repaired'));
  await see(['refused', 'repaired']);
});

test('touching the file or its neighbours reads nothing, SIGHUP always does', async () => {
  await start();
  utimesSync(file, new Date(), new Date());
  writeFileSync(join(folder, 'other.txt'), 'x');
  signals.emit('SIGHUP');
  await see(['first']);
  // Whatever the touch set off would be queued before this reading.
  await watch?.reload();
  expect(names()).toEqual(['first', 'first']);
});

test('a file that is gone for a moment is no new configuration', async () => {
  await start();
  unlinkSync(file);
  writeFileSync(file, config('back'));
  await see(['back']);
});

test('a caller that throws does not end the watching', async () => {
  await start((result) => {
    results.push(result);
    if (results.length === 1) throw new Error('swap failed');
  });
  await watch?.reload();
  expect(problems.map(({ message }) => message)).toEqual(['swap failed']);
  await watch?.reload();
  expect(results).toHaveLength(2);
});

test('a folder that cannot be watched is a problem that names the way out', async () => {
  file = join(folder, 'nowhere', 'config.yaml');
  await start();
  expect(problems[0]?.message).toContain('send SIGHUP to reload');
});

test('nothing is read after close', async () => {
  await start();
  await watch?.close();
  signals.emit('SIGHUP');
  expect(signals.listenerCount('SIGHUP')).toBe(0);
  expect(results).toEqual([]);
});
