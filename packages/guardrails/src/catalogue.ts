import { contentFilterWith, type WordsFolder } from './content-filter/index.ts';
import type { DetectorDefinition } from './guardrail.ts';
import { genericWebhook } from './remote/generic/index.ts';

/**
 * The built-in detectors. Nothing registers itself: what is not in this list does not exist.
 *
 * @param words Where the content filter reads `blocked_words_file` from; null refuses that setting.
 */
export function builtIns(words: WordsFolder | null): readonly DetectorDefinition[] {
  return [contentFilterWith(words), genericWebhook];
}

/** The built-in detectors without access to files. */
export const catalogue: readonly DetectorDefinition[] = builtIns(null);
