/** What storage has to tell about itself; telemetry makes log lines and metrics of it. */
export type StorageEvent =
  | { readonly kind: 'lock_taken_over'; readonly holder: string }
  | { readonly kind: 'opened'; readonly database: 'embedded' | 'postgres'; readonly durationMs: number }
  | { readonly kind: 'migrated'; readonly name: string }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'checkpoint' | 'vacuum'; readonly durationMs: number }
  | { readonly kind: 'upkeep_failed'; readonly reason: string }
  /** The embedded database ended or hung and is started again. */
  | { readonly kind: 'restarted'; readonly reason: string }
  /** Stored values that are malformed and therefore not used (O3). */
  | {
      readonly kind: 'values_ignored';
      readonly object: 'key' | 'team';
      readonly id: string;
      readonly fields: readonly string[];
    };

export type StorageEvents = (event: StorageEvent) => void;
