// The built command in a process of its own: exit codes, and output that is complete when it ends.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'portcullis-process-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const portcullis = (...argv: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, [main, ...argv], { maxBuffer: 64 << 20 }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err });
    });
  });

// `npm test` builds first; a lone test run may not have.
const built = existsSync(main);

test.skipIf(!built)('--version', async () => {
  expect(await portcullis('--version')).toEqual({ code: 0, out: '0.1.0\n', err: '' });
});

test.skipIf(!built)('validate: 1 for a file that is refused, 0 for one that is valid', async () => {
  const good = join(folder, 'good.yaml');
  writeFileSync(good, 'model_list:\n  - {model_name: m, litellm_params: {model: mock/m}}\n');
  const bad = join(folder, 'bad.yaml');
  writeFileSync(bad, 'model_lst: []\n');
  expect(await portcullis('validate', good)).toMatchObject({ code: 0 });
  expect(await portcullis('validate', bad)).toMatchObject({ code: 1 });
});

test.skipIf(!built)('a long answer into a pipe is not cut at the end of the process', async () => {
  const file = join(folder, 'long.yaml');
  const attachments = Array.from({ length: 3000 }, () => '  - {policy: nobody, scope: everywhere}\n');
  writeFileSync(file, `policy_attachments:\n${attachments.join('')}`);
  const { code, out } = await portcullis('validate', file, '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out).findings).toHaveLength(3000);
});
