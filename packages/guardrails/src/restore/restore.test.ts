import type { Segment } from '@portcullis/policy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clean,
  custom,
  type FakeClock,
  facts,
  fakePorts,
  guardrail,
  input,
  run,
  runtimeOf,
  segment,
} from '../../test/kit.ts';
import { contentFilter } from '../content-filter/index.ts';
import {
  type ArgumentsCodec,
  type HookInput,
  type HookResult,
  PlaceholderVault,
  type Restorer,
  RestoringStream,
  VAULT_LIMITS,
} from '../index.ts';
import type { Sealed } from './vault.ts';

const MAIL = guardrail('mail', {
  guardrail: 'litellm_content_filter',
  patterns: [
    { pattern_type: 'prebuilt', pattern_name: 'email', action: 'MASK' },
    { pattern_type: 'prebuilt', pattern_name: 'credit_card', action: 'MASK' },
  ],
  output_parse_pii: true,
});

function setUp(options: { readonly clock?: FakeClock; readonly vault?: PlaceholderVault } = {}) {
  const runtime = runtimeOf([MAIL], [contentFilter], fakePorts(options.clock), {
    vault: options.vault ?? new PlaceholderVault(),
  });
  return (texts: readonly (string | Segment)[], more: Partial<HookInput> = {}): HookResult => {
    const segments = texts.map((text) => (typeof text === 'string' ? segment(text) : text));
    const result = runtime.runHook(input([run('mail')], segments, more));
    if (result instanceof Promise) throw new Error('a promise on the hot path');
    return result;
  };
}

const textsOf = ({ segments }: HookResult): string[] => segments.map(({ text }) => text);
const ofTeam = (teamId: string) => ({ facts: { ...facts, teamId } });

function restorerOf(result: HookResult): Restorer {
  if (result.restorer === null) throw new Error('nothing to restore');
  return result.restorer;
}

describe('masks that are to be undone', () => {
  it('number the values of each kind in the order in which they come, the same value once', () => {
    const result = setUp()(['a@x.org and b@x.org', 'again b@x.org, card 4111 1111 1111 1111']);
    expect(textsOf(result)).toEqual(['<EMAIL_1> and <EMAIL_2>', 'again <EMAIL_2>, card <CREDIT_CARD_1>']);
    expect(restorerOf(result).restore('To <EMAIL_2>, not <EMAIL_1>: <CREDIT_CARD_1>')).toBe(
      'To b@x.org, not a@x.org: 4111 1111 1111 1111',
    );
  });

  it('keep the placeholder of a value through a conversation, also when its beginning is cut off', () => {
    const ask = setUp();
    ask(['a@x.org and b@x.org'], ofTeam('t'));
    expect(textsOf(ask(['only b@x.org is left, and c@x.org'], ofTeam('t')))).toEqual([
      'only <EMAIL_2> is left, and <EMAIL_3>',
    ]);
  });

  it('are numbered apart for every team, and for every key without a team', () => {
    const ask = setUp();
    ask(['a@x.org'], ofTeam('t'));
    expect(textsOf(ask(['b@x.org'], ofTeam('u')))).toEqual(['<EMAIL_1>']);
    expect(textsOf(ask(['c@x.org'], { facts: { ...facts, keyHash: 'k' } }))).toEqual(['<EMAIL_1>']);
  });

  it('give nothing to a request that did not mask it itself, whatever it writes', () => {
    const ask = setUp();
    ask(['a@x.org'], ofTeam('t'));
    const other = ask(['print <EMAIL_1> for b@x.org'], ofTeam('t'));
    expect(textsOf(other)).toEqual(['print <EMAIL_1> for <EMAIL_2>']);
    expect(restorerOf(other).restore('<EMAIL_1> <EMAIL_2>')).toBe('<EMAIL_1> b@x.org');
  });

  it('never take a placeholder that the content already holds as text', () => {
    const ask = setUp();
    ask(['a@x.org'], ofTeam('t'));
    const result = ask(['<EMAIL_1> is my text, a@x.org my address'], ofTeam('t'));
    expect(textsOf(result)).toEqual(['<EMAIL_1> is my text, <EMAIL_2> my address']);
    expect(restorerOf(result).restore('<EMAIL_1> <EMAIL_2>')).toBe('<EMAIL_1> a@x.org');
  });

  it('put a value back whole that was spread over adjacent parts', () => {
    const result = setUp()([segment('mail jane@exa', { join: 1 }), segment('mple.org now', { join: 1 })]);
    expect(textsOf(result)).toEqual(['mail <EMAIL_1>', ' now']);
    expect(restorerOf(result).restore('<EMAIL_1>')).toBe('jane@example.org');
  });

  it('are made before the call only: an answer is masked for good', () => {
    const result = setUp()(['a@x.org'], { hook: 'post_call', direction: 'response' });
    expect(textsOf(result)).toEqual(['[EMAIL_REDACTED]']);
    expect(result.restorer).toBeNull();
  });

  it('cost nothing where nothing was masked', () => {
    expect(setUp()(['hello']).restorer).toBeNull();
  });

  it('serve every kind of guardrail that marks its edits, with a name that no format has to escape', () => {
    const remote = custom(
      'remote',
      () => ({
        ...clean,
        outcome: { outcome: 'masked' },
        edits: [{ segment: 0, start: 0, end: 4, replacement: '<PERSON>', restore: { type: 'per/son "x"' } }],
      }),
      { masks: true },
    );
    const runtime = runtimeOf([guardrail('remote', { guardrail: 'remote' })], [remote], fakePorts(), {
      vault: new PlaceholderVault(),
    });
    const result = runtime.runHook(input([run('remote')], [segment('Jane is here')]));
    if (result instanceof Promise) throw new Error('a promise on the hot path');
    expect(textsOf(result)).toEqual(['<PER_SON_X_1> is here']);
    expect(restorerOf(result).restore('Dear <PER_SON_X_1>')).toBe('Dear Jane');
  });
});

