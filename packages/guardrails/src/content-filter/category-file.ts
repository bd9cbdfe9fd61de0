import { z } from 'zod';
import { ConfigProblem } from '../guardrail.ts';
import { findCategory } from './categories/index.ts';
import type { CategorySpec, CategoryWord } from './categories/spec.ts';
import { severitySchema } from './config.ts';
import { readFolderFile, type WordsFolder } from './folder-file.ts';
import { KEYWORD_CHARACTERS } from './program.ts';

const wordSchema = z.string().min(1).max(KEYWORD_CHARACTERS);
const keywordSchema = z.strictObject({ keyword: wordSchema, severity: severitySchema.default('high') });

/** A category in YAML, with the keys of the reference. */
const yamlSchema = z.strictObject({
  category_name: z.string().min(1).max(256),
  display_name: z.string().max(256).nullish(),
  description: z.string().max(2_000).nullish(),
  default_action: z
    .preprocess(
      (value) => (typeof value === 'string' ? value.toUpperCase() : value),
      z.enum(['BLOCK', 'MASK', 'LOG']),
    )
    .default('BLOCK'),
  keywords: z.array(keywordSchema).nullish(),
  always_block_keywords: z.array(keywordSchema).nullish(),
  exceptions: z.array(wordSchema).nullish(),
  identifier_words: z.array(wordSchema).nullish(),
  additional_block_words: z.array(wordSchema).nullish(),
  inherit_from: z.string().min(1).nullish(),
  /** Further identifier x block rules, beyond the format of the reference. `within`: characters between the two words. */
  pairs: z
    .array(
      z.strictObject({
        identifier_words: z.array(wordSchema).min(1),
        block_words: z.array(wordSchema).min(1),
        within: z.int().min(1).optional(),
      }),
    )
    .nullish(),
});

/** A category as a list of words, `a|b|c` with a severity from 1 to 4. */
const listSchema = z
  .array(
    z.strictObject({
      id: z.union([z.string(), z.number()]).nullish(),
      match: z.string().min(1),
      tags: z.array(z.string()).nullish(),
      severity: z.int().min(1).max(4),
    }),
  )
  .min(1);

const fileSchema = z.union([yamlSchema, listSchema]);

/** How many files may inherit from each other. */
const DEPTH = 8;

/**
 * Reads a category of your own.
 *
 * @param index Of the entry in `categories`, for messages.
 * @throws ConfigProblem at `category_file`: a category with half its words is never made.
 */
export function readCategoryFile(
  words: WordsFolder | null,
  name: string,
  file: string,
  index: number,
): CategorySpec {
  return read(words, name, file, ['categories', index, 'category_file'], DEPTH);
}

function read(
  words: WordsFolder | null,
  name: string,
  file: string,
  path: readonly (string | number)[],
  depth: number,
): CategorySpec {
  const document = readFolderFile(words, file, fileSchema, {
    path,
    title: `category file "${file}"`,
    instead: 'use a category that is shipped',
  });
  if (Array.isArray(document)) return fromList(name, document);
  const keywords = document.keywords ?? [];
  const always = document.always_block_keywords ?? [];
  const identifiers = document.identifier_words ?? [];
  const inherited =
    document.inherit_from == null ? [] : inheritedWords(words, document.inherit_from, path, depth);
  const blocks = [...(document.additional_block_words ?? []), ...inherited];
  if (identifiers.length > 0 && blocks.length === 0)
    throw new ConfigProblem(path, 'identifier_words need additional_block_words or inherit_from');
  // Without identifiers, what is inherited counts by itself.
  const own = identifiers.length > 0 ? [] : blocks.map((keyword) => ({ keyword, severity: 'high' as const }));
  const findings = [...keywords, ...own];
  const pairs = (document.pairs ?? []).map(({ identifier_words, block_words, within }) => ({
    identifiers: identifier_words,
    blocks: block_words,
    ...(within === undefined ? {} : { within }),
  }));
  if (identifiers.length > 0) pairs.push({ identifiers, blocks });
  if (findings.length + always.length + pairs.length === 0)
    throw new ConfigProblem(path, `the category file "${file}" holds no words`);
  return {
    name,
    display_name: document.display_name ?? document.category_name,
    group: 'Custom',
    description: document.description ?? '',
    action: document.default_action,
    keywords: findings,
    always,
    pairs,
    exceptions: document.exceptions ?? [],
  };
}

/** The words of a shipped category, or of another file, as block words. */
function inheritedWords(
  words: WordsFolder | null,
  from: string,
  path: readonly (string | number)[],
  depth: number,
): string[] {
  const shipped = findCategory(from.replace(/\.(?:ya?ml|json)$/i, ''));
  if (depth === 0)
    throw new ConfigProblem(path, `inherit_from is deeper than ${DEPTH} files, or goes in a circle`);
  const spec = shipped ?? read(words, from, from, path, depth - 1);
  const all: readonly CategoryWord[] = [...spec.keywords, ...spec.always];
  return [...all.map(({ keyword }) => keyword), ...spec.pairs.flatMap(({ blocks }) => blocks)];
}

function fromList(name: string, entries: z.infer<typeof listSchema>): CategorySpec {
  return {
    name,
    display_name: name,
    group: 'Custom',
    description: '',
    action: 'BLOCK',
    keywords: entries.flatMap(({ match, severity }) =>
      match
        .split('|')
        .map((word) => word.trim())
        .filter((word) => word !== '')
        .map((keyword) => ({
          keyword,
          severity:
            severity >= 3 ? ('high' as const) : severity === 2 ? ('medium' as const) : ('low' as const),
        })),
    ),
    always: [],
    pairs: [],
    exceptions: [],
  };
}
