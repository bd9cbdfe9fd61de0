// Builds the pages of packages/dashboard to its dist/, when something they are made of has changed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { filesBelow, fingerprintOf } from './fingerprint.mjs';
import { inRoot, root, tools } from './paths.mjs';

const directory = inRoot('packages/dashboard');
const stamp = inRoot('.cache/build-dashboard');

/** @returns {string} of everything that the pages are made of */
function dashboardFingerprint() {
  return fingerprintOf([
    ...filesBelow(`${directory}/src`),
    ...filesBelow(`${directory}/public`),
    // Their sources are read, not their dist/.
    ...filesBelow(inRoot('packages/contract/src')),
    ...filesBelow(inRoot('packages/policy/src')),
    `${directory}/index.html`,
    `${directory}/package.json`,
    `${directory}/tsconfig.json`,
    `${directory}/vite.config.ts`,
    inRoot('tsconfig.base.json'),
    inRoot('package-lock.json'),
  ]);
}

/** @returns {boolean} whether the pages are what their sources say */
export function isDashboardBuilt() {
  return (
    existsSync(stamp) &&
    existsSync(`${directory}/dist/index.html`) &&
    readFileSync(stamp, 'utf8') === dashboardFingerprint()
  );
}

/** @returns {boolean} whether it went well */
export function buildDashboard() {
  if (isDashboardBuilt()) return true;
  const sources = dashboardFingerprint();
  rmSync(stamp, { force: true });
  for (const command of [
    [tools.tsc, '-p', directory],
    [tools.vite, 'build', directory, '--logLevel', 'warn'],
  ]) {
    const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
    if (status !== 0) return false;
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, sources);
  return true;
}
