import type { Usage } from './dialect.ts';
import { isObject, type JsonObject } from './segments.ts';

export const NO_USAGE: Usage = Object.freeze({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 });

/** The counts of a `usage` object, in the words of either OpenAI dialect or of Anthropic. */
export function readUsage(usage: JsonObject): Usage {
  const count = (...names: readonly string[]): number => {
    for (const name of names) if (typeof usage[name] === 'number') return usage[name];
    return 0;
  };
  // Anthropic counts what it read from or wrote to its cache beside the rest.
  const prompt =
    count('prompt_tokens', 'input_tokens') +
    count('cache_creation_input_tokens') +
    count('cache_read_input_tokens');
  const completion = count('completion_tokens', 'output_tokens');
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: count('total_tokens') || prompt + completion,
  };
}

/** The usage of a whole answer, when it tells. */
export function usageOf(body: unknown): Usage | null {
  const usage = isObject(body) ? body['usage'] : undefined;
  return isObject(usage) ? readUsage(usage) : null;
}
