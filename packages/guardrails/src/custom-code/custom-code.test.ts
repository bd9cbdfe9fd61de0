import { describe, expect, it } from 'vitest';
import { facts, FakeClock, segment } from '../../test/kit.ts';
import { asked, type Behaviour, refused } from '../../test/service.ts';
import type { HookInput } from '../index.ts';
import { customCode } from './index.ts';

/** A guardrail whose function has this body; `inputs`, `request_data` and `input_type` are its arguments. */
const code =
  (body: string, more: Record<string, unknown> = {}) =>
  () => ({
    custom_code: `async function apply_guardrail(inputs, request_data, input_type) {\n${body}\n}`,
    ...more,
  });
const run = async (body: string, content: string | HookInput['segments'] = 'hello', more = {}) => {
  const { ask } = await asked(customCode, {}, code(body, more));
  return ask(content);
};
/** The value of an expression inside the sandbox, as JSON. */
const valueOf = async (expression: string): Promise<unknown> => {
  const result = await run(`return block(JSON.stringify(${expression}) ?? 'undefined');`);
  const message = result.block?.message ?? '';
  if (result.block?.type !== 'guardrail_violation') throw new Error(message);
  return message === 'undefined' ? undefined : (JSON.parse(message) as unknown);
};

describe('a function in the sandbox', () => {
  it('allows, blocks with its reason, which stays out of the record, and rewrites texts', async () => {
    expect((await run('return allow();')).verdict).toBe('allow');
    const blocked = await run('return block(`no ${inputs.texts[0]}`);');
    expect(blocked.block).toMatchObject({ type: 'guardrail_violation', message: 'no hello' });
    expect(JSON.stringify(blocked.records)).not.toContain('no hello');
    const rewritten = await run('return modify(inputs.texts.map(upper));', [segment('one'), segment('TWO')]);
    expect(rewritten.segments.map(({ text }) => text)).toEqual(['ONE', 'TWO']);
    expect(rewritten.edited).toEqual([0]);
  });

  it('may be plain or a constant, and of either spelling', async () => {
    for (const source of [
      'function apply_guardrail() { return block("b"); }',
      'const applyGuardrail = () => block("b");',
      'const apply_guardrail = async () => { await null; return block("b"); };',
    ]) {
      const { ask } = await asked(customCode, {}, () => ({ custom_code: source }));
      expect((await ask('x')).block?.message).toBe('b');
    }
  });

  it('sees the content, the side and who asks, and no header and no key', async () => {
    const { ask } = await asked(
      customCode,
      {},
      code('return block(json_stringify([inputs, request_data, input_type]));'),
    );
    const result = await ask([segment('hi'), segment('data:image/png;base64,AA==', { kind: 'images' })], {
      facts: {
        ...facts,
        teamId: 't1',
        userId: 'u1',
        headers: { authorization: 'Bearer sk-secret', 'x-other': 'header-value' },
        body: { messages: [{ role: 'user', content: 'hi' }], tools: [{ type: 'function' }] },
      },
    });
    expect(JSON.parse(result.block?.message ?? '')).toMatchObject([
      {
        texts: ['hi'],
        images: ['data:image/png;base64,AA=='],
        tools: [{ type: 'function' }],
        structured_messages: [{ role: 'user', content: 'hi' }],
        model: 'gpt-4o',
      },
      { team_id: 't1', user_id: 'u1' },
      'request',
    ]);
    expect(result.block?.message).not.toContain('sk-secret');
    expect(result.block?.message).not.toContain('header-value');
  });

  it.each([
    ["regex_match('ab12', '[0-9]+')", true],
    ["regex_replace('a1b2', '[0-9]', '#')", 'a#b#'],
    ["regex_find_all('a1b22', '[0-9]+')", ['1', '22']],
    ["regex_match('a'.repeat(100000) + '!', '^(a+)+$')", false],
    ['json_parse(\'{"a":1}\')', { a: 1 }],
    ["json_parse('nope')", null],
    [
      "json_schema_valid({ a: 1 }, { type: 'object', required: ['a'], properties: { a: { type: 'number' } } })",
      true,
    ],
    ["json_schema_valid({ a: 'x' }, { type: 'object', properties: { a: { type: 'number' } } })", false],
    [
      "extract_urls('see https://a.example/x?y=1, and http://b.example.')",
      ['https://a.example/x?y=1', 'http://b.example'],
    ],
    [
      "[is_valid_url('https://a.example'), is_valid_url('javascript:alert(1)'), is_valid_url('x')]",
      [true, false, false],
    ],
    ["all_urls_valid('https://a.example and text')", true],
    ["detect_code('def f(x):\\n  return x')", true],
    ["detect_code('Dear Ann, thank you for the letter.')", false],
    ["detect_code_languages('```py\\nx\\n```\\n```rust\\ny\\n```')", ['python', 'rust']],
    ["contains_code_language('```js\\n1\\n```', ['JavaScript'])", true],
    [
      "[contains('abc', 'b'), contains_any('abc', ['x', 'c']), contains_all('abc', ['a', 'x'])]",
      [true, true, false],
    ],
    [
      "[word_count(' two  words '), char_count('abc'), lower('A'), upper('a'), trim(' a ')]",
      [2, 3, 'a', 'A', 'a'],
    ],
  ])('has %s', async (expression, value) => {
    expect(await valueOf(expression)).toEqual(value);
  });

  it('keeps nothing from one run to the next', async () => {
    const { ask } = await asked(customCode, {}, () => ({
      custom_code: `let count = 0; globalThis.seen = globalThis.seen ?? []; Array.prototype.spoiled = Array.prototype.spoiled ?? 0;
        function apply_guardrail(inputs) { seen.push(inputs.texts[0]); Array.prototype.spoiled++;
        return block(JSON.stringify([++count, seen, Array.prototype.spoiled])); }`,
    }));
    for (const text of ['first', 'second']) {
      expect((await ask(text)).block?.message).toBe(JSON.stringify([1, [text], 1]));
    }
  });
});

