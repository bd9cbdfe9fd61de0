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
import { dirname, join } from 'node:path';

const FILE = 'admin.key';
const SALT_FILE = 'salt.key';
const SALT = /^[\w-]{43}$/u;
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
  const { text, generated } = keptOrNew(file, {
    form: KEY,
    make: () => `sk-${randomBytes(32).toString('base64url')}`,
    // A new key in its place would lock out everybody who holds the old one, without a word.
    instead: 'restore it, or remove it to get a new one',
  });
  return { key: text, generated, file };
}

/**
 * The keys that encrypt stored secrets, the one that writes first: those that the operator gave, then the one that an
 * earlier start has left in the data directory, then the old ones. Without any but old ones, a new one is made and left
 * there.
 *
 * @param given newest first
 * @param old keys that only read
 */
export function saltKeys(
  dataDir: string,
  given: readonly string[],
  old: readonly string[],
): readonly string[] {
  const file = join(dataDir, SALT_FILE);
  const kept: Kept = {
    form: SALT,
    make: () => randomBytes(32).toString('base64url'),
    // A new key in its place would make every stored secret unreadable.
    instead: "restore it, or remove it and enter the guardrails' secrets again",
  };
  if (given.length === 0) return [keptOrNew(file, kept).text, ...old];
  const before = readKept(file, kept);
  return [...given, ...(before === null ? [] : [before]), ...old];
}

interface Kept {
  readonly form: RegExp;
  readonly make: () => string;
  readonly instead: string;
}

function keptOrNew(file: string, kept: Kept): { readonly text: string; readonly generated: boolean } {
  const before = readKept(file, kept);
  if (before !== null) return { text: before, generated: false };
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const text = kept.make();
  // Of two processes that start together, the second takes what the first has left.
  return writeNew(file, text) ? { text, generated: true } : keptOrNew(file, kept);
}

function readKept(file: string, { form, instead }: Kept): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
  if (!form.test(text)) throw new Error(`${file} holds no key: ${instead}`);
  return text;
}

/** Writes the file completely, for its owner alone, and only then gives it its name. False when it is there already. */
function writeNew(file: string, text: string): boolean {
  const draft = `${file}.${process.pid}.new`;
  rmSync(draft, { force: true });
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, `${text}\n`);
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
