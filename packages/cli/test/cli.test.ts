import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { printBanner } from '../src/banner.ts';
import { run } from '../src/cli.ts';
import { makeOutput } from '../src/output.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const fileWith = (text: string): string => {
  files += 1;
  const file = join(folder, `config-${files}.yaml`);
  writeFileSync(file, text);
  return file;
};

function recorder(colour = false) {
  const written = { out: '', err: '' };
  const output = makeOutput(
    { write: (text) => (written.out += text) },
    { write: (text) => (written.err += text) },
    colour,
  );
  return { written, output };
}

async function cli(...argv: string[]) {
  const { written, output } = recorder();
  return { code: await run(argv, output), ...written };
}

const GOOD = `model_list:
  - model_name: gpt-4o
    litellm_params: {model: mock/gpt-4o}
`;
const BAD = `${GOOD}policies:
  base:
    gaurdrails: [pii]
policy_attachments:
  - policy: base
    team: [finance]
`;

test('--version prints the version alone', async () => {
  expect(await cli('--version')).toEqual({ code: 0, out: '0.1.0\n', err: '' });
});

test('--help shows the commands and examples', async () => {
  const { code, out } = await cli('--help');
  expect(code).toBe(0);
  expect(out).toContain('serve');
  expect(out).toContain('validate');
  expect(out).toContain('portcullis validate config.yaml');
});

test('serve --help says where it listens, and how that differs from LiteLLM', async () => {
  const { out } = await cli('serve', '--help');
  expect(out.replaceAll(/\s+/gu, ' ')).toContain('127.0.0.1, this machine only; LiteLLM listens on 0.0.0.0');
});

test('a misspelt command is refused with the nearest one', async () => {
  const { code, err } = await cli('valdate');
  expect(code).toBe(1);
  expect(err).toContain('Did you mean validate?');
});

test('a port that is none is refused', async () => {
  const { code, err } = await cli('serve', '--port', '70000');
  expect(code).toBe(1);
  expect(err).toContain('from 0 to 65535');
});

test('validate prints each finding with its place, line and caret, and exits with 1', async () => {
  const file = fileWith(BAD);
  const { code, out } = await cli('validate', file);
  expect(code).toBe(1);
  expect(out).toBe(
    [
      `${file}:6:5  error  unknown_key  "gaurdrails" is not known here and would have no effect; did you mean "guardrails"?`,
      '  6 |     gaurdrails: [hidden]',
      '    |     ^',
      '',
      `${file}:9:5  error  unknown_key  "team" is not known here and would have no effect; did you mean "teams"?`,
      '  9 |     team: [hidden]',
      '    |     ^',
      '',
      `${file} is refused: 2 errors, 0 warnings`,
      '',
    ].join('\n'),
  );
});

test('validate exits with 0 when there are only warnings', async () => {
  const { code, out } = await cli('validate', fileWith(`${GOOD}widgets: {}\n`));
  expect(code).toBe(0);
  expect(out).toContain('warning  unknown_section');
  expect(out).toContain('is valid: 0 errors, 1 warning');
});

test('validate names the settings that have no effect here', async () => {
  const { code, out } = await cli('validate', fileWith(`${GOOD}litellm_settings: {cache: true}\n`));
  expect(code).toBe(0);
  expect(out).toContain('Without effect here: litellm_settings.cache');
});

test('validate --json is for scripts', async () => {
  const file = fileWith(BAD);
  const { code, out } = await cli('validate', file, '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    valid: false,
    findings: [
      {
        severity: 'error',
        code: 'unknown_key',
        path: ['policies', 'base', 'gaurdrails'],
        place: { file, line: 6, column: 5 },
      },
      {
        severity: 'error',
        code: 'unknown_key',
        path: ['policy_attachments', 0, 'team'],
        place: { file, line: 9, column: 5 },
      },
    ],
  });
});

test('validate says so when there is no such file', async () => {
  const { code, out } = await cli('validate', join(folder, 'nowhere.yaml'));
  expect(code).toBe(1);
  expect(out).toContain('file_unreadable');
  expect(out).toContain('there is no such file');
});

test('a log level that means nothing is refused before anything starts', async () => {
  const { code, err } = await cli('serve', '--log-level', 'loud');
  expect(code).toBe(1);
  expect(err).toContain('--log-level loud is none of trace');
});

const started = {
  url: 'http://127.0.0.1:4000',
  version: '0.1.0',
  config: null,
  adminKey: 'sk-admin',
  dataLocation: '/data',
  ignoredSettings: ['litellm_settings.cache'],
  localByDefault: true,
};

test('the banner of the demo shows a pass, a mask and a block', () => {
  const { written, output } = recorder();
  printBanner(started, output);
  const lines = written.out.split('\n').filter((line) => line.includes('curl'));
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    expect(line).toContain('http://127.0.0.1:4000/v1/chat/completions');
    expect(line).toContain('Bearer sk-admin');
    const body = /-d '(.*)'$/u.exec(line)?.[1] ?? '';
    expect(JSON.parse(body)).toMatchObject({ model: 'demo-large' });
  }
  expect(written.out).toContain('/data');
  expect(written.out).toContain('litellm_settings.cache');
});

test('the banner shows no key that the operator knows already', () => {
  const { written, output } = recorder();
  printBanner({ ...started, config: 'config.yaml', adminKey: null }, output);
  expect(written.out).not.toContain('admin key');
  expect(written.out).not.toContain('curl');
});

test('the banner says when only this machine reaches the gateway, and what opens it', () => {
  const local = recorder();
  printBanner(started, local.output);
  expect(local.written.out).toContain('--host 0.0.0.0');
  const open = recorder();
  printBanner({ ...started, localByDefault: false }, open.output);
  expect(open.written.out).not.toContain('--host');
});

test('colours are for terminals alone', () => {
  const plain = recorder();
  printBanner(started, plain.output);
  expect(plain.written.out).not.toContain('\u001b');
  const coloured = recorder(true);
  printBanner(started, coloured.output);
  expect(coloured.written.out).toContain('\u001b[1m');
});