describe('no verdict is no verdict (E1)', () => {
  it.each([
    ['an exception', 'throw new Error("the text was " + inputs.texts[0]);', 'fault'],
    ['a rejected promise', 'await Promise.reject(new TypeError("x"));', 'fault'],
    ['nothing', '', 'fault'],
    ['another action', 'return { action: "maybe" };', 'fault'],
    ['true', 'return true;', 'fault'],
    ['another number of texts', 'return modify([]);', 'fault'],
    ['a promise that never ends', 'await new Promise(() => {});', 'fault'],
    ['changed images', 'return modify({ texts: inputs.texts, images: ["x"] });', 'undeliverable'],
    ['changed tool calls', 'return modify({ tool_calls: [] });', 'undeliverable'],
    ['an endless loop', 'for (;;);', 'too_complex'],
    ['an endless loop after a promise', 'await null; for (;;);', 'too_complex'],
    ['an endless loop that catches', 'for (;;) { try { for (;;); } catch {} }', 'too_complex'],
    ['endless recursion', 'const f = () => f() + 1; return block(String(f()));', 'too_complex'],
    ['too much memory', 'const a = []; for (;;) a.push(new Array(10000).fill("x"));', 'too_complex'],
    ['one big string', 'return block("x".repeat(500000000));', 'too_complex'],
    [
      'an expression that takes for ever',
      'return block(String(/^(a+)+$/.test("a".repeat(40) + "!")));',
      'too_complex',
    ],
    ['too many calls outside', 'for (let i = 0; i < 1e6; i++) regex_match("a", "b");', 'too_complex'],
  ])('%s', { timeout: 20_000 }, async (_, body, errorClass) => {
    const result = await run(body, 'secret words', { max_cpu_ms: 200 });
    expect(result.verdict).toBe('block');
    expect(result.records[0]).toMatchObject({ outcome: 'error', error_class: errorClass });
    expect(JSON.stringify(result)).not.toContain('the text was');
  });

  it('limits are met also where faults are let pass', async () => {
    const open = { fail_on_error: false, max_cpu_ms: 50 };
    expect((await run('throw new Error();', 'x', open)).verdict).toBe('allow');
    expect((await run('for (;;);', 'x', open)).verdict).toBe('block');
  });

  it('one run that loops holds up neither the event loop nor, for long, the runs beside it', {
    timeout: 20_000,
  }, async () => {
    const loop = await asked(customCode, {}, code('for (;;);', { max_cpu_ms: 300 }));
    const quick = await asked(customCode, {}, code('return allow();'));
    await quick.ask('warm');
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const looping = Promise.all([loop.ask('x'), loop.ask('y'), loop.ask('z')]);
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, async () => (await quick.ask('x')).verdict),
    );
    const results = await looping;
    clearInterval(timer);
    expect(new Set(verdicts)).toEqual(new Set(['allow']));
    expect(results.map(({ records }) => records[0]?.error_class)).toEqual(Array(3).fill('too_complex'));
    expect(ticks).toBeGreaterThan(20);
  });
});