describe('the vault', () => {
  const request = () => ({ kept: new Map<string, Sealed>(), counters: new Map(), isInContent: () => false });
  const scopeOf =
    (vault: PlaceholderVault) =>
    (scope: string | null, value: string, nowMs = 0) =>
      vault.seal(request(), scope, 'EMAIL', value, nowMs).placeholder;

  it('keeps values only encrypted, and finds them by a hash', () => {
    const vault = new PlaceholderVault();
    const asking = request();
    const sealed = vault.seal(asking, 't', 'EMAIL', 'jane@example.org', 0);
    const bytes = sealed.bytes.toString('latin1') + sealed.bytes.toString('utf16le');
    expect(bytes).not.toMatch(/jane|example/u);
    expect([...asking.kept.keys()].join('')).not.toMatch(/jane|example/u);
    expect(vault.open(sealed)).toBe('jane@example.org');
  });

  it('gives back any text as it was, half a surrogate pair included', () => {
    const vault = new PlaceholderVault();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(vault.open(vault.seal(request(), 't', 'X', value, 0))).toBe(value);
      }),
    );
  });

  it('forgets a value some time after its last use, and never gives its number again', () => {
    const seal = scopeOf(new PlaceholderVault());
    const { lifetimeMs } = VAULT_LIMITS;
    expect(seal('t', 'a')).toBe('<EMAIL_1>');
    expect(seal('t', 'b')).toBe('<EMAIL_2>');
    expect(seal('t', 'a', lifetimeMs - 1)).toBe('<EMAIL_1>');
    expect(seal('t', 'b', lifetimeMs + 1)).toBe('<EMAIL_3>');
    expect(seal('t', 'a', lifetimeMs + 1)).toBe('<EMAIL_1>');
  });

  it('is bounded for each scope and altogether, however many there are', () => {
    const vault = new PlaceholderVault({ ...VAULT_LIMITS, values: 50, valuesPerScope: 20 });
    const seal = scopeOf(vault);
    for (let value = 0; value < 100; value++) seal('t', `value ${value}`);
    expect(vault.size).toBe(20);
    for (let scope = 0; scope < 500; scope++) seal(`scope ${scope}`, 'value');
    expect(vault.size).toBeLessThanOrEqual(50);
  });

  it('remembers nothing for requests of nobody, and nothing that is too long', () => {
    const vault = new PlaceholderVault({ ...VAULT_LIMITS, characters: 10 });
    const seal = scopeOf(vault);
    expect(seal(null, 'a')).toBe('<EMAIL_1>');
    expect(seal('t', 'a'.repeat(11))).toBe('<EMAIL_1>');
    expect(vault.size).toBe(0);
  });

  it('lets go of a team that is gone for longer than the lifetime, when others go on', () => {
    const vault = new PlaceholderVault();
    const seal = scopeOf(vault);
    seal('gone', 'a');
    for (let turn = 0; turn < 3; turn++) seal('here', 'b', VAULT_LIMITS.lifetimeMs + turn);
    expect(vault.size).toBe(1);
  });
});

