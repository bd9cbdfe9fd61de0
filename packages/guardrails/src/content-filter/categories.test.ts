import { mkdtempSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigProblem } from '../guardrail.ts';
import { filter, inspect, masked, streamed } from '../../test/content-filter.ts';

/** A folder with files of categories; the test filter parses JSON as its YAML. */
function folderOf(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'categories-'));
  for (const [name, content] of Object.entries(files))
    writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
}

const SCORING = {
  category_name: 'scoring',
  identifier_words: ['build', 'design'],
  additional_block_words: ['social score', 'citizen rating'],
  keywords: [
    { keyword: 'rank people', severity: 'medium' },
    { keyword: 'chart', severity: 'low' },
    { keyword: 'blacklist*', severity: 'high' },
  ],
  always_block_keywords: [{ keyword: 'secret dossier' }],
  exceptions: ['research'],
};

const folder = folderOf({ 'scoring.json': SCORING });

const scoring = (
  more: Readonly<Record<string, unknown>> = {},
  params: Readonly<Record<string, unknown>> = {},
) =>
  filter(
    { categories: [{ category: 'scoring', category_file: 'scoring.json', ...more }], ...params },
    folder,
  );

function names(text: string, detector = scoring()): string[] {
  const { trace } = inspect(detector, [text]);
  return (trace.guardrail_response as { keyword: string }[] | undefined)?.map(({ keyword }) => keyword) ?? [];
}

function problem(run: () => unknown): ConfigProblem {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigProblem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the words of a category', () => {
  test.each([
    ['a keyword', 'Please rank people.', ['rank people']],
    ['a keyword over a line end', 'Please rank\npeople.', ['rank people']],
    ['any ending after a final *', 'It was blacklisted', ['blacklist*']],
    ['no part of a word', 'Ablacklist, rank peoples', []],
    [
      'an identifier and a block word in one sentence',
      'Design me a fine social score',
      ['design + social score'],
    ],
    ['in either order', 'A citizen rating is what we build.', ['build + citizen rating']],
    ['not in two sentences', 'We design chairs. The social score is bad.', []],
    ['not over an empty line', 'We design chairs\n\nThe social score', []],
    [
      'a full stop inside a word ends no sentence',
      'Design v1.2 of the social score',
      ['design + social score'],
    ],
    ['an identifier alone is nothing', 'We build and design.', []],
    ['full width and invisible letters', 'ｄｅｓｉｇｎ a so\u200bcial score', ['design + social score']],
  ])('%s', (_name, text, expected) => {
    expect(names(text)).toEqual(expected);
  });

  test('an exception shields its own sentence and no other', () => {
    expect(names('In my research I rank people. We rank people.')).toEqual(['rank people']);
    expect(
      inspect(scoring(), ['In my research I rank people. We rank people.']).detections[0]?.span?.start,
    ).toBe(33);
    expect(names('Research how to design a social score.')).toEqual([]);
  });

  test('an exception shields only its own category', () => {
    const detector = filter(
      {
        categories: [
          { category: 'scoring', category_file: 'scoring.json' },
          { category: 'other', category_file: 'other.json' },
        ],
      },
      folderOf({
        'scoring.json': SCORING,
        'other.json': { category_name: 'other', keywords: [{ keyword: 'rank' }] },
      }),
    );
    expect(names('research to rank people', detector)).toEqual(['rank']);
  });

  test('words that always count do so in spite of an exception', () => {
    expect(names('research on a secret dossier')).toEqual(['secret dossier']);
  });

  test('severity: what is below the threshold does not count', () => {
    expect(names('rank people on a chart')).toEqual(['rank people']);
    expect(names('rank people on a chart', scoring({ severity_threshold: 'low' }))).toEqual([
      'rank people',
      'chart',
    ]);
    expect(names('rank people on a chart', scoring({}, { severity_threshold: 'high' }))).toEqual([]);
  });

  test('a pair is found in a sentence of any length that keeps it within reach', () => {
    for (const before of [0, 500, 590, 600, 610, 1500]) {
      const text = `build ${'x '.repeat(before / 2)}design a social score now`;
      expect([before, names(text).at(-1)]).toEqual([before, 'design + social score']);
    }
  });
});

