// npm test: every check there is, two at a time, then one last line that counts them.
// With arguments only vitest runs, and gets them: npm test -- packages/policy
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { installIfNeeded } from './lib/install.mjs';
import { requireSupportedNode } from './lib/node-version.mjs';
import { inRoot, root, tools } from './lib/paths.mjs';
import { summarise } from './lib/summary.mjs';

/** @typedef {{ name: string, command: string[], live?: boolean }} Check */

const reportFile = inRoot('.cache/test-report.json');
const strict = process.env['PORTCULLIS_TEST_STRICT'] === '1';

/** @type {Check} */
const build = { name: 'build and types', command: [inRoot('scripts/build.mjs')] };

/** @type {Check[]} */
const checks = [
  { name: 'types of the tests', command: [tools.tsc, '-p', 'tsconfig.tests.json'] },
  { name: 'format', command: [tools.biome, 'format'] },
  { name: 'lint', command: [tools.oxlint, '--type-aware'] },
  { name: 'dead code', command: [tools.knip, '--no-config-hints'] },
];

/** @param {string[]} filters @returns {Check} */
const tests = (filters) => ({
  name: 'tests',
  command: [
    tools.vitest,
    'run',
    '--allowOnly=false',
    '--reporter=default',
    `--reporter=${inRoot('scripts/vitest-reporter.mjs')}`,
    ...filters,
  ],
  live: true,
});

requireSupportedNode();
if (!(await installIfNeeded())) {
  console.log('0 passed, 1 failed');
  process.exit(1);
}

const filters = process.argv.slice(2);
rmSync(reportFile, { force: true });
/** @type {Map<string, boolean>} */
const outcomes = new Map();
// Some tests run what the build made, so it comes first.
await run(build);
// The tests take longest: they fill one lane, the other checks share the second.
await Promise.all([run(tests(filters)), filters.length === 0 ? inTurn(checks) : undefined]);

const vitestPassed = outcomes.get('tests') === true;
outcomes.delete('tests');
const { lines, passed, failed } = summarise({ checks: outcomes, report: readReport(), vitestPassed, strict });
for (const line of lines) console.log(line);
process.exitCode = failed === 0 ? 0 : 1;
console.log(`${passed} passed, ${failed} failed`);

/** @param {Check[]} list */
async function inTurn(list) {
  for (const check of list) await run(check);
}

/** @param {Check} check */
async function run({ name, command, live = false }) {
  const started = performance.now();
  const { ok, output } = await execute(command, live);
  outcomes.set(name, ok);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  // One block per check: the lines of two checks never mix.
  if (!ok && output !== '') console.log(output);
}

/**
 * @param {string[]} command arguments of node
 * @param {boolean} live whether the output is shown as it comes
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
function execute(command, live) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, {
      cwd: root,
      env: { ...process.env, PORTCULLIS_TEST_REPORT: reportFile },
      stdio: live ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: output.trimEnd() }));
  });
}

/** @returns {import('./vitest-reporter.mjs').Report | undefined} */
function readReport() {
  try {
    return JSON.parse(readFileSync(reportFile, 'utf8'));
  } catch {
    return undefined; // vitest died before it could count; the summary says so
  }
}
