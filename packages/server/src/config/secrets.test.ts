import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adminKey } from './secrets.ts';

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
