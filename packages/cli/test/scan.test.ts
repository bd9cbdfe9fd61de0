// `scan` and `eval`: one guardrail of a file, asked about texts without a gateway.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from '../src/cli.ts';
import { makeOutput } from '../src/output.ts';
import { labelsOf, Score } from '../src/scan/score.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-scan-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const config = at('config.yaml');
writeFileSync(
  config,
  `guardrails:
  - guardrail_name: pii
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      patterns:
        - { pattern_type: prebuilt, pattern_name: email, action: MASK }
        - { pattern_type: prebuilt, pattern_name: iban, action: LOG }
      blocked_words: [{ keyword: forbidden, action: BLOCK }]
`,
);

async function cli(...argv: string[]) {
  const written = { out: '', err: '' };
  const output = makeOutput(
    { write: (text) => (written.out += text) },
    { write: (text) => (written.err += text) },
    false,
  );
  return { code: await run(argv, output), ...written };
}
const linesOf = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const PII = ['--config', config, '--guardrail', 'pii'];

describe('scan', () => {
  test('prints one line for each text, with UTF-16 offsets of the text as it came in', async () => {
    const rows = [
      { id: 'a', text: '😀 mail jane@example.org now' },
      { id: 7, text: 'GB82WEST12345698765432' },
      { id: 'c', text: 'a forbidden word' },
      { text: 'nothing' },
    ];
    writeFileSync(at('in.jsonl'), `${rows.map((row) => JSON.stringify(row)).join('\n')}\n\n`);
    const { code, out } = await cli('scan', at('in.jsonl'), ...PII, '--jobs', '1');
    expect(code).toBe(0);
    const lines = linesOf(out);
    expect(lines).toMatchObject([
      {
        id: 'a',
        action: 'mask',
        output_text: '😀 mail [EMAIL_REDACTED] now',
        detections: [{ type: 'email', start: 8, end: 24, action: 'MASK' }],
      },
      {
        id: 7,
        action: 'allow',
        output_text: 'GB82WEST12345698765432',
        detections: [{ type: 'iban', action: 'LOG' }],
      },
      {
        id: 'c',
        action: 'block',
        output_text: null,
        detections: [{ type: 'blocked_word', start: 2, end: 11 }],
      },
      { id: 4, action: 'allow', output_text: 'nothing', detections: [] },
    ]);
    for (const line of lines) expect(line['latency_us']).toBeGreaterThanOrEqual(0);
  });

  test('numbers plain lines, reads gzip, and lists everything that one long text holds', async () => {
    const many = Array.from({ length: 500 }, (_, index) => `user${index}@example.org`).join(' ');
    writeFileSync(at('in.txt.gz'), gzipSync(`first\n${many}\n`));
    const { out } = await cli('scan', at('in.txt.gz'), ...PII, '--jobs', '1');
    const [first, second] = linesOf(out);
    expect(first).toMatchObject({ id: 1, output_text: 'first' });
    expect(second?.['detections']).toHaveLength(500);
  });

  test('says which line is none, which guardrail there is not, and which file is missing', async () => {
    writeFileSync(at('bad.jsonl'), '{"text":"x"}\n{"txt":"y"}\n');
    expect(await cli('scan', at('bad.jsonl'), ...PII, '--jobs', '1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('bad.jsonl:2: not a JSON object') as string,
    });
    expect(await cli('scan', at('in.jsonl'), '--config', config, '--guardrail', 'pi')).toMatchObject({
      code: 1,
      err: expect.stringContaining('has no guardrail "pi"; it has pii') as string,
    });
    expect(await cli('scan', at('none.jsonl'), ...PII, '--jobs', '1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('none.jsonl cannot be read') as string,
    });
    writeFileSync(at('cut.jsonl.gz'), gzipSync('{"text":"x"}').subarray(0, 20));
    expect(await cli('scan', at('cut.jsonl.gz'), ...PII, '--jobs', '1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('cut.jsonl.gz cannot be read') as string,
    });
  });

  test('keeps the order of the texts on several threads', async () => {
    const rows = Array.from({ length: 3_000 }, (_, id) => ({
      id,
      text: `${id} ${id % 7 === 0 ? 'mail a@example.org ' : ''}${'word '.repeat(id % 50)}`,
    }));
    writeFileSync(at('many.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    const script = fileURLToPath(new URL('../dist/main.js', import.meta.url));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [script, 'scan', at('many.jsonl'), ...PII, '--jobs', '3'],
      { maxBuffer: 64 * 1024 * 1024 },
    );
    const lines = linesOf(stdout);
    expect(lines.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    expect(lines.filter(({ action }) => action === 'mask')).toHaveLength(Math.ceil(3_000 / 7));
  }, 60_000);
});

describe('eval', () => {
  test('counts what is found, missed and wrongly found, and prints shares with intervals', async () => {
    const rows = [
      {
        text: 'to a@example.org',
        labels: ['EMAIL_ADDRESS'],
        spans: [{ start: 3, end: 16, type: 'EMAIL_ADDRESS' }],
      },
      { text: 'call Jane', labels: ['PERSON'], spans: [{ start: 5, end: 9, type: 'PERSON' }] },
      { text: 'b@example.org is no label', labels: [], spans: [] },
      { text: 'ordinary', labels: [], spans: [] },
    ];
    writeFileSync(at('labelled.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    const { code, out } = await cli('eval', '--data', at('labelled.jsonl'), ...PII, '--jobs', '1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      texts: 4,
      types: [
        { type: 'EMAIL_ADDRESS', found: 1, missed: 0, wrong: 1, precision: 0.5, recall: 1 },
        { type: 'PERSON', found: 0, missed: 1, wrong: 0, precision: null, recall: 0 },
        { type: 'all', found: 1, missed: 1, wrong: 1, precision: 0.5, recall: 0.5, f1: 0.5 },
      ],
      false_positives: { texts: 2, flagged: 1, per_1000: 500 },
      without_verdict: 0,
    });
    const shown = await cli('eval', '--data', at('labelled.jsonl'), ...PII, '--jobs', '1');
    expect(shown.out).toMatch(/EMAIL_ADDRESS +1 +0 +1 +0\.500/u);
    expect(shown.out).toContain('1 of 2 flagged: 500.000 per 1,000');
  });

  test('asks for half of the union, for the scope of a text, and forgives a weak miss', () => {
    const score = new Score();
    const found = (start: number, end: number) => ({
      action: 'mask' as const,
      output_text: '',
      detections: [{ type: 'EMAIL_ADDRESS', start, end, score: null, action: 'MASK' as const }],
      latency_us: 1,
    });
    const spans = [{ start: 0, end: 10, type: 'EMAIL_ADDRESS' }];
    score.add(labelsOf({ spans }), found(0, 5));
    score.add(labelsOf({ spans }), found(0, 4));
    score.add(labelsOf({ spans, weak: true }), { ...found(0, 0), detections: [] });
    score.add(labelsOf({ spans: [], labels: [], scope: ['US_SSN'] }), found(0, 4));
    expect(score.report().types.at(-1)).toMatchObject({ found: 1, missed: 1, wrong: 1 });
    expect(score.report().false_positives).toMatchObject({ texts: 1, flagged: 0 });
  });

  test('gives the interval of Wilson for a share, and counts texts without verdict apart', () => {
    const score = new Score();
    const quiet = { action: 'allow' as const, output_text: '', detections: [], latency_us: 1 };
    for (let text = 0; text < 100; text++) score.add(labelsOf({ labels: [] }), quiet);
    score.add(labelsOf({ labels: ['X'] }), { ...quiet, action: 'block', error: 'no answer' });
    const report = score.report();
    expect(report.without_verdict).toBe(1);
    expect(report.false_positives.interval[1]).toBeCloseTo(37, 0);
  });

  test('reads the labelled texts of the repository', () => {
    const text = readFileSync(new URL('../../../conformance/guardrails/pii.jsonl', import.meta.url), 'utf8');
    for (const line of text.trimEnd().split('\n')) {
      const row = JSON.parse(line) as { text: string; spans: { start: number; end: number }[] };
      for (const { start, end } of row.spans) expect(row.text.slice(start, end).trim()).not.toBe('');
    }
  });
});
