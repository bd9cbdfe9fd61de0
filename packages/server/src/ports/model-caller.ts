import type { Usage } from './records.ts';

/** One question to a model whose answer is a JSON object: the arguments of the one tool it may call. */
export interface ModelQuestion {
  /** Null for the first configured model that has a name of its own. */
  readonly model: string | null;
  readonly system: string;
  readonly user: string;
  readonly temperature: number;
  readonly tool: {
    readonly name: string;
    readonly description: string;
    /** JSON schema of the answer. */
    readonly parameters: Readonly<Record<string, unknown>>;
  };
  /** Whose budgets the answer's price is counted in: accounts as in `Identity.accounts`; none for the operator's own. */
  readonly accounts: readonly string[];
  /** Milliseconds; the deployment's own limit when that is shorter. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface ModelAnswer {
  /** The answer as the model gave it: parsed, not checked. */
  readonly value: unknown;
  /** The model group that answered. */
  readonly model: string;
  readonly usage: Usage | null;
  /** Billionths of a dollar, 0 when the model has no price. */
  readonly costNano: number;
}

/**
 * Asks a configured model in the gateway's own name. Neither policies nor guardrails apply to such a question, so that a
 * guardrail that asks one leads to no further ones.
 */
export interface ModelCaller {
  /**
   * @throws PortcullisError `policy_not_ready`, `model_not_found` without such a model or any, `upstream_*` when it does
   *   not answer as asked
   */
  ask(question: ModelQuestion): Promise<ModelAnswer>;
}
