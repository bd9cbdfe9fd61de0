import type { ContentKind } from '@portcullis/policy';
import type { SegmentCollector } from './segments.ts';

/** Whether a prompt is written in the model's own token numbers. */
function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'number');
}

/**
 * A prompt or text to embed: a text, a list of texts, or token numbers. Numbers of tokens are encoded text that no
 * detector reads, so they are one segment of kind `files` in the form of a data URL, for which `unscanned` decides (E9).
 */
export function collectPrompt(into: SegmentCollector, path: string, kind: ContentKind, value: unknown): void {
  if (isTokens(value)) {
    const text = `data:application/x-tokens;base64,${'A'.repeat(Math.min(value.length, 64))}`;
    into.segments.push({ path, kind: 'files', role: 'user', text, join: null, leaf: 'key' });
  } else if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => collectPrompt(into, `${path}/${index}`, kind, item));
  } else {
    into.everything(path, kind, 'user', value);
  }
}
