import { z } from 'zod';
import { readFolderFile, type WordsFolder } from './folder-file.ts';
import { type BlockedWord, blockedWordSchema } from './config.ts';

const fileSchema = z.strictObject({ blocked_words: z.array(blockedWordSchema).min(1) });

/**
 * Reads a YAML file with the key `blocked_words`, holding the same objects as the configuration's own list.
 *
 * @param words The file has to be inside its folder, links resolved. Null: there is no such folder.
 * @throws ConfigProblem at `blocked_words_file` for a path that leaves the folder, and for a missing, too large or
 *   malformed file. A guardrail with half its words is never made.
 */
export function readBlockedWords(words: WordsFolder | null, file: string): BlockedWord[] {
  return readFolderFile(words, file, fileSchema, {
    path: ['blocked_words_file'],
    title: 'blocked words file',
    instead: 'use blocked_words',
  }).blocked_words;
}
