import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto';

/** How much is remembered of what was masked, over all requests of the process. */
export interface VaultLimits {
  /** Values at most, over all scopes; of more, the scope unused for longest is forgotten. */
  readonly values: number;
  /** Values of one scope at most; of more, its oldest is forgotten. */
  readonly valuesPerScope: number;
  /** UTF-16 units of one value at most; a longer one is numbered anew in every request. */
  readonly characters: number;
  /** Milliseconds after its last use for which a value keeps its placeholder. */
  readonly lifetimeMs: number;
}

export const VAULT_LIMITS: VaultLimits = {
  values: 100_000,
  valuesPerScope: 10_000,
  characters: 4_096,
  lifetimeMs: 3_600_000,
};

/** One masked value: its placeholder, and the value in a form that only this vault can read. */
export interface Sealed {
  readonly placeholder: string;
  readonly bytes: Buffer;
}

/** What one request has numbered so far. */
export interface RequestPlaceholders {
  /** By keyed hash of kind and value. */
  readonly kept: Map<string, Sealed>;
  /** The last number of each kind, for requests of nobody. */
  readonly counters: Map<string, number>;
  /** Whether the request's own content holds this text. */
  readonly isInContent: (placeholder: string) => boolean;
}

interface Kept extends Sealed {
  readonly expiresAtMs: number;
}

interface Scope {
  /** By keyed hash of kind and value, the one unused for longest first. */
  readonly kept: Map<string, Kept>;
  /** The last number of each kind. Numbers are never used again within a scope. */
  readonly counters: Map<string, number>;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Gives masked values stable placeholders: the same value has the same one for as long as its scope (a team, else a key)
 * uses it. Values are encrypted in memory (AES-256-GCM) and found by a keyed hash (HMAC-SHA-256), both under keys of this
 * process that are never stored, so that neither a log nor a memory dump of the map shows them by itself.
 *
 * Other replicas number for themselves. A request never depends on that: what it masks it numbers and restores itself.
 */
export class PlaceholderVault {
  readonly #limits: VaultLimits;
  readonly #hashKey = createSecretKey(randomBytes(32));
  readonly #sealKey = createSecretKey(randomBytes(32));
  /** The one unused for longest first. */
  readonly #scopes = new Map<string, Scope>();
  #values = 0;

  constructor(limits: VaultLimits = VAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Values kept at the moment. */
  get size(): number {
    return this.#values;
  }

  /**
   * The placeholder of a value, such as `<EMAIL_1>`. `scope` null: only the request itself remembers it.
   */
  seal(
    request: RequestPlaceholders,
    scope: string | null,
    type: string,
    value: string,
    nowMs: number,
  ): Sealed {
    const shared = scope === null ? null : this.#scope(scope, nowMs);
    const key = createHmac('sha256', this.#hashKey)
      .update(`${scope ?? ''}\0${type}\0`)
      .update(value, 'utf16le')
      .digest('base64');
    const own = request.kept.get(key);
    if (own !== undefined) return own;
    const known = shared?.kept.get(key);
    const counters = shared?.counters ?? request.counters;
    // A placeholder that the caller wrote as text of its own cannot stand for a value in this request.
    const usable = known !== undefined && !request.isInContent(known.placeholder);
    const sealed = usable ? known : this.#sealed(request, type, value, counters);
    request.kept.set(key, sealed);
    if (shared === null || value.length > this.#limits.characters) return sealed;
    const expiresAtMs = nowMs + this.#limits.lifetimeMs;
    if (known !== undefined) {
      shared.kept.delete(key);
      shared.kept.set(key, { ...known, expiresAtMs });
      return sealed;
    }
    shared.kept.set(key, { ...sealed, expiresAtMs });
    this.#values++;
    this.#makeRoom(shared);
    return sealed;
  }

  /** The value of a placeholder. */
  open({ bytes }: Sealed): string {
    const decipher = createDecipheriv('aes-256-gcm', this.#sealKey, bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const value = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return value.toString('utf16le');
  }

  #sealed(request: RequestPlaceholders, type: string, value: string, counters: Map<string, number>): Sealed {
    let number = counters.get(type) ?? 0;
    let placeholder: string;
    do placeholder = `<${type}_${++number}>`;
    while (request.isInContent(placeholder));
    counters.set(type, number);
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#sealKey, iv);
    // UTF-16, because half a surrogate pair must come back as it was.
    const text = Buffer.concat([cipher.update(value, 'utf16le'), cipher.final()]);
    return { placeholder, bytes: Buffer.concat([iv, cipher.getAuthTag(), text]) };
  }

  #scope(name: string, nowMs: number): Scope {
    const scope = this.#scopes.get(name) ?? {
      kept: new Map<string, Kept>(),
      counters: new Map<string, number>(),
    };
    this.#scopes.delete(name);
    this.#scopes.set(name, scope);
    for (const [key, { expiresAtMs }] of scope.kept) {
      if (expiresAtMs > nowMs) break;
      scope.kept.delete(key);
      this.#values--;
    }
    // One neighbour a time: a scope that nobody uses any more must not keep its values for ever.
    const [oldest] = this.#scopes;
    if (oldest !== undefined && oldest[1] !== scope && hasExpired(oldest[1], nowMs)) this.#forget(...oldest);
    return scope;
  }

  #makeRoom(current: Scope): void {
    if (current.kept.size > this.#limits.valuesPerScope) {
      const [oldest] = current.kept.keys();
      if (oldest !== undefined && current.kept.delete(oldest)) this.#values--;
    }
    for (const [name, scope] of this.#scopes) {
      if (this.#values <= this.#limits.values || scope === current) return;
      this.#forget(name, scope);
    }
  }

  #forget(name: string, scope: Scope): void {
    this.#values -= scope.kept.size;
    this.#scopes.delete(name);
  }
}

/** Whether all of its values have: the last one used is the last one kept. */
function hasExpired({ kept }: Scope, nowMs: number): boolean {
  let last = 0;
  for (const { expiresAtMs } of kept.values()) last = Math.max(last, expiresAtMs);
  return last <= nowMs;
}

/** The process's own vault: placeholders outlive configurations, which come and go. */
export const sharedVault = new PlaceholderVault();
