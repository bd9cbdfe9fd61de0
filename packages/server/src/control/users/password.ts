import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto';

/** About 64 MiB and a tenth of a second: what a guess costs too. */
const COST: ScryptOptions = { N: 65_536, r: 8, p: 1, maxmem: 96 * 1024 * 1024 };
const LENGTH = 32;
const FORM = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([A-Za-z0-9_-]+)\$([A-Za-z0-9_-]+)$/u;

/** A hash that says how it was made, so that the cost can rise later and old hashes still fit. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Whether a password is the one that a hash was made of. A hash that is none fits nothing. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const match = FORM.exec(hash);
  if (match === null) return false;
  const [, n, r, p, salt = '', key = ''] = match;
  const expected = Buffer.from(key, 'base64url');
  const options = { ...COST, N: Number(n), r: Number(r), p: Number(p) };
  const actual = await derive(password, Buffer.from(salt, 'base64url'), options);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** Whether a hash was made at today's cost. */
export function isCurrentCost(hash: string): boolean {
  return hash.startsWith(`scrypt$${COST.N}$${COST.r}$${COST.p}$`);
}

function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The same text may reach us in several forms of Unicode.
    scrypt(password.normalize('NFKC'), salt, LENGTH, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
