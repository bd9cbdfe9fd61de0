import { hash as digestOf, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../ports/clock.ts';
import { DatabaseError, type PrincipalChange } from '../../ports/database.ts';
import type { Identities, IdentityResult } from '../../ports/identity.ts';
import type { KeyStore, KeyWithTeam } from '../../ports/keys.ts';
import type { StorageEvents } from '../../ports/storage-events.ts';
import { buildIdentity, masterIdentity } from './principal.ts';

/**
 * Who holds a key, from a bounded cache before the store (S10). The cache never turns "cannot ask" into "unknown": with
 * the database away a copy that is fresh enough is served, and any other key is `unavailable`.
 */

const ENTRIES = 10_000;
const UNKNOWN_ENTRIES = 10_000;
const UNKNOWN_MS = 2_000;
/** After a failure nobody asks for this long, so that a database that comes back is not trampled. */
const REST_MS = 1_000;
/** A request waits this long for news of a key of which there is a copy. */
const NEWS_MS = 500;
const PENDING = 1_000;
const LONGEST_SECRET = 256;
const RELOADS = 3;

export interface IdentitiesOptions {
  readonly masterKey: string;
  readonly keys: Pick<KeyStore, 'findWithTeam'>;
  readonly clock: Clock;
  readonly onEvent: StorageEvents;
  /**
   * The age up to which a copy needs no check. Writes of this process are seen at once; those of other processes within
   * this time, so it is short when there may be others.
   */
  readonly freshMs: number;
  /** The age up to which a copy is served while the database is away. */
  readonly maxStaleMs: number;
}

export interface CachedIdentities extends Identities {
  /** Forgets what a transaction has changed. */
  forget(change: PrincipalChange): void;
  /** Forgets everything, when it is not known what was changed. */
  forgetAll(): void;
}

type Found = Extract<IdentityResult, { kind: 'found' }>;

interface Entry {
  readonly result: Found;
  /** Of the row, which is not that of the key that was sent when this one was replaced. */
  readonly keyHash: string;
  readonly teamId: string | null;
  readonly userId: string | null;
  /** The rows it was made of: the same text gives the same object, on which the engine's own caches hang. */
  readonly source: string;
  readonly checkedAt: number;
}

const UNKNOWN: IdentityResult = Object.freeze({ kind: 'unknown' });

export function createIdentities(options: IdentitiesOptions): CachedIdentities {
  const { keys, clock, onEvent, freshMs, maxStaleMs } = options;
  const master: Found = Object.freeze({ kind: 'found', identity: masterIdentity() });
  const masterDigest = Buffer.from(digestOf('sha256', options.masterKey), 'latin1');
  const entries = new LRUCache<string, Entry>({ max: ENTRIES });
  const unknown = new LRUCache<string, number>({ max: UNKNOWN_ENTRIES });
  const pending = new Map<string, Promise<IdentityResult>>();
  let changes = 0;
  let restUntil = -Infinity;

  function find(secret: string): IdentityResult | Promise<IdentityResult> {
    const hash = digestOf('sha256', secret);
    if (timingSafeEqual(Buffer.from(hash, 'latin1'), masterDigest)) return master;
    // No stored key looks like this, so the store need not be asked.
    if (!secret.startsWith('sk-') || secret.length > LONGEST_SECRET) return UNKNOWN;

    const now = clock.monotonic();
    const entry = entries.get(hash);
    if (entry !== undefined) return known(hash, entry, now);
    const missedAt = unknown.get(hash);
    if (missedAt !== undefined && now - missedAt < UNKNOWN_MS) return UNKNOWN;
    if (now < restUntil) return unavailable('the database is away');
    return ask(hash);
  }

  function known(hash: string, entry: Entry, now: number): IdentityResult | Promise<IdentityResult> {
    const age = now - entry.checkedAt;
    if (age < freshMs) {
      // Asked early and in the background, so that no request waits for a key in use.
      if (age > freshMs / 2 && now >= restUntil && !pending.has(hash)) void ask(hash);
      return entry.result;
    }
    if (now < restUntil) return stale(entry, now, 'the database is away');
    return newsWithin(ask(hash), entry);
  }

  /** What the store says, or the copy when it takes too long to say anything. */
  async function newsWithin(news: Promise<IdentityResult>, entry: Entry): Promise<IdentityResult> {
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise<IdentityResult>((resolve) => {
      timer = setTimeout(() => resolve(stale(entry, clock.monotonic(), 'the database is slow')), NEWS_MS);
    });
    try {
      return await Promise.race([news, impatience]);
    } finally {
      clearTimeout(timer);
    }
  }

  function stale(entry: Entry, now: number, reason: string): IdentityResult {
    return now - entry.checkedAt <= maxStaleMs ? entry.result : unavailable(reason);
  }

  /** Asks the store, once for all who want to know. Never rejects. */
  function ask(hash: string): Promise<IdentityResult> {
    const running = pending.get(hash);
    if (running !== undefined) return running;
    if (pending.size >= PENDING) return Promise.resolve(unavailable('too many keys are being looked up'));
    const answer = load(hash)
      .catch((error: unknown) => failed(hash, error))
      .finally(() => pending.delete(hash));
    pending.set(hash, answer);
    return answer;
  }

  async function load(hash: string): Promise<IdentityResult> {
    for (let attempt = 0; attempt < RELOADS; attempt += 1) {
      const before = changes;
      const found = await keys.findWithTeam(hash);
      restUntil = -Infinity;
      // A write that ended meanwhile may have changed what was read.
      if (before === changes) return keep(hash, found);
    }
    const found = await keys.findWithTeam(hash);
    return found === null
      ? UNKNOWN
      : Object.freeze({ kind: 'found', identity: buildIdentity(found).identity });
  }

  function keep(hash: string, found: KeyWithTeam | null): IdentityResult {
    const checkedAt = clock.monotonic();
    if (found === null) {
      entries.delete(hash);
      unknown.set(hash, checkedAt);
      return UNKNOWN;
    }
    const source = JSON.stringify(found);
    const former = entries.peek(hash);
    const result = former?.source === source ? former.result : made(found);
    const { tokenHash: keyHash, teamId, userId } = found.key;
    entries.set(hash, { result, source, checkedAt, keyHash, teamId, userId });
    return result;
  }

  function made(found: KeyWithTeam): Found {
    const { identity, untrusted } = buildIdentity(found);
    const { key, team } = found;
    report('key', key.tokenHash, [...key.ignored, ...untrusted.key]);
    if (team !== null) report('team', team.teamId, [...team.ignored, ...untrusted.team]);
    return Object.freeze({ kind: 'found', identity });
  }

  function report(object: 'key' | 'team', id: string, fields: readonly string[]): void {
    if (fields.length > 0) onEvent({ kind: 'values_ignored', object, id, fields });
  }

  function failed(hash: string, error: unknown): IdentityResult {
    const now = clock.monotonic();
    const kind = error instanceof DatabaseError ? error.kind : 'fault';
    const reason = error instanceof DatabaseError ? error.message : 'the stored key cannot be read';
    // One row that cannot be read says nothing about the others.
    if (kind === 'unavailable' || kind === 'timeout') restUntil = now + REST_MS;
    onEvent({ kind: 'unavailable', reason });
    const entry = entries.peek(hash);
    return entry === undefined ? unavailable(reason) : stale(entry, now, reason);
  }

  function forget(change: PrincipalChange): void {
    changes += 1;
    for (const hash of change.keys) {
      entries.delete(hash);
      unknown.delete(hash);
    }
    for (const [hash, { keyHash, teamId, userId }] of entries.entries()) {
      const isChanged =
        change.keys.has(keyHash) ||
        (teamId !== null && change.teams.has(teamId)) ||
        (userId !== null && change.users.has(userId));
      if (isChanged) entries.delete(hash);
    }
  }

  function forgetAll(): void {
    changes += 1;
    entries.clear();
    unknown.clear();
  }

  return { find, forget, forgetAll };
}

function unavailable(reason: string): IdentityResult {
  return { kind: 'unavailable', reason };
}
