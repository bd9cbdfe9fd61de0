import { BINARY_KINDS, CONTENT_KINDS, type ContentKind, HOOKS } from '@portcullis/policy';
import { ConfigProblem, type DetectorDefinition } from '../guardrail.ts';
import { readBlockedWords } from './blocked-words-file.ts';
import { findCategory } from './categories/index.ts';
import { readCategoryFile } from './category-file.ts';
import {
  type BlockedWord,
  type CategoryEntry,
  type ContentFilterConfig,
  contentFilterSchema,
} from './config.ts';
import { competitorRules } from './competitor-intent.ts';
import { ContentFilter } from './detector.ts';
import type { WordsFolder } from './folder-file.ts';
import { LinearRegex, RegexProblem } from './linear-regex.ts';
import { LooseWords } from './loose-words.ts';
import { findPattern } from './patterns/index.ts';
import { KeywordProblem, Program, type RuleSource } from './program.ts';

const READABLE: ReadonlySet<ContentKind> = new Set(CONTENT_KINDS.filter((kind) => !BINARY_KINDS.has(kind)));

export type { WordsFolder } from './folder-file.ts';

/**
 * The built-in content filter: prebuilt patterns, regular expressions and blocked words, local and synchronous.
 *
 * @param words Where `blocked_words_file` is read from; null refuses that setting.
 */
export function contentFilterWith(words: WordsFolder | null): DetectorDefinition<ContentFilterConfig> {
  return {
    ids: ['litellm_content_filter', 'content_filter'],
    title: 'Content filter',
    configSchema: contentFilterSchema,
    facts: (config) => ({ hooks: HOOKS, masks: masks(config) }),
    reads: () => READABLE,
    deterministic: 'segment',
    dataDigest: (config) => (readsFiles(config) ? null : ''),
    timeoutMs: 2_000,
    create: (config, ports) => {
      const program = compile(config, words);
      const readThrough = config.deobfuscate !== 'off';
      return new ContentFilter(
        { program, readThrough, loose: readThrough ? LooseWords.of(program.rules) : null },
        ports,
        config.output_parse_pii,
      );
    },
  };
}

/** Shorter words backwards or in ROT13 are words of other languages. */
const DISGUISED = 6;

/** The content filter without access to files. */
export const contentFilter: DetectorDefinition<ContentFilterConfig> = contentFilterWith(null);

const readsFiles = ({ blocked_words_file, categories }: ContentFilterConfig): boolean =>
  blocked_words_file !== null || (categories ?? []).some((entry) => entry.category_file != null);

/** A words file may hold masked words; whether it does is not known before it is read, so it counts as masking. */
function masks(config: ContentFilterConfig): boolean {
  if (config.blocked_words_file !== null) return true;
  if (config.blocked_words.some((word) => word.action === 'MASK')) return true;
  if (enabledCategories(config).some(({ entry }) => masksCategory(entry))) return true;
  return config.patterns.some((entry) => {
    const suggested = entry.pattern_type === 'prebuilt' ? findPattern(entry.pattern_name)?.action : undefined;
    return (entry.action ?? suggested) === 'MASK';
  });
}

/** What a category in a file suggests is not known before it is read, so it counts as masking. */
function masksCategory(entry: CategoryEntry): boolean {
  if (entry.action !== null && entry.action !== undefined) return entry.action === 'MASK';
  return entry.category_file != null || findCategory(entry.category)?.action === 'MASK';
}

function enabledCategories(config: ContentFilterConfig): { entry: CategoryEntry; index: number }[] {
  return (config.categories ?? [])
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => entry.enabled);
}

