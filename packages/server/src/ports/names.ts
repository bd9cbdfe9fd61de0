/** What may be named on a key or team. Asked when it is written, so that a misspelt name never waits to be found (V9). */
export interface KnownNames {
  /** Whether a policy of this name is in production. */
  isPolicy(name: string): boolean;
  isGuardrail(name: string): boolean;
  /** Policies whose attachments go by this token hash. */
  attachedToKey?(tokenHash: string): readonly string[];
}
