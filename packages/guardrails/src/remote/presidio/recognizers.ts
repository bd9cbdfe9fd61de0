import { z } from 'zod';
import { readFolderFile, type WordsFolder } from '../../content-filter/folder-file.ts';
import { ConfigProblem } from '../../guardrail.ts';

/** A recognizer as the analyzer takes it; the analyzer checks its own further fields. */
const recognizer = z.looseObject({ name: z.string().min(1), supported_entity: z.string().min(1) });
const list = z.array(recognizer).min(1).max(100);

/** Recognizers: a list, its JSON, or the name of a file that holds it. */
export const recognizersSchema = z.union([list, z.string().min(1)]);

const SETTING = 'presidio_ad_hoc_recognizers';

/** @throws ConfigProblem for a file that cannot be read, or a text that is no list of recognizers */
export function recognizersOf(
  given: z.infer<typeof recognizersSchema> | null | undefined,
  folder: WordsFolder | null,
): readonly unknown[] {
  if (given == null) return [];
  if (typeof given !== 'string') return given;
  if (!given.trimStart().startsWith('[')) {
    const title = 'file of recognizers';
    return readFolderFile(folder, given, list, { path: [SETTING], title, instead: 'write the list itself' });
  }
  let value: unknown;
  try {
    value = JSON.parse(given);
  } catch {
    throw new ConfigProblem([SETTING], 'this is no JSON list of recognizers');
  }
  const parsed = list.safeParse(value);
  if (!parsed.success)
    throw new ConfigProblem([SETTING], 'every recognizer needs a name and a supported_entity');
  return parsed.data;
}
