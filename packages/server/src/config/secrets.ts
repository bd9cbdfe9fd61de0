import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const FILE = 'admin.key';
const KEY = /^sk-[\u0021-\u007e]{16,253}$/u;

export interface AdminKey {
  readonly key: string;
  /** True when this start made it: it should be shown once, with the file it is kept in. */
  readonly generated: boolean;
  /** Where it is kept, or null when the operator gave it. */
  readonly file: string | null;
}

/**
 * The key of the administrator: the one of the configuration, else the one of the environment, else the one that an
 * earlier start has left in the data directory, else a new one, which is left there.
 *
 * @param given what the operator gave, in the order of precedence; empty texts count as nothing
 */
export function adminKey(dataDir: string, given: readonly (string | null | undefined)[]): AdminKey {
  const chosen = given.find((key) => key !== null && key !== undefined && key !== '');
  if (chosen !== undefined && chosen !== null) return { key: chosen, generated: false, file: null };

  const file = join(dataDir, FILE);
  const kept = readKey(file);
  if (kept !== null) return { key: kept, generated: false, file };

  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const key = `sk-${randomBytes(32).toString('base64url')}`;
  // Of two processes that start together, the second takes what the first has left.
  if (!writeNew(file, key)) return adminKey(dataDir, []);
  return { key, generated: true, file };
}

function readKey(file: string): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
  // A new key in its place would lock out everybody who holds the old one, without a word.
  if (!KEY.test(text)) throw new Error(`${file} holds no key: restore it, or remove it to get a new one`);
  return text;
}

/** Writes the file completely, for its owner alone, and only then gives it its name. False when it is there already. */
function writeNew(file: string, key: string): boolean {
  const draft = `${file}.${process.pid}.new`;
  rmSync(draft, { force: true });
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, `${key}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
