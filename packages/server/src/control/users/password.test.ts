import { scryptSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashPassword, isPassword } from './password.ts';

test('a hash fits the password it was made of, in any form of Unicode, and no other', async () => {
  const hash = await hashPassword('Größe ändern');
  expect(await isPassword('Größe ändern', hash)).toBe(true);
  expect(await isPassword('Größe ändern'.normalize('NFD'), hash)).toBe(true);
  expect(await isPassword('größe ändern', hash)).toBe(false);
});

test('a hash of a lower cost still fits, and text that is no hash fits nothing', async () => {
  // Made with N=1024, as an older version might have.
  const key = scryptSync('old', Buffer.alloc(16), 32, { N: 1024 }).toString('base64url');
  const old = `scrypt$1024$8$1$${Buffer.alloc(16).toString('base64url')}$${key}`;
  expect(await isPassword('old', old)).toBe(true);
  for (const text of ['', 'old', 'scrypt$1024$8$1$$', 'md5$1$1$1$a$b']) {
    expect(await isPassword('old', text)).toBe(false);
  }
});
