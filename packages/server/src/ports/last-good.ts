import type { StoredDocuments } from './policy-store.ts';

/** What was found of the last known good documents (S3). */
export type LastGood =
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly documents: StoredDocuments }
  /** A file is there but must not be used: torn, edited, or of another version. */
  | { readonly kind: 'refused'; readonly reason: string };

/** The documents of the database that were enforced last, on this machine's disk. Secrets stay sealed in them. */
export interface LastGoodStore {
  read(): Promise<LastGood>;
  /**
   * Replaces what is kept, as a whole or not at all. Lets others work in between.
   * @throws Error when it cannot be written; what was kept is then removed, because it would be too old.
   */
  write(documents: StoredDocuments): Promise<void>;
}