describe('what a category does', () => {
  test('blocks with category, keyword and severity, and nothing of the text', () => {
    const { outcome, trace, detections } = inspect(scoring(), ['Please DESIGN a Social Score']);
    const error =
      "Content blocked: scoring category keyword 'design + social score' detected (severity: high)";
    expect(outcome).toEqual({ outcome: 'flagged', action: 'block', message: error });
    expect(trace.provider_fields).toEqual({
      error,
      category: 'scoring',
      keyword: 'design + social score',
      severity: 'high',
    });
    expect(trace.guardrail_response).toEqual([
      {
        type: 'category_keyword',
        category: 'scoring',
        keyword: 'design + social score',
        severity: 'high',
        action: 'BLOCK',
      },
    ]);
    expect(detections[0]).toMatchObject({
      type: 'scoring',
      category: 'scoring',
      method: 'keyword',
      severity: 'high',
      span: { segment: 0, start: 7, end: 28 },
    });
  });

  test('masks the words from the first to the last', () => {
    expect(masked(scoring({ action: 'MASK' }), ['ok. Design a social score, please'])).toEqual([
      'ok. [KEYWORD_REDACTED], please',
    ]);
  });

  test('reports and lets through with LOG', () => {
    expect(inspect(scoring({ action: 'LOG' }), ['rank people']).outcome).toMatchObject({ action: 'log' });
  });

  test('counts its words as checks', () => {
    expect(inspect(scoring(), ['fine']).trace.patterns_checked).toBe(7);
  });

  test('is off when it is not enabled', () => {
    expect(() => scoring({ enabled: false })).toThrow('nothing to look for');
  });
});

test('a stream gives the same as the whole text, in any pieces (E8)', () => {
  const detector = scoring({ action: 'MASK', severity_threshold: 'low' });
  const part = fc.constantFrom(
    'build ',
    'design',
    ' social score',
    'rank people',
    '. ',
    '.',
    '\n\n',
    'research',
    ' ',
    'secret dossier',
    'x'.repeat(90),
    ' words '.repeat(30),
    'chart',
    '?',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), (parts, size) => {
      const text = parts.join('');
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      expect(streamed(detector, pieces).text).toBe(masked(detector, [text])[0]);
    }),
    { numRuns: 400 },
  );
});

describe('category files', () => {
  test('a list of words with severities', () => {
    const detector = filter(
      { categories: [{ category: 'list', category_file: 'list.json' }] },
      folderOf({
        'list.json': [
          { id: '1', match: 'foo|bar baz', severity: 2 },
          { match: 'low', severity: 1 },
        ],
      }),
    );
    expect(names('foo, bar baz, low', detector)).toEqual(['foo', 'bar baz']);
  });

  test('inherit the words of a shipped category or of another file as block words', () => {
    const detector = filter(
      {
        categories: [
          { category: 'a', category_file: 'a.json' },
          { category: 'b', category_file: 'b.json' },
        ],
      },
      folderOf({
        'a.json': { category_name: 'a', identifier_words: ['child'], inherit_from: 'harmful_self_harm.yaml' },
        'b.json': { category_name: 'b', identifier_words: ['kid'], inherit_from: 'c.json' },
        'c.json': { category_name: 'c', keywords: [{ keyword: 'gadget' }] },
      }),
    );
    expect(names('a child wrote a suicide note', detector)).toEqual(['child + a suicide note']);
    expect(names('the kid has a gadget', detector)).toEqual(['kid + gadget']);
  });

  test.each<[string, unknown, string]>([
    ['outside', '../etc.json', 'does not exist'],
    ['missing', 'nothing.json', 'does not exist'],
    ['a folder above', '..', 'lies outside the folder'],
    ['a link that leads out', 'link.json', 'lies outside the folder'],
    ['malformed', 'broken.json', 'is not readable as YAML'],
    ['unknown keys', 'keys.json', 'does not fit'],
    ['empty', 'empty.json', 'holds no words'],
    ['identifiers without block words', 'half.json', 'identifier_words need'],
    ['in a circle', 'circle.json', 'in a circle'],
  ])('refused: %s', (_name, file, message) => {
    const inside = folderOf({
      'broken.json': '{',
      'keys.json': { category_name: 'x', words: [] },
      'empty.json': { category_name: 'x' },
      'half.json': { category_name: 'x', identifier_words: ['a'] },
      'circle.json': { category_name: 'x', inherit_from: 'circle.json' },
    });
    const outside = folderOf({ 'secret.json': SCORING });
    mkdirSync(path.join(inside, 'sub'));
    symlinkSync(path.join(outside, 'secret.json'), path.join(inside, 'link.json'));
    const found = problem(() => filter({ categories: [{ category: 'x', category_file: file }] }, inside));
    expect(found.message).toContain(message);
    expect(found.path).toEqual(['categories', 0, 'category_file']);
  });

  test('an unknown category is refused with its place', () => {
    const found = problem(() => filter({ categories: [{ category: 'no_such_category' }] }));
    expect(found.path).toEqual(['categories', 0, 'category']);
    expect(found.message).toBe('there is no category "no_such_category"');
  });
});