describe('the sandbox', () => {
  it.each([
    'process',
    'require',
    'module',
    'Buffer',
    'fetch',
    'XMLHttpRequest',
    'WebAssembly',
    'setTimeout',
    'Worker',
    'host',
    'fetchFromHost',
    'reply',
    'std',
    'os',
    'postMessage',
    'SharedArrayBuffer && Atomics.wait',
    'navigator',
    'Deno',
    'performance',
  ])('has no %s', async (name) => {
    expect(
      await valueOf(
        `(() => { try { return typeof eval(${JSON.stringify(name)}); } catch { return 'undefined'; } })()`,
      ),
    ).toBe('undefined');
  });

  it.each([
    ['the constructor of functions', 'return block(String(allow.constructor("return typeof process")()));'],
    [
      'the constructor through an answer',
      'return block(String(regex_find_all("a", "a").constructor.constructor("return typeof process")()));',
    ],
    ['indirect eval', 'return block(String((0, eval)("typeof process")));'],
    [
      'the stack of an error',
      'let found = "undefined"; Error.prepareStackTrace = (e, s) => { found = typeof s?.[0]?.getThis?.()?.process; return ""; }; new Error().stack; return block(String(found));',
    ],
    [
      'an import',
      'try { const m = await import("node:fs"); return block(typeof m.readFileSync); } catch { return block("undefined"); }',
    ],
  ])('cannot be left by %s', async (_, body) => {
    expect((await run(body)).block?.message).toBe('undefined');
  });

  it('does not let polluted prototypes or replaced functions change what is answered outside', async () => {
    const result = await run(`
      Object.prototype.action = 'allow'; Object.prototype.toJSON = () => ({ action: 'allow' });
      JSON.stringify = () => '{"value":{"action":"allow"}}'; JSON.parse = () => ({}); Promise.prototype.then = () => {};
      return block('still blocked');`);
    expect(result.verdict).toBe('block');
    expect(({} as { action?: string }).action).toBeUndefined();
  });

  it('does not let the functions be replaced', async () => {
    expect(
      await valueOf(
        '(() => { "use strict"; try { globalThis.block = () => allow(); return 1; } catch { return 0; } })()',
      ),
    ).toBe(0);
  });
});

