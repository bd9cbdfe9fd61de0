import { describe, expect, it } from 'vitest';
import { asked, refused } from '../../test/service.ts';
import { hideSecrets } from './index.ts';

/** Made here, so that no scanner takes it for a real one. */
const TOKEN = ['ghp', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8'].join('_');
const AWS_KEY = ['AKIA', 'IOSFODNN7EXAMPLF'].join('');

describe('hide-secrets', () => {
  it('masks credentials and leaves everything else, personal data too', async () => {
    const { ask } = await asked(hideSecrets, {}, () => ({}));
    const result = await ask(`Use ${AWS_KEY} and mail ann@example.com.`);
    expect(result.segments[0]?.text).toBe('Use [REDACTED] and mail ann@example.com.');
    expect(JSON.stringify(result.records)).not.toContain(AWS_KEY);
    expect((await ask('nothing secret')).verdict).toBe('allow');
  });

  it('blocks them where the action says so', async () => {
    const { ask } = await asked(hideSecrets, {}, () => ({ action: 'block' }));
    expect((await ask(`key ${AWS_KEY}`)).block?.type).toBe('guardrail_violation');
  });

  it('looks not for what is excluded, and names what can be', async () => {
    const { ask } = await asked(hideSecrets, {}, () => ({ excluded: ['aws_access_key'] }));
    expect((await ask(`key ${AWS_KEY}`)).verdict).toBe('allow');
    expect(await refused(hideSecrets, { excluded: ['email'] })).toEqual(['excluded.0']);
  });

  it('watches streams piece by piece, as the content filter does (E8)', async () => {
    const { runtime } = await asked(hideSecrets, {}, () => ({}));
    const gate = runtime.openStream({
      runs: [
        {
          kind: 'guardrail',
          name: 'g',
          enforcement: 'enforce',
          trusted: true,
          priority: 0,
          demanded_by: [{ source: 'request' }],
          params: null,
        },
      ],
      facts: (await import('../../test/kit.ts')).facts,
      signal: new AbortController().signal,
      budgetMs: 1_000,
      unscanned: { policies: new Map(), global: null },
    });
    expect(gate.mode).toBe('window');
    const channel = { key: 'c', kind: 'assistant', role: 'assistant', choice: 0 } as const;
    let out = '';
    for (const piece of ['the token ', TOKEN.slice(0, 10), TOKEN.slice(10), ' is it']) {
      const step = await gate.push(channel, piece);
      if (step.kind === 'release') out += step.pieces.map(({ text }) => text).join('');
    }
    const last = await gate.end();
    if (last.kind === 'release') out += last.pieces.map(({ text }) => text).join('');
    expect(out).not.toContain(TOKEN);
    expect(out).toContain('[REDACTED]');
    await gate.finish();
  });
});
