import { createHash, createSecretKey, type KeyObject, scryptSync } from 'node:crypto';

/** Keys that encrypt what is kept, by id. The first writes; all of them read, so that a key can be changed. */
export interface Keyring {
  readonly first: SealingKey;
  readonly byId: ReadonlyMap<string, SealingKey>;
}

export interface SealingKey {
  /** Eight hexadecimal digits, for envelopes. */
  readonly id: string;
  readonly key: KeyObject;
}

/** A keyring of the texts that the operator or an earlier start gave, the first of which writes. */
export function keyringOf(texts: readonly string[]): Keyring {
  const keys = [...new Set(texts)].map(derive);
  const first = keys[0];
  if (first === undefined) throw new RangeError('a keyring has at least one key');
  return { first, byId: new Map(keys.map((key) => [key.id, key])) };
}

/** Texts that people choose are short, so guessing one from a stolen database is made slow. */
function derive(text: string): SealingKey {
  const bytes = scryptSync(text, 'portcullis guardrail secrets', 32);
  const id = createHash('sha256').update('id').update(bytes).digest('hex').slice(0, 8);
  return { id, key: createSecretKey(bytes) };
}
