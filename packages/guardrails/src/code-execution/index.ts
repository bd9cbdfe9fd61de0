import { commonParamsSchema, HOOKS } from '@portcullis/policy';
import { z } from 'zod';
import { languageOf, LANGUAGES } from '../code/languages.ts';
import { ConfigProblem, type Detection, type DetectorDefinition, type Inspection } from '../guardrail.ts';
import { TEXT_KINDS } from '../remote/service/documents.ts';
import { CLEAN, finding, flagged } from '../remote/service/inspection.ts';

const configSchema = z.strictObject({
  ...commonParamsSchema.shape,
  blocked_languages: z
    .array(z.string().min(1).max(32))
    .min(1)
    .nullable()
    .default(null)
    .describe('Languages whose code blocks count, by name or alias such as py; all when empty'),
  block_unnamed: z
    .boolean()
    .default(false)
    .describe('Code blocks without a language, or with one that is not known, count too'),
  action: z
    .preprocess(
      (value) => (typeof value === 'string' ? value.toUpperCase() : value),
      z.enum(['BLOCK', 'MASK', 'LOG']),
    )
    .default('BLOCK')
    .describe('BLOCK refuses, MASK takes the code out of its block, LOG only records'),
});
type Config = z.infer<typeof configSchema>;

const REPLACEMENT = '[CODE_REMOVED]';
const UNNAMED = 'unnamed';

/** Fenced blocks of code by language, as Markdown has them. */
export const codeExecution: DetectorDefinition<Config> = {
  ids: ['block_code_execution'],
  title: 'Blocks of code',
  configSchema,
  facts: ({ action }) => ({ hooks: HOOKS, masks: action === 'MASK' }),
  reads: () => TEXT_KINDS,
  deterministic: 'segment',
  timeoutMs: 1_000,
  create(config) {
    const wanted = wantedLanguages(config);
    return {
      inspect({ segments }): Inspection {
        const found = segments.flatMap(({ text }, segment) =>
          [...blocksIn(text)].flatMap((block) => {
            const type = languageOf(block.word) ?? UNNAMED;
            const counts = type === UNNAMED ? config.block_unnamed : wanted.has(type);
            return counts ? [{ type, segment, start: block.start, end: block.end }] : [];
          }),
        );
        return found.length === 0 ? CLEAN : verdict(config, found);
      },
    };
  },
};

function wantedLanguages({ blocked_languages: names }: Config): ReadonlySet<string> {
  if (names === null) return new Set(LANGUAGES.map(({ name }) => name));
  return new Set(
    names.map((name, index) => {
      const language = languageOf(name);
      if (language !== null) return language;
      const known = LANGUAGES.map((one) => one.name).join(', ');
      throw new ConfigProblem(
        ['blocked_languages', index],
        `"${name}" is no known language; known are ${known}`,
      );
    }),
  );
}

interface Found {
  readonly type: string;
  readonly segment: number;
  readonly start: number;
  readonly end: number;
}

function verdict({ action }: Config, found: readonly Found[]): Inspection {
  const detections: readonly Detection[] = found.map(({ type, ...span }) =>
    finding(type, action, { span, category: 'code', method: 'rule' }),
  );
  if (action === 'MASK') {
    const edits = found.map(({ segment, start, end }) => ({ segment, start, end, replacement: REPLACEMENT }));
    return { ...CLEAN, outcome: { outcome: 'masked' }, edits, detections };
  }
  const languages = [...new Set(found.map(({ type }) => type))].sort();
  const message = `Content blocked: code block in ${languages.join(', ')}`;
  return flagged(action === 'LOG' ? 'monitor' : 'block', message, detections, {
    provider_fields: { error: message, languages },
  });
}

const OPENING = /^ {0,3}(?:> ?){0,8} {0,3}(`{3,}|~{3,})[ \t]*(?:\{?\.?)([^\s`{}]{0,32})[^`\n]*$/u;
const CLOSING = /^ {0,3}(?:> ?){0,8} {0,3}(`{3,}|~{3,})[ \t]*$/u;

interface Block {
  /** The word behind the fence. */
  readonly word: string;
  /** What is between the fences. */
  readonly start: number;
  readonly end: number;
}

/** Fenced blocks, also one that is never closed. An empty one holds no code. */
function* blocksIn(text: string): Generator<Block> {
  let open: { readonly fence: string; readonly word: string; readonly start: number } | null = null;
  let at = 0;
  while (at <= text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(at, end).replace(/\r$/u, '');
    const next = end + 1;
    if (open === null) {
      const [, fence, word = ''] = OPENING.exec(line) ?? [];
      if (fence !== undefined) open = { fence, word, start: Math.min(next, text.length) };
    } else {
      const [, fence] = CLOSING.exec(line) ?? [];
      if (fence !== undefined && fence[0] === open.fence[0] && fence.length >= open.fence.length) {
        const stop = Math.max(open.start, at - 1);
        if (text.slice(open.start, stop).trim() !== '')
          yield { word: open.word, start: open.start, end: stop };
        open = null;
      }
    }
    at = next;
  }
  if (open !== null && text.slice(open.start).trim() !== '') {
    yield { word: open.word, start: open.start, end: text.length };
  }
}
