import { type Database, DatabaseError, type PrincipalChange, type Stores } from '../ports/database.ts';
import type { DocumentSource } from '../ports/policy-store.ts';
import type { PrincipalFeed } from '../ports/principal-feed.ts';

/**
 * A database that may still be opening. Until it is open every question fails as `unavailable`, so that the gateway can
 * listen, and say so, before its storage is there.
 */
export class LateDatabase implements Database {
  readonly kind: Database['kind'];
  readonly stores: Stores;
  readonly documents: DocumentSource;
  readonly principals: PrincipalFeed;
  readonly #listeners: ((change: PrincipalChange) => void)[] = [];
  #open: Database | null = null;

  constructor(kind: Database['kind']) {
    this.kind = kind;
    this.stores = {
      keys: this.#late('keys'),
      teams: this.#late('teams'),
      users: this.#late('users'),
      sessions: this.#late('sessions'),
      invitations: this.#late('invitations'),
      tags: this.#late('tags'),
      spend: this.#late('spend'),
      audit: this.#late('audit'),
      logs: this.#late('logs'),
      policies: this.#late('policies'),
      idempotency: this.#late('idempotency'),
      submissions: this.#late('submissions'),
      fleet: this.#late('fleet'),
    };
    this.documents = {
      head: async () => this.#database().documents.head(),
      read: async (revision) => this.#database().documents.read(revision),
      listen: async (listener) => this.#database().documents.listen(listener),
    };
    this.principals = {
      head: async () => this.#database().principals.head(),
      since: async (number) => this.#database().principals.since(number),
      listen: async (listener) => this.#database().principals.listen(listener),
    };
  }

  get wasOpen(): boolean {
    return this.#open !== null;
  }

  /** Takes over what `opening` gives. @throws what `opening` throws. */
  async open(opening: Promise<Database>): Promise<void> {
    const database = await opening;
    for (const listener of this.#listeners) database.onPrincipalChange(listener);
    this.#open = database;
  }

  async transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
    return this.#database().transaction(work);
  }

  onPrincipalChange(listener: (change: PrincipalChange) => void): void {
    this.#listeners.push(listener);
    this.#open?.onPrincipalChange(listener);
  }

  async ping(): Promise<void> {
    await this.#database().ping();
  }

  /** Whether the database answers within this time, in milliseconds. */
  async answersWithin(limitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), limitMs);
    });
    const answer = this.ping().then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#open?.close();
  }

  #database(): Database {
    if (this.#open === null) throw new DatabaseError('unavailable', 'the database is still being opened');
    return this.#open;
  }

  /** A store whose every method asks the database that is open when it is called. */
  #late<Name extends keyof Stores>(name: Name): Stores[Name] {
    const get = (_target: object, method: string | symbol): unknown => {
      return async (...args: unknown[]): Promise<unknown> => {
        const store = this.#database().stores[name] as unknown as Record<
          string | symbol,
          (...args: unknown[]) => Promise<unknown>
        >;
        return store[method]?.(...args);
      };
    };
    return new Proxy({}, { get }) as Stores[Name];
  }
}
