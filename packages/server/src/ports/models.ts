import type { Price } from './limits.ts';

/** One deployment of a model group, ready to be called. */
export interface Deployment {
  readonly id: string;
  /** It was made with the API; absent for one of the configuration file. */
  readonly isStored?: true;
  /** `provider/model` as the engine knows it. */
  readonly model: string;
  /** `mock` answers by itself; `openai` is every OpenAI-compatible base URL. */
  readonly provider: 'openai' | 'anthropic' | 'mock';
  /** The model name sent to the provider; `*` stands for what the wildcard of the group matched. */
  readonly upstreamModel: string;
  /** Base URL without a trailing slash, with `/v1` when the provider has it. */
  readonly apiBase: string;
  readonly apiKey: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly streamTimeoutMs: number;
  readonly weight: number;
  /** What it costs; absent when the configuration does not say. */
  readonly price?: Price;
  /** The most tokens that one answer can have; absent when the configuration does not say. */
  readonly maxOutputTokens?: number;
  /** Text that the mock answers instead of echoing, from `litellm_params.mock_response`. */
  readonly mockResponse: string | null;
  /** Further `litellm_params` that belong in the provider's body (such as temperature). */
  readonly defaults: Readonly<Record<string, unknown>>;
}

export interface DeployedGroup {
  readonly name: string;
  readonly deployments: readonly Deployment[];
}
