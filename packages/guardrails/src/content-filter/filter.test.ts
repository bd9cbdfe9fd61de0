import { mkdtempSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigProblem } from '../guardrail.ts';
import { riskScore } from '../risk.ts';
import { contentFilterSchema } from './config.ts';
import { contentFilter } from './index.ts';
import { filter, inspect, masked, ports, prebuilt, streamed, subject } from '../../test/content-filter.ts';

const CARD = '4111 1111 1111 1111';

function problem(run: () => unknown): ConfigProblem {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigProblem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('masking', () => {
  test('replaces every match with the name of its pattern', () => {
    expect(masked(prebuilt(['email']), ['a@b.co and c@d.org'])).toEqual([
      '[EMAIL_REDACTED] and [EMAIL_REDACTED]',
    ]);
  });

  test('uses the given format and tag', () => {
    const detector = filter({
      patterns: [{ pattern_type: 'prebuilt', pattern_name: 'email', action: 'MASK' }],
      blocked_words: [{ keyword: 'falcon', action: 'MASK' }],
      pattern_redaction_format: '<{pattern_name}>',
      keyword_redaction_tag: '***',
    });
    expect(masked(detector, ['falcon a@b.co'])).toEqual(['*** <EMAIL>']);
  });

  test('leaves the rest of a text untouched, however odd', () => {
    expect(masked(prebuilt(['credit_card']), [`ｆｕｌｌ ${CARD}\u200b, ½`])).toEqual([
      'ｆｕｌｌ [CREDIT_CARD_REDACTED], ½',
    ]);
  });

  test('puts one placeholder where matches overlap, named after the longest', () => {
    expect(masked(prebuilt(['email', 'url']), ['x https://a.test/?m=a@b.co&x=1 y'])).toEqual([
      'x [URL_REDACTED] y',
    ]);
  });

  test('masks what a pattern name with a dollar sign says, literally', () => {
    const detector = filter({
      patterns: [{ pattern_type: 'regex', name: '$& x', pattern: 'abc', action: 'MASK' }],
    });
    expect(masked(detector, ['abc'])).toEqual(['[$& X_REDACTED]']);
  });

  test('counts credentials before digit patterns inside them', () => {
    const detector = filter({
      patterns: [
        { pattern_type: 'prebuilt', pattern_name: 'slack_token', action: 'MASK' },
        { pattern_type: 'prebuilt', pattern_name: 'us_ssn', action: 'BLOCK' },
      ],
    });
    const token = ['xoxb', '536-22-8719-Ab3dEf6hIj9kLm2nOp5qRs8t'].join('-');
    expect(inspect(detector, [token]).outcome).toEqual({ outcome: 'masked' });
    expect(inspect(detector, ['536-22-8719']).outcome).toMatchObject({ outcome: 'flagged', action: 'block' });
  });
});

describe('blocking', () => {
  const detector = filter({
    patterns: [
      { pattern_type: 'prebuilt', pattern_name: 'credit_card', action: 'BLOCK' },
      { pattern_type: 'regex', name: 'ticket', pattern: 'T-\\d{3}', action: 'BLOCK' },
    ],
    blocked_words: [
      { keyword: 'Falcon', action: 'BLOCK', description: 'secret project' },
      { keyword: 'owl', action: 'BLOCK' },
    ],
  });

  test.each([
    [CARD, 'Content blocked: credit_card pattern detected', { pattern: 'credit_card' }],
    ['see T-123', 'Content blocked: ticket pattern detected', { pattern: 'ticket' }],
    [
      'the FALCON',
      "Content blocked: keyword 'Falcon' detected (secret project)",
      { keyword: 'Falcon', description: 'secret project' },
    ],
    ['an owl', "Content blocked: keyword 'owl' detected", { keyword: 'owl', description: null }],
  ])("%s is blocked with the reference's message and fields", (text, message, fields) => {
    const { outcome, trace } = inspect(detector, [text]);
    expect(outcome).toEqual({ outcome: 'flagged', action: 'block', message });
    expect(trace.provider_fields).toEqual({ error: message, ...fields });
  });

  test('names the first match in the text', () => {
    expect(inspect(detector, ['nothing', `an owl, ${CARD}`]).outcome).toMatchObject({
      message: "Content blocked: keyword 'owl' detected",
    });
  });

  test('stops a stream before the match', () => {
    expect(streamed(detector, ['pay with ', CARD, ' now and more'])).toMatchObject({
      blocked: true,
      text: 'pay with ',
    });
  });

  test('never repeats the matched text', () => {
    const inspection = inspect(detector, [`x ${CARD} T-123`]);
    expect(JSON.stringify(inspection)).not.toMatch(/4111|T-123/);
  });
});

describe('what a run reports', () => {
  test('detections with place, kind and hash', () => {
    expect(inspect(prebuilt(['email']), ['to a@b.co']).detections).toEqual([
      {
        type: 'email',
        span: { segment: 0, start: 3, end: 9 },
        action: 'MASK',
        method: 'regex',
        score: null,
        category: 'PII',
        severity: 'medium',
        hash: 'h6',
      },
    ]);
  });

  test('a risk that depends on what was found, not on how much was looked for', () => {
    const risk = (names: readonly string[], text: string) =>
      riskScore(
        inspect(prebuilt(names), [text]).detections.map(({ action, severity }) => ({
          action_taken: action,
          severity,
        })),
      );
    expect(risk(['us_ssn'], '536-22-8719')).toBe(7);
    expect(risk(['us_ssn', 'email', 'iban', 'url'], '536-22-8719')).toBe(7);
    expect(risk(['ipv4'], '10.0.0.1')).toBe(1);
    expect(risk(['ipv4', 'email'], '10.0.0.1 a@b.co')).toBe(4.6);
  });

  test('LOG flags without changing anything', () => {
    const inspection = inspect(prebuilt(['email'], 'LOG'), ['a@b.co']);
    expect(inspection.outcome).toMatchObject({ outcome: 'flagged', action: 'log' });
    expect(inspection.edits).toEqual([]);
  });

  test('a clean text gives one shared answer', () => {
    const detector = prebuilt(['email']);
    expect(inspect(detector, ['hello'])).toBe(inspect(detector, ['world']));
    expect(inspect(detector, ['hello']).trace.patterns_checked).toBe(1);
  });

  test("without an action the pattern's own counts", () => {
    expect(inspect(prebuilt(['credit_card'], null), [CARD]).outcome).toMatchObject({ action: 'block' });
  });
});

describe('parts of one message', () => {
  const detector = prebuilt(['credit_card', 'nl_bsn_contextual']);

  test('are also scanned joined, and masked across the seam', () => {
    expect(masked(detector, ['card 4111 1111', ' 1111 1111 ok'], 7)).toEqual([
      'card [CREDIT_CARD_REDACTED]',
      ' ok',
    ]);
  });

  test('are still scanned alone, where joining would glue a letter to a value', () => {
    expect(masked(detector, ['abc', CARD, 'def'], 7)).toEqual(['abc', '[CREDIT_CARD_REDACTED]', 'def']);
  });

  test('give each other context', () => {
    expect(masked(detector, ['my BSN: ', '111222333'], 7)).toEqual([
      'my BSN: ',
      '[NL_BSN_CONTEXTUAL_REDACTED]',
    ]);
    expect(masked(detector, ['my BSN: ', '111222333'])).toEqual(['my BSN: ', '111222333']);
  });
});

describe('limits', () => {
  test('too many matches are too complex, not an exception', () => {
    const text = 'a@b.co '.repeat(21_000);
    expect(inspect(prebuilt(['email']), [text]).outcome).toMatchObject({
      outcome: 'error',
      error_class: 'too_complex',
    });
  });

  test('encoded file content is reported as unread', () => {
    const encoded = subject([`data:application/pdf;base64,${'QUJD'.repeat(100)}`], null, 'files');
    expect(prebuilt(['email']).inspect(encoded, new AbortController().signal)).toMatchObject({
      unread: [{ segment: 0, reason: 'encoded file content' }],
    });
  });
});

describe('blocked words', () => {
  const words = (keyword: string) => filter({ blocked_words: [{ keyword, action: 'MASK' }] });
  const found = (keyword: string, text: string) =>
    inspect(words(keyword), [text]).outcome.outcome === 'masked';

  test.each([
    ['ass', 'you ass!', true],
    ['ass', 'an assistant', false],
    ['ass', 'pass', false],
    ['ASS', 'ａｓｓ', true],
    ['falcon', 'fal\u200bcon', true],
    ['falcon', 'my_falcon_file', true],
    ['project falcon', 'Project\n  Falcon', true],
    ['project falcon', 'project falcons', false],
    ['s*icide', 's*icide', true],
    ['s*icide', 'suicide', true],
    ['s*icide', 'sicide', true],
    ['s*icide', 'sauicide', false],
    ['*land', 'Finland', true],
    ['größe', 'GRÖSSE', false],
    ['größe', 'GRÖßE', true],
    ['机密', '这是机密文件', true],
    ['c++', 'in C++ code', true],
    ['$100', 'pay $100', true],
    ['$100', 'pay $1000', false],
    ['a.b', 'axb', false],
  ])('%s in %s: %s', (keyword, text, expected) => {
    expect(found(keyword, text)).toBe(expected);
  });

  test('thousands cost no more per text than a few', () => {
    const many = filter({
      blocked_words: Array.from({ length: 5_000 }, (_, i) => ({ keyword: `word${i}x`, action: 'MASK' })),
    });
    expect(masked(many, ['word4999x and word12x, but not word12xy'])).toEqual([
      '[KEYWORD_REDACTED] and [KEYWORD_REDACTED], but not word12xy',
    ]);
  });
});

describe('configuration', () => {
  test('unknown keys are errors', () => {
    expect(() => filter({ patterns: [], pattern: [] })).toThrow(/pattern/);
    expect(() =>
      filter({ patterns: [{ pattern_type: 'prebuilt', pattern_name: 'email', acton: 'MASK' }] }),
    ).toThrow(/acton/);
  });

  test.each([
    [
      { patterns: [{ pattern_type: 'prebuilt', pattern_name: 'nope' }] },
      ['patterns', 0, 'pattern_name'],
      /no prebuilt pattern "nope"/,
    ],
    [
      { patterns: [{ pattern_type: 'regex', name: 'x', pattern: '(?<=a)b', action: 'MASK' }] },
      ['patterns', 0, 'pattern'],
      /look-around/,
    ],
    [{ categories: [{ category: 'nope' }] }, ['categories', 0, 'category'], /no category "nope"/],
    [{ image_model: 'gpt' }, ['image_model'], /not available yet/],
    [{ competitor_intent_config: {} }, ['competitor_intent_config', 'competitors'], /name competitors/],
    [
      { competitor_intent_config: { competitors: ['x'], threshold_low: 0.9 } },
      ['competitor_intent_config', 'threshold_high'],
      /in order/,
    ],
    [{}, [], /nothing to look for/],
    [
      { blocked_words: [{ keyword: '**', action: 'BLOCK' }] },
      ['blocked_words', 0, 'keyword'],
      /visible character/,
    ],
    [{ blocked_words_file: 'words.yaml' }, ['blocked_words_file'], /no folder/],
  ])('%j is refused', (params, where, message) => {
    const refused = problem(() => filter(params));
    expect(refused.path).toEqual(where);
    expect(refused.message).toMatch(message);
  });

  test('says whether it rewrites', () => {
    const facts = (params: object) =>
      contentFilter.facts(
        contentFilterSchema.parse({ guardrail: 'litellm_content_filter', mode: 'pre_call', ...params }),
      );
    expect(facts({ blocked_words: [{ keyword: 'a', action: 'block' }] }).masks).toBe(false);
    expect(facts({ patterns: [{ pattern_type: 'prebuilt', pattern_name: 'email' }] }).masks).toBe(true);
  });

  test('an unbounded expression leaves streams to be buffered', () => {
    expect(
      filter({ patterns: [{ pattern_type: 'regex', name: 'x', pattern: 'a.+', action: 'MASK' }] })
        .openChannel,
    ).toBeUndefined();
    expect(
      filter({ patterns: [{ pattern_type: 'regex', name: 'x', pattern: 'a.{1,20}', action: 'MASK' }] })
        .openChannel,
    ).toBeDefined();
  });

  test('memory can be freed more than once', () => {
    const detector = filter({
      patterns: [{ pattern_type: 'regex', name: 'x', pattern: 'abc', action: 'MASK' }],
    });
    detector.dispose?.();
    expect(() => detector.dispose?.()).not.toThrow();
  });

  test('the definition creates without files or network', () => {
    const config = contentFilterSchema.parse({
      guardrail: 'litellm_content_filter',
      mode: ['pre_call', 'post_call'],
      blocked_words: [{ keyword: 'a', action: 'BLOCK' }],
      severity_threshold: 'high',
    });
    expect(contentFilter.create(config, ports)).toBeDefined();
  });
});

describe('a blocked words file', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'words-'));
  const folder = path.join(root, 'config');
  mkdirSync(folder);
  const good = JSON.stringify({ blocked_words: [{ keyword: 'falcon', action: 'MASK' }] });
  writeFileSync(path.join(folder, 'words.yaml'), good);
  writeFileSync(path.join(folder, 'bad.yaml'), '{"blocked_words":[{"keyword":"x"}]}');
  writeFileSync(path.join(folder, 'broken.yaml'), '{');
  writeFileSync(path.join(root, 'outside.yaml'), good);
  symlinkSync(path.join(root, 'outside.yaml'), path.join(folder, 'link.yaml'));

  test('adds its words', () => {
    expect(masked(filter({ blocked_words_file: 'words.yaml' }, folder), ['a falcon'])).toEqual([
      'a [KEYWORD_REDACTED]',
    ]);
  });

  test.each([
    ['../outside.yaml', /outside the folder/],
    ['link.yaml', /outside the folder/],
    [path.join(root, 'outside.yaml'), /outside the folder/],
    ['.', /outside the folder/],
    ['missing.yaml', /does not exist/],
    ['bad.yaml', /does not fit: blocked_words\.0\.action/],
    ['broken.yaml', /not readable/],
  ])('%s is refused', (file, message) => {
    const refused = problem(() => filter({ blocked_words_file: file }, folder));
    expect(refused.path).toEqual(['blocked_words_file']);
    expect(refused.message).toMatch(message);
  });
});