function compile(config: ContentFilterConfig, words: WordsFolder | null): Program {
  refuseUnavailable(config);
  const sources: RuleSource[] = [];
  const paths: (readonly (string | number)[])[] = [];
  const add = (source: RuleSource, path: readonly (string | number)[]) => {
    sources.push(source);
    paths.push(path);
  };
  try {
    config.patterns.forEach((_entry, index) => add(patternSource(config, index), ['patterns', index]));
    config.blocked_words.forEach((word, index) =>
      add(keywordSource(config, word), ['blocked_words', index, 'keyword']),
    );
    if (config.blocked_words_file !== null) {
      for (const word of readBlockedWords(words, config.blocked_words_file)) {
        add(keywordSource(config, word), ['blocked_words_file']);
      }
    }
    if (config.deobfuscate === 'deep') addDisguises(sources, add, paths);
    for (const { entry, index } of enabledCategories(config))
      add(categorySource(config, entry, index, words), ['categories', index]);
    if (config.competitor_intent_config != null) {
      for (const source of competitorRules(config.competitor_intent_config))
        add(source, ['competitor_intent_config']);
    }
    if (sources.length === 0) {
      throw new ConfigProblem(
        [],
        'the content filter has nothing to look for: add patterns, blocked_words or categories',
      );
    }
    return new Program(sources);
  } catch (error) {
    for (const source of sources) if (source.kind === 'regex') source.regex.free();
    if (error instanceof KeywordProblem)
      throw new ConfigProblem(paths[error.index] ?? ['blocked_words'], error.message);
    if (error instanceof RangeError) throw new ConfigProblem(['blocked_words'], error.message);
    throw error;
  }
}

/** Settings that this build does not serve are refused: a filter that silently checks less would be worse than none. */
function refuseUnavailable(config: ContentFilterConfig): void {
  if (config.image_model !== undefined && config.image_model !== null) {
    throw new ConfigProblem(['image_model'], 'image_model is not available yet; images are not read');
  }
}

function patternSource(config: ContentFilterConfig, index: number): RuleSource {
  const entry = config.patterns[index] as ContentFilterConfig['patterns'][number];
  if (entry.pattern_type === 'prebuilt') {
    const spec = findPattern(entry.pattern_name);
    if (spec === null) {
      throw new ConfigProblem(
        ['patterns', index, 'pattern_name'],
        `there is no prebuilt pattern "${entry.pattern_name}"`,
      );
    }
    const replacement = redaction(config, entry.pattern_name);
    return { kind: 'pattern', spec, action: entry.action ?? spec.action, replacement };
  }
  try {
    const regex = new LinearRegex(entry.pattern);
    return {
      kind: 'regex',
      name: entry.name,
      regex,
      action: entry.action,
      replacement: redaction(config, entry.name),
    };
  } catch (error) {
    if (error instanceof RegexProblem) throw new ConfigProblem(['patterns', index, 'pattern'], error.message);
    throw error;
  }
}

/** The letters of a text moved on by half the alphabet. */
function rot13(text: string): string {
  return text.replace(/[a-z]/gi, (char) => {
    const first = char <= 'Z' ? 65 : 97;
    return String.fromCharCode(((char.charCodeAt(0) - first + 13) % 26) + first);
  });
}

/** Keywords of some length also in ROT13 and backwards: no reading of the text would bring those back. */
function addDisguises(
  sources: readonly RuleSource[],
  add: (source: RuleSource, path: readonly (string | number)[]) => void,
  paths: readonly (readonly (string | number)[])[],
): void {
  sources.slice().forEach((source, index) => {
    if (source.kind !== 'keyword' || source.keyword.includes('*') || source.keyword.length < DISGUISED)
      return;
    for (const spelled of [rot13(source.keyword), Array.from(source.keyword).reverse().join('')]) {
      add({ ...source, spelled }, paths[index] ?? ['blocked_words']);
    }
  });
}

function redaction(config: ContentFilterConfig, name: string): string {
  return config.pattern_redaction_format.replaceAll('{pattern_name}', () => name.toUpperCase());
}

function keywordSource(config: ContentFilterConfig, word: BlockedWord): RuleSource {
  return {
    kind: 'keyword',
    keyword: word.keyword,
    description: word.description ?? null,
    action: word.action,
    replacement: config.keyword_redaction_tag,
  };
}

function categorySource(
  config: ContentFilterConfig,
  entry: CategoryEntry,
  index: number,
  words: WordsFolder | null,
): RuleSource {
  const file = entry.category_file ?? null;
  const spec =
    file === null ? findCategory(entry.category) : readCategoryFile(words, entry.category, file, index);
  if (spec === null)
    throw new ConfigProblem(['categories', index, 'category'], `there is no category "${entry.category}"`);
  return {
    kind: 'category',
    spec,
    threshold: entry.severity_threshold ?? config.severity_threshold,
    action: entry.action ?? spec.action,
    replacement: config.keyword_redaction_tag,
  };
}
