import { describe, expect, test } from 'vitest';
import { readArchitecture } from '../../scripts/architecture/project.mjs';
import { violations } from '../../scripts/architecture/rules.mjs';

const architecture = readArchitecture();
const policyDoor = 'packages/policy/src/index.ts';
const gateway = 'packages/server/src/gateway/pipeline.ts';

const check = (files: Record<string, string>) => violations(architecture, new Map(Object.entries(files)));

describe('imports', () => {
  test('an allowed arrow passes', () => {
    expect(
      check({
        [gateway]: `import { plan } from '@portcullis/policy';`,
        [policyDoor]: 'export const plan = 1;',
      }),
    ).toEqual([]);
  });

  test.each([
    ['a static import', `import { a } from '../control/keys.ts';`],
    ['a type import', `import type { A } from '../control/keys.ts';`],
    ['a bare import', `import '../control/keys.ts';`],
    ['a re-export', `export { a } from '../control/keys.ts';`],
    ['a star re-export', `export * from '../control/keys.ts';`],
    ['a dynamic import', `const a = await import('../control/keys.ts');`],
    ['an import type', `export type A = import('../control/keys.ts').A;`],
    ['an import over several lines', `import {\n  a,\n} from '../control/keys.ts';`],
  ])('a forbidden arrow is found in %s', (_, source) => {
    const problems = check({
      [gateway]: source,
      'packages/server/src/control/keys.ts': 'export const a = 1;',
    });
    expect(problems).toEqual([`${gateway}:1 server/gateway may not use server/control (../control/keys.ts)`]);
  });

  test('a package below may not use one above', () => {
    const problems = check({ [policyDoor]: `\nimport { x } from '@portcullis/guardrails';` });
    expect(problems).toEqual([expect.stringContaining(`${policyDoor}:2 policy may not use guardrails`)]);
  });

  test('the text of comments and strings is no import', () => {
    const source = `// import '../control/a.ts'\n/* import('x') */ export const s = "import 'y'"; export const r = /import 'z'/;`;
    expect(check({ [gateway]: source })).toEqual([]);
  });

  test('another package is entered by its name', () => {
    const problems = check({ [gateway]: `import '../../../policy/src/index.ts';`, [policyDoor]: '' });
    expect(problems).toEqual([expect.stringContaining('climbs into another package')]);
  });

  test('another package is entered by its door', () => {
    const problems = check({ [gateway]: `import '@portcullis/policy/limits.ts';` });
    expect(problems).toEqual([expect.stringContaining('beside the door')]);
  });

  test('an import that only run time knows is refused', () => {
    expect(check({ [gateway]: 'export const load = (name: string) => import(name);' })).toEqual([
      `${gateway}:1 imports something that only run time knows`,
    ]);
  });

  test('a source may not import a test', () => {
    expect(check({ [gateway]: `import './pipeline.test.ts';` })).toEqual([
      expect.stringContaining('imports a test'),
    ]);
  });

  test('a file outside every room is refused', () => {
    expect(check({ 'packages/server/src/utils/misc.ts': '' })).toEqual([
      'packages/server/src/utils/misc.ts is in no room of architecture.json',
    ]);
  });

  test('a file that cannot be parsed is refused', () => {
    expect(check({ [policyDoor]: 'export const = ;' })).toEqual([
      expect.stringContaining('cannot be parsed'),
    ]);
  });

  test('a cycle between files is found and named', () => {
    const a = 'packages/policy/src/a.ts';
    const b = 'packages/policy/src/b.ts';
    expect(check({ [a]: `import './b.ts';`, [b]: `import { type A } from './a.ts';` })).toEqual([
      `import cycle: ${a} -> ${b} -> ${a}`,
    ]);
    expect(check({ [a]: `import './b.ts';`, [b]: `import type { A } from './a.ts';` })).toEqual([]);
  });
});

describe('externals', () => {
  test.each(['zod', 're2js', '@noble/hashes/sha2.js'])('policy may use %s', (name) => {
    expect(check({ [policyDoor]: `import '${name}';` })).toEqual([]);
  });

  test.each(['undici', 'yaml', '@noble/curves', 'zod-extra'])('policy may not use %s', (name) => {
    expect(check({ [policyDoor]: `import '${name}';` })).toEqual([
      `${policyDoor}:1 policy may not use the package ${name}`,
    ]);
  });

  test.each(['node:fs', 'fs', 'node:crypto'])('policy may not use the builtin %s', (name) => {
    expect(check({ [policyDoor]: `import '${name}';` })).toHaveLength(1);
  });

  test('guardrails reach the network through ports alone', () => {
    for (const name of ['node:http', 'node:net', 'undici']) {
      expect(check({ 'packages/guardrails/src/a.ts': `import '${name}';` })).toHaveLength(1);
    }
  });
});

describe('privileges', () => {
  const server = 'packages/server/src';

  test.each([
    ['environment', 'export const a = process.env.HOME;'],
    ['environment', `export const a = process['env'].HOME;`],
    ['environment', 'export const a = globalThis.process.env;'],
    ['environment', 'export const { env } = process;'],
    ['environment', `import { env } from 'node:process'; export const a = env;`],
    ['console', `console.log('x');`],
    ['console', `globalThis.console.error('x');`],
    ['console', `process.stdout.write('x');`],
    ['console', `process.stderr.write('x');`],
    ['clock', 'export const a = Date.now();'],
    ['clock', 'export const a = new Date();'],
    ['clock', 'export const a = Date();'],
    ['clock', 'export const a = performance.now();'],
    ['clock', 'export const a = process.hrtime.bigint();'],
    ['clock', 'export const read = Date.now;'],
  ])('%s is refused outside its place: %s', (privilege, source) => {
    expect(check({ [gateway]: source })).toEqual([expect.stringContaining(`(${privilege})`)]);
  });

  test.each([
    [`${server}/config/env.ts`, 'export const env = process.env;'],
    [`${server}/telemetry/logger.ts`, `process.stdout.write('x');`],
    ['packages/cli/src/main.ts', `console.log('x');`],
    [`${server}/ports/clock.ts`, 'export const clock = { now: () => Date.now() };'],
    [gateway, 'export const parse = (text: string) => new Date(text);'],
  ])('%s may: %s', (path, source) => {
    expect(check({ [path]: source })).toEqual([]);
  });

  test.each(['Math.random()', 'crypto.randomUUID()', 'Date.now()'])('policy may not call %s', (call) => {
    expect(check({ [policyDoor]: `export const a = ${call};` })).toHaveLength(1);
  });
});

test('an arrow to a room that does not exist is refused', () => {
  const house = { rooms: [{ ...architecture.rooms[0]!, may: ['nowhere'] }], privileges: [] };
  expect(violations(house, new Map())).toEqual(['architecture.json: policy may use unknown room nowhere']);
});
