import { PortcullisError } from '@portcullis/contract';
import { hash as digestOf } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Attempted, Attempts } from '../../ports/attempts.ts';

/** Returns from an identity provider to one address in five minutes: a whole office may have one. */
const EACH_RETURN = 100;
const WINDOW_MS = 300_000;
/** Attempts from one address in five minutes, whatever they come to. */
const EACH_ADDRESS = 30;
/** Attempts for one account in five minutes; the right password sets them back. */
const EACH_ACCOUNT = 10;
/** Each check takes 64 MiB and a thread: more than these wait, and more than those are refused. */
const CHECKS_AT_ONCE = 2;
const CHECKS_WAITING = 32;
const BUSY_MS = 2_000;

/** Keeps guessing slow, and the machine free for other work meanwhile. */
export interface LoginGuard {
  /**
   * Counts an attempt and does `check` of it, which is false for a wrong password.
   * @param account null where only the address is counted: the admin key is too long to guess, and nobody must be able
   *   to lock its holder out
   * @throws PortcullisError `too_many_attempts`.
   */
  attempt<T>(address: string, account: string | null, check: () => Promise<T | null>): Promise<T | null>;
  /** Counts a return from an identity provider, who has made sure of the person. */
  countReturn(address: string): Promise<void>;
}

export function loginGuard(attempts: Attempts): LoginGuard {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= CHECKS_AT_ONCE) {
      if (waiting.length >= CHECKS_WAITING) throw tooMany('Too many people sign in at once.', BUSY_MS);
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      // The place is handed on, so that nobody else takes it in between.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  async function count(attempted: readonly Attempted[]): Promise<void> {
    const refused = await attempts.take(attempted);
    if (refused === null) return;
    throw tooMany(
      'Too many attempts to sign in for this account or from this address.',
      refused.retryAfterMs,
    );
  }

  return {
    async attempt(address, account, check) {
      const accountName = account === null ? null : `account ${digestOf('sha256', account.toLowerCase())}`;
      const counted: Attempted[] = [
        { name: `address ${networkOf(address)}`, most: EACH_ADDRESS, windowMs: WINDOW_MS },
        ...(accountName === null ? [] : [{ name: accountName, most: EACH_ACCOUNT, windowMs: WINDOW_MS }]),
      ];
      await count(counted);
      const result = await inTurn(check);
      if (result !== null && accountName !== null) await attempts.forget([accountName]);
      return result;
    },

    countReturn: (address) =>
      count([{ name: `return ${networkOf(address)}`, most: EACH_RETURN, windowMs: WINDOW_MS }]),
  };
}

function tooMany(message: string, waitMs: number): PortcullisError {
  const seconds = String(Math.max(1, Math.ceil(waitMs / 1000)));
  return new PortcullisError('too_many_attempts', `${message} Try again in ${seconds} seconds.`, {
    headers: { 'retry-after': seconds },
  });
}

/** The address, or of an IPv6 address the network, as whoever has one address there has all of them. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/iu, '').replace(/%.*$/u, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const first = groups(head);
  const last = groups(tail ?? '');
  const middle = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const all = [...first, ...Array.from({ length: middle }, () => '0'), ...last];
  const network = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
