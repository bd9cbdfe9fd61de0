import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from '../src/cli.ts';
import { makeOutput } from '../src/output.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-completion-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hasBash = spawnSync('bash', ['--version']).status === 0;
const hasZsh = spawnSync('zsh', ['--version']).status === 0;

async function script(shell: string): Promise<string> {
  let out = '';
  const code = await run(
    ['completion', shell],
    makeOutput({ write: (text) => (out += text) }, { write: () => undefined }, false),
  );
  expect(code).toBe(0);
  return out;
}

/** What bash offers after these words, of which the last one is being typed. */
async function offered(...words: string[]): Promise<readonly string[]> {
  const file = join(folder, 'completion.bash');
  writeFileSync(file, await script('bash'));
  const ask = [
    `source '${file}'`,
    `COMP_WORDS=(portcullis ${words.map((word) => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${words.length}`,
    '_portcullis',
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join('\n');
  const out = execFileSync('bash', ['--norc', '-c', ask], { encoding: 'utf8', cwd: folder });
  return out.split('\n').filter((line) => line !== '');
}

test.skipIf(!hasBash)('bash completes commands, the commands below them, options and files', async () => {
  expect(await offered('val')).toEqual(['validate']);
  expect(await offered('')).toEqual(expect.arrayContaining(['serve', 'resolve', 'keys', 'db', '--version']));
  expect(await offered('keys', '')).toEqual(expect.arrayContaining(['list', 'generate', 'delete']));
  expect(await offered('keys', 'generate', '--al')).toEqual(['--alias']);
  expect(await offered('resolve', '--caller')).toEqual(['--caller-tag']);
  writeFileSync(join(folder, 'my config.yaml'), '');
  expect(await offered('explain', 'my')).toEqual(['my config.yaml']);
});

test.skipIf(!hasZsh)('zsh takes its script', async () => {
  const file = join(folder, '_portcullis');
  writeFileSync(file, await script('zsh'));
  const loaded = spawnSync('zsh', ['-f', '-c', `autoload -U compinit && compinit -D && source '${file}'`]);
  expect(String(loaded.stderr)).toBe('');
});

test('a shell that has none is refused', async () => {
  let err = '';
  const notes = { write: (text: string) => (err += text) };
  expect(await run(['completion', 'fish'], makeOutput({ write: () => undefined }, notes, false))).toBe(1);
  expect(err).toContain('bash, zsh');
});
