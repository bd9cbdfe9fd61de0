import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { inRoot } from './paths.mjs';

const directory = inRoot('.cache/prepare.lock');
const owner = `${directory}/pid`;
const patienceMs = 10 * 60_000;

/**
 * Two starts at once would install or build over each other; the second one waits for the first.
 * @template T
 * @param {() => T} work
 * @returns {Promise<T>}
 */
export async function exclusively(work) {
  const deadline = Date.now() + patienceMs;
  let told = false;
  while (!take()) {
    if (Date.now() > deadline) throw new Error(`${directory} is still held; remove it if nothing is running`);
    if (!told) process.stderr.write('Waiting for another install or build to end ...\n');
    told = true;
    await wait(250);
  }
  try {
    return work();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns {boolean} */
function take() {
  try {
    mkdirSync(inRoot('.cache'), { recursive: true });
    mkdirSync(directory);
    writeFileSync(owner, String(process.pid));
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    if (!ownerIsGone()) return false;
    rmSync(directory, { recursive: true, force: true });
    return take();
  }
}

function ownerIsGone() {
  let pid;
  try {
    pid = Number(readFileSync(owner, 'utf8'));
  } catch {
    return false; // taken a moment ago, its pid not written yet
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
