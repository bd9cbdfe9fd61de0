import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ConfigProblem } from '../guardrail.ts';
import { type BlockedWord, blockedWordSchema } from './config.ts';

const FILE_BYTES = 10 * 1024 * 1024;

const fileSchema = z.strictObject({ blocked_words: z.array(blockedWordSchema).min(1) });

/** Where `blocked_words_file` is read from. Given by whoever read the configuration: this package parses no YAML itself. */
export interface WordsFolder {
  /** The folder the configuration file lies in. */
  readonly folder: string;
  /** Parses a YAML text to plain values; throws for a malformed one. */
  readonly parseYaml: (text: string) => unknown;
}

/**
 * Reads a YAML file with the key `blocked_words`, holding the same objects as the configuration's own list.
 *
 * @param words The file has to be inside its folder, links resolved. Null: there is no such folder.
 * @throws ConfigProblem at `blocked_words_file` for a path that leaves the folder, and for a missing, too large or
 *   malformed file. A guardrail with half its words is never made.
 */
export function readBlockedWords(words: WordsFolder | null, file: string): BlockedWord[] {
  if (words === null)
    throw refusal('cannot be read, because the configuration lies in no folder; use blocked_words');
  const location = locate(words.folder, file);
  let document: unknown;
  try {
    if (statSync(location).size > FILE_BYTES) throw refusal(`is larger than ${FILE_BYTES} bytes`);
    document = words.parseYaml(readFileSync(location, 'utf8'));
  } catch (error) {
    if (error instanceof ConfigProblem) throw error;
    throw refusal('is not readable as YAML');
  }
  const parsed = fileSchema.safeParse(document);
  if (parsed.success) return parsed.data.blocked_words;
  const issue = parsed.error.issues[0];
  throw refusal(`does not fit: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trimEnd());
}

function locate(folder: string, file: string): string {
  let inside: string;
  let location: string;
  try {
    inside = realpathSync(folder);
    location = realpathSync(path.resolve(inside, file));
  } catch {
    throw refusal('does not exist');
  }
  const relative = path.relative(inside, location);
  if (relative === '' || relative.startsWith('..') || path.isAbsolute(relative)) {
    throw refusal('lies outside the folder of the configuration');
  }
  return location;
}

function refusal(reason: string): ConfigProblem {
  return new ConfigProblem(['blocked_words_file'], `the blocked words file ${reason}`);
}
