import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adminKey, saltKeys } from './secrets.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'portcullis-secrets-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('the admin key', () => {
  test('is the one the operator gave, in the order given, and is then kept nowhere', () => {
    expect(adminKey(dataDir, [null, '', 'sk-from-the-environment', 'sk-other'])).toEqual({
      key: 'sk-from-the-environment',
      generated: false,
      file: null,
    });
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test('is made once, and is the same at the next start', () => {
    const first = adminKey(join(dataDir, 'not', 'there', 'yet'), []);
    expect(first.generated).toBe(true);
    expect(first.key).toMatch(/^sk-[\w-]{43}$/u);
    expect(adminKey(join(dataDir, 'not', 'there', 'yet'), [null])).toEqual({ ...first, generated: false });
  });

  test('is kept in a file that only its owner can read', () => {
    const { key, file } = adminKey(dataDir, []);
    expect(statSync(file!).mode & 0o777).toBe(0o600);
    expect(readFileSync(file!, 'utf8')).toBe(`${key}\n`);
    expect(readdirSync(dataDir)).toEqual(['admin.key']);
  });

  test('is never replaced when its file is damaged', () => {
    writeFileSync(join(dataDir, 'admin.key'), '');
    expect(() => adminKey(dataDir, [])).toThrow(/admin\.key holds no key/u);
  });
});

describe('the keys that encrypt stored secrets', () => {
  test('are made once, for their owner alone, when the operator gives none', () => {
    const first = saltKeys(dataDir, [], []);
    expect(first).toEqual([expect.stringMatching(/^[\w-]{43}$/u)]);
    expect(statSync(join(dataDir, 'salt.key')).mode & 0o777).toBe(0o600);
    expect(saltKeys(dataDir, [], [])).toEqual(first);
  });

  test('leave no file behind when the operator gives one', () => {
    expect(saltKeys(dataDir, ['new'], ['old'])).toEqual(['new', 'old']);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test('still read what the generated one has written when the operator gives one later', () => {
    const [generated] = saltKeys(dataDir, [], []);
    expect(saltKeys(dataDir, ['new'], ['old'])).toEqual(['new', generated, 'old']);
  });

  test('never let an old one write', () => {
    const keys = saltKeys(dataDir, [], ['old']);
    expect(keys).toHaveLength(2);
    expect(keys[1]).toBe('old');
  });

  test('are never replaced when their file is damaged', () => {
    writeFileSync(join(dataDir, 'salt.key'), 'x');
    expect(() => saltKeys(dataDir, [], [])).toThrow(/salt\.key holds no key: restore it/u);
  });
});
