import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';
import { ConfigProblem } from '../guardrail.ts';

const FILE_BYTES = 10 * 1024 * 1024;

/** Where files that a configuration names are read from. Given by whoever read the configuration: this package parses no YAML itself. */
export interface WordsFolder {
  /** The folder the configuration file lies in. */
  readonly folder: string;
  /** Parses a YAML text to plain values; throws for a malformed one. */
  readonly parseYaml: (text: string) => unknown;
}

/** The setting that names a file, as problems with it are reported. */
interface FileSetting {
  readonly path: readonly (string | number)[];
  readonly title: string;
  /** What to do when there is no folder. */
  readonly instead: string;
}

/**
 * Reads a YAML or JSON file in the folder of the configuration.
 *
 * @param words The file has to be inside its folder, links resolved. Null: there is no such folder.
 * @throws ConfigProblem at the setting for a path that leaves the folder, and for a missing, too large or malformed file.
 */
export function readFolderFile<T>(
  words: WordsFolder | null,
  file: string,
  schema: z.ZodType<T>,
  setting: FileSetting,
): T {
  const refusal = (reason: string) => new ConfigProblem(setting.path, `the ${setting.title} ${reason}`);
  if (words === null)
    throw refusal(`cannot be read, because the configuration lies in no folder; ${setting.instead}`);
  let location: string | null;
  try {
    location = locate(words.folder, file);
  } catch {
    throw refusal('does not exist');
  }
  if (location === null) throw refusal('lies outside the folder of the configuration');
  let document: unknown;
  try {
    if (statSync(location).size > FILE_BYTES) throw refusal(`is larger than ${FILE_BYTES} bytes`);
    document = words.parseYaml(readFileSync(location, 'utf8'));
  } catch (error) {
    if (error instanceof ConfigProblem) throw error;
    throw refusal('is not readable as YAML');
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refusal(`does not fit: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trimEnd());
}

/** The real path of a file, or null when it is not inside the folder. Throws for one that does not exist. */
function locate(folder: string, file: string): string | null {
  const inside = realpathSync(folder);
  const location = realpathSync(path.resolve(inside, file));
  const relative = path.relative(inside, location);
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? null : location;
}
