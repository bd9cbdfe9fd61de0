// Compiles every package to its dist/, with the files that are not TypeScript beside the code that reads them, and the
// pages of the dashboard.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { buildDashboard, isDashboardBuilt } from './dashboard.mjs';
import { filesBelow, fingerprintOf } from './fingerprint.mjs';
import { exclusively } from './lock.mjs';
import { inRoot, root, tools } from './paths.mjs';

const stamp = inRoot('.cache/build');

/** Builds when a source is newer than the last build; the check itself costs a few milliseconds. */
export async function buildIfNeeded() {
  if (isBuilt()) return true;
  return exclusively(() => {
    if (isBuilt()) return true;
    process.stderr.write('Building ...\n');
    return build();
  });
}

/** Builds whatever the stamp says: the compiler's own bookkeeping decides what is out of date. */
export const buildNow = () => exclusively(build);

function build() {
  // Taken first: an edit made while the compiler runs then asks for another build.
  const sources = fingerprint();
  rmSync(stamp, { force: true });
  const { status } = spawnSync(process.execPath, [tools.tsc, '-b'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) return false;
  for (const directory of packages()) matchDist(directory);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, sources);
  return buildDashboard();
}

function isBuilt() {
  return (
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === fingerprint() &&
    packages().every((directory) => existsSync(`${directory}/dist/.tsbuildinfo`)) &&
    isDashboardBuilt()
  );
}

/** @returns {string[]} the folders of the projects that the root tsconfig.json refers to */
function packages() {
  const { references } = JSON.parse(readFileSync(inRoot('tsconfig.json'), 'utf8'));
  return references.map((/** @type {{ path: string }} */ { path }) => inRoot(dirname(path)));
}

function fingerprint() {
  return fingerprintOf([
    ...packages().flatMap((directory) => [
      ...filesBelow(`${directory}/src`),
      `${directory}/package.json`,
      `${directory}/tsconfig.build.json`,
    ]),
    inRoot('tsconfig.json'),
    inRoot('tsconfig.base.json'),
    inRoot('package-lock.json'),
  ]);
}

/**
 * Copies data files and drops what has no source any more: the compiler does neither, and a module that outlives
 * its source still answers to its name.
 * @param {string} directory of a package
 */
function matchDist(directory) {
  const wanted = new Set([`${directory}/dist/.tsbuildinfo`]);
  for (const source of filesBelow(`${directory}/src`)) {
    const target = source.replace(`${directory}/src`, `${directory}/dist`);
    if (source.endsWith('.test.ts')) continue;
    if (source.endsWith('.ts')) {
      for (const ending of ['.js', '.js.map', '.d.ts']) wanted.add(target.slice(0, -'.ts'.length) + ending);
      continue;
    }
    wanted.add(target);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, target);
  }
  for (const file of filesBelow(`${directory}/dist`)) if (!wanted.has(file)) rmSync(file);
}
