import type { FindingPath, Guardrail } from '@portcullis/policy';

/**
 * The secrets of guardrails: sealed where they are kept, opened where they are used. A sealed guardrail is the same
 * guardrail with an envelope in the place of each secret.
 */
export interface GuardrailSecrets {
  /** Seals every secret with the newest key. What is sealed already must be opened before. */
  seal(guardrail: Guardrail): Guardrail;
  /** @throws SecretProblem when an envelope cannot be opened: no guardrail runs with half its settings. */
  open(guardrail: Guardrail): Guardrail;
  /** The places of the secrets in `litellm_params`, whether they are sealed or open. */
  paths(params: Readonly<Record<string, unknown>>): readonly FindingPath[];
}

/** A secret that cannot be read. The message names guardrail, place and next step, and never a value. */
export class SecretProblem extends Error {
  override readonly name = 'SecretProblem';
}