const codec: ArgumentsCodec = {
  splitArguments: (text, { kind }) => {
    const values = Object.values(JSON.parse(text) as Record<string, string>);
    return values.map((value) => segment(value, { kind }));
  },
  joinArguments: (text, leaves) => {
    const keys = Object.keys(JSON.parse(text) as Record<string, string>);
    return JSON.stringify(Object.fromEntries(keys.map((key, index) => [key, leaves[index]?.text])));
  },
};
const content = { key: 'c', kind: 'assistant', role: 'assistant', choice: 0 } as const;
const args = { key: 'a', kind: 'tool_args', role: 'assistant', choice: 0 } as const;

describe('a streamed answer', () => {
  const restorer = () => restorerOf(setUp()(['a@x.org b@x.org "q"@x.org', '<EMAIL_ is text']));
  const joined = (pieces: readonly { readonly text: string }[]) => pieces.map(({ text }) => text).join('');

  it('E8: gets the same values back in any chunking', () => {
    const token = fc.constantFrom(
      '<EMAIL_1>',
      '<EMAIL_2>',
      '<EMAIL_9>',
      '<EMAIL_',
      '<',
      '>',
      '<<EMAIL_1>',
      'x',
      ' ',
    );
    const texts = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(''));
    const one = restorer();
    fc.assert(
      fc.property(texts, fc.array(fc.nat(80)), (text, cuts) => {
        const stream = new RestoringStream(one, codec, 1_000);
        const places = [...new Set([0, ...cuts.filter((cut) => cut < text.length), text.length])].sort(
          (a, b) => a - b,
        );
        let out = '';
        for (const [index, from] of places.entries()) {
          out += joined(stream.push([{ channel: content, text: text.slice(from, places[index + 1]) }]));
        }
        out += joined(stream.end());
        expect(out).toBe(one.restore(text));
      }),
    );
  });

  it('E8: holds back less than one placeholder, and nothing that cannot become one', () => {
    const stream = new RestoringStream(restorer(), codec, 1_000);
    const push = (text: string) => joined(stream.push([{ channel: content, text }]));
    expect(push('To <EMA')).toBe('To ');
    expect(push('IL_1')).toBe('');
    expect(push('> or <b>')).toBe('a@x.org or <b>');
    expect(push('a < b')).toBe('a < b');
    expect(push('<EMAIL_77')).toBe('<EMAIL_77');
  });

  it('gets values back into the arguments of tool calls as JSON, however they are cut', () => {
    const one = restorerOf(setUp()(['card 4111 1111 1111 1111, mail a"b\\c@x.org or a@x.org']));
    const text = JSON.stringify({ to: '<EMAIL_1>', note: 'from <EMAIL_2>' });
    for (let cut = 1; cut < text.length; cut++) {
      const stream = new RestoringStream(one, codec, 1_000);
      const early = stream.push([
        { channel: args, text: text.slice(0, cut) },
        { channel: args, text: text.slice(cut) },
      ]);
      expect(early).toEqual([]);
      const restored = JSON.parse(joined(stream.endChannel('a'))) as unknown;
      expect(restored).toEqual({ to: one.restore('<EMAIL_1>'), note: one.restore('from <EMAIL_2>') });
    }
  });

  it('sends arguments that are no JSON, or too long to be held, with their placeholders', () => {
    const broken = new RestoringStream(restorer(), codec, 1_000);
    broken.push([{ channel: args, text: '{"to":"<EMAIL_1>' }]);
    expect(joined(broken.end())).toBe('{"to":"<EMAIL_1>');
    const long = new RestoringStream(restorer(), codec, 10);
    expect(joined(long.push([{ channel: args, text: '{"to":"<EMAIL_1>"' }]))).toBe('{"to":"<EMAIL_1>"');
    expect(joined(long.push([{ channel: args, text: '}' }]))).toBe('}');
    expect(long.end()).toEqual([]);
  });

  it('puts values back into string leaves alone, and leaves an answer without placeholders as it is', () => {
    const one = restorer();
    const leaves = [segment('<EMAIL_1>'), segment('<EMAIL_1>', { leaf: 'key' })];
    expect(one.restoreSegments(leaves).map(({ text }) => text)).toEqual(['a@x.org', '<EMAIL_1>']);
    const plain = [segment('no placeholder <here>')];
    expect(one.restoreSegments(plain)).toBe(plain);
  });
});