describe('requests of the code', () => {
  const service: Behaviour = (request) => ({ path: request.url, got: request.json });
  const asking = (body: string, more: (base: string) => Record<string, unknown>) => (base: string) => ({
    ...code(body.replaceAll('BASE', base))(),
    ...more(base),
  });
  const named = (base: string) => ({ allowed_hosts: [new URL(base).host] });

  it('go to a host that is named, and give status, headers and body', async () => {
    const body = `const answer = await http_post('BASE/check', { body: { text: inputs.texts[0] }, headers: { 'X-Mine': 'yes' } });
      return block(json_stringify([answer.status_code, answer.success, answer.body, answer.headers['content-type'], answer.error]));`;
    const { ask, received } = await asked(customCode, service, asking(body, named));
    expect(JSON.parse((await ask('hello')).block?.message ?? '')).toEqual([
      200,
      true,
      { path: '/check', got: { text: 'hello' } },
      'application/json',
      null,
    ]);
    expect(received[0]?.headers['x-mine']).toBe('yes');
  });

  it('go nowhere else: no other host, no other scheme, no private address by default, and never more than allowed', async () => {
    const tell = (url: string) => `return block((await http_get(${JSON.stringify(url)})).error);`;
    const other = await asked(customCode, service, asking(tell('https://evil.example/x'), named));
    expect((await other.ask('x')).block?.message).toBe('the host is not among allowed_hosts');
    const none = await asked(
      customCode,
      service,
      asking(tell('BASE'), () => ({})),
    );
    expect((await none.ask('x')).block?.message).toBe('the host is not among allowed_hosts');
    const file = await asked(customCode, service, asking(tell('file:///etc/passwd'), named));
    expect((await file.ask('x')).block?.message).toBe('the host is not among allowed_hosts');
    const login = await asked(
      customCode,
      service,
      asking(tell('http://api.example@127.0.0.1:1/'), () => ({ allowed_hosts: ['api.example'] })),
    );
    expect((await login.ask('x')).block?.message).toBe('the host is not among allowed_hosts');
    const meta = await asked(
      customCode,
      service,
      asking(tell('http://169.254.169.254:80/latest'), () => ({ allowed_hosts: ['169.254.169.254'] })),
    );
    expect((await meta.ask('x')).block?.message).toBe('only https is allowed');
    const many = `const all = []; for (let i = 0; i < 4; i++) all.push((await http_get('BASE')).error); return block(json_stringify(all));`;
    const limited = await asked(
      customCode,
      service,
      asking(many, (base) => ({ ...named(base), max_http_requests: 2 })),
    );
    expect(JSON.parse((await limited.ask('x')).block?.message ?? '')).toEqual([
      null,
      null,
      'more than 2 requests',
      'more than 2 requests',
    ]);
    expect([other, none, file, login, meta].flatMap(({ received }) => received)).toEqual([]);
  });

  it('that hang end with the timeout of the run', async () => {
    const hang: Behaviour = { raw: () => {} };
    const { ask } = await asked(
      customCode,
      hang,
      asking(`await http_get('BASE'); return allow();`, (base) => ({ ...named(base), timeout: 0.3 })),
    );
    const result = await ask('x');
    expect(result.verdict).toBe('block');
    expect(result.records[0]?.outcome).toBe('error');
  });
});

describe('the configuration', () => {
  it('is refused when the code does not parse, lacks its function or names hosts that are none', async () => {
    expect(await refused(customCode, { custom_code: 'function apply_guardrail( {' })).toEqual([
      'custom_code',
    ]);
    expect(
      await refused(customCode, { custom_code: 'def apply_guardrail(inputs):\n  return allow()' }),
    ).toEqual(['custom_code']);
    expect(await refused(customCode, { custom_code: 'const x = 1;' })).toEqual(['custom_code']);
    expect(
      await refused(customCode, { ...code('return allow();')(), allowed_hosts: ['https://a.example/'] }),
    ).toEqual(['allowed_hosts.0']);
    expect(
      await refused(customCode, { custom_code: `function apply_guardrail() {}${' '.repeat(70_000)}` }),
    ).toEqual(['custom_code']);
  });

  it('runs nothing while the code is only checked', async () => {
    const clock = new FakeClock();
    expect(
      await refused(customCode, {
        custom_code: `globalThis.polluted = ${clock.now()}; function apply_guardrail() {}`,
      }),
    ).toEqual([]);
    expect((globalThis as { polluted?: number }).polluted).toBeUndefined();
  });
});
