// Model providers, by the prefix of `litellm_params.model`.

export interface ProviderFacts {
  /** What it speaks: OpenAI's dialects, or Anthropic's. */
  readonly speaks: 'openai' | 'anthropic';
  /** Used when `api_base` is not given; null when only the operator knows it. */
  readonly apiBase: string | null;
  /** Environment variables read when `api_base` is not given. */
  readonly baseVariables: readonly string[];
  /** Environment variables read when `api_key` is not given; empty when the provider needs no key. */
  readonly keyVariables: readonly string[];
  /** Added to `api_base` unless it already ends in it. */
  readonly suffix: string;
}

const provider = (
  apiBase: string | null,
  keyVariables: readonly string[],
  rest: { baseVariables?: readonly string[]; suffix?: string; speaks?: 'anthropic' } = {},
): ProviderFacts => ({
  speaks: rest.speaks ?? 'openai',
  apiBase,
  keyVariables,
  baseVariables: rest.baseVariables ?? [],
  suffix: rest.suffix ?? '',
});

const LOCAL_OLLAMA = provider('http://localhost:11434/v1', [], {
  baseVariables: ['OLLAMA_API_BASE'],
  suffix: '/v1',
});

/** Every provider that can be called. `mock` answers by itself and is not in this table. */
export const PROVIDERS: Readonly<Record<string, ProviderFacts>> = {
  openai: provider('https://api.openai.com/v1', ['OPENAI_API_KEY'], {
    baseVariables: ['OPENAI_BASE_URL', 'OPENAI_API_BASE'],
  }),
  anthropic: provider('https://api.anthropic.com/v1', ['ANTHROPIC_API_KEY'], {
    baseVariables: ['ANTHROPIC_API_BASE', 'ANTHROPIC_BASE_URL'],
    suffix: '/v1',
    speaks: 'anthropic',
  }),
  azure: provider(null, ['AZURE_API_KEY'], { baseVariables: ['AZURE_API_BASE'], suffix: '/openai/v1' }),
  gemini: provider('https://generativelanguage.googleapis.com/v1beta/openai', [
    'GEMINI_API_KEY',
    'GOOGLE_API_KEY',
  ]),
  groq: provider('https://api.groq.com/openai/v1', ['GROQ_API_KEY']),
  mistral: provider('https://api.mistral.ai/v1', ['MISTRAL_API_KEY']),
  deepseek: provider('https://api.deepseek.com/v1', ['DEEPSEEK_API_KEY']),
  openrouter: provider('https://openrouter.ai/api/v1', ['OPENROUTER_API_KEY']),
  together_ai: provider('https://api.together.xyz/v1', ['TOGETHERAI_API_KEY', 'TOGETHER_API_KEY']),
  fireworks_ai: provider('https://api.fireworks.ai/inference/v1', ['FIREWORKS_API_KEY']),
  perplexity: provider('https://api.perplexity.ai', ['PERPLEXITYAI_API_KEY', 'PERPLEXITY_API_KEY']),
  xai: provider('https://api.x.ai/v1', ['XAI_API_KEY']),
  ollama: LOCAL_OLLAMA,
  ollama_chat: LOCAL_OLLAMA,
  vllm: provider(null, [], { baseVariables: ['VLLM_API_BASE'] }),
  hosted_vllm: provider(null, [], { baseVariables: ['HOSTED_VLLM_API_BASE'] }),
  openai_compatible: provider(null, []),
};

/** Providers of the reference that speak another dialect: worth a word of their own. */
const OTHER_DIALECTS = new Set([
  'bedrock',
  'vertex_ai',
  'vertex_ai_beta',
  'sagemaker',
  'cohere',
  'cohere_chat',
  'replicate',
  'huggingface',
  'watsonx',
  'databricks',
  'predibase',
]);

/** Model names that the reference takes for OpenAI's when no provider is written. */
const OPENAI_NAMES =
  /^(?:gpt-|chatgpt-|o[1-9](?:-|$)|text-embedding-|text-moderation-|omni-moderation-|dall-e-|whisper-|tts-)/u;

export interface ProviderAndModel {
  readonly provider: string;
  readonly model: string;
}

/** Takes `provider/model` apart, or says why it cannot be served. */
export function splitModel(
  written: string,
  given: { readonly provider: string | null; readonly hasBase: boolean },
): ProviderAndModel | { readonly problem: string } {
  const slash = written.indexOf('/');
  const prefix = slash === -1 ? '' : written.slice(0, slash);
  const isKnown = (name: string): boolean => name === 'mock' || Object.hasOwn(PROVIDERS, name);
  if (given.provider !== null && given.provider !== prefix) {
    return isKnown(given.provider)
      ? { provider: given.provider, model: written }
      : { problem: unsupported(given.provider) };
  }
  if (slash > 0 && isKnown(prefix)) {
    const model = written.slice(slash + 1);
    return model === ''
      ? { problem: `"${prefix}/" needs a model name after it` }
      : { provider: prefix, model };
  }
  if (OPENAI_NAMES.test(written)) return { provider: 'openai', model: written };
  if (slash > 0) return { problem: unsupported(prefix) };
  if (written === '*' || given.hasBase) return { provider: 'openai', model: written };
  return {
    problem: `"${written}" names no provider: write provider/model, for example openai/${written}. ${supported()}`,
  };
}

function unsupported(name: string): string {
  const why = OTHER_DIALECTS.has(name)
    ? `the provider "${name}" speaks a dialect that this gateway does not call`
    : `the provider "${name}" is not known`;
  return `${why}; reach it through an OpenAI-compatible address with openai/<model> and api_base. ${supported()}`;
}

function supported(): string {
  return `Supported: ${[...Object.keys(PROVIDERS), 'mock'].join(', ')}`;
}
