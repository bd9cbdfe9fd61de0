// Installs the dependencies when node_modules is not what package-lock.json asks for.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { exclusively } from './lock.mjs';
import { inRoot, root } from './paths.mjs';

const lockfile = inRoot('package-lock.json');
const installedLockfile = inRoot('node_modules/.package-lock.json');
const stamp = inRoot('node_modules/.portcullis-install');

/** @returns {Promise<boolean>} whether the dependencies are in place now */
export async function installIfNeeded() {
  return isInstalled() || exclusively(() => isInstalled() || install());
}

function isInstalled() {
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true;
  if (!matchesInstalledTree()) return false;
  writeFileSync(stamp, wanted);
  return true;
}

function fingerprint() {
  const hash = createHash('sha256').update(readFileSync(lockfile)).digest('hex');
  return `${hash} ${process.platform}-${process.arch}`;
}

/** A plain `npm install` leaves no stamp: npm's own record of what it put down is compared instead. */
function matchesInstalledTree() {
  if (!existsSync(installedLockfile)) return false;
  const wanted = packagesOf(lockfile);
  const present = packagesOf(installedLockfile);
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const found = present[path];
    // Binaries of other platforms are rightly absent.
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }} Locked
 * @param {string} file
 * @returns {Record<string, Locked>}
 */
function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

function install() {
  process.stderr.write('Installing dependencies (npm ci) ...\n');
  // The build tools are development dependencies, so NODE_ENV=production must not leave them out.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const npm = process.env['npm_execpath'];
  const result = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (result.status !== 0) {
    const reason = result.error ? `: ${result.error.message}` : '';
    process.stderr.write(`The dependencies could not be installed${reason}. The lines above say why.\n`);
    return false;
  }
  writeFileSync(stamp, fingerprint());
  return true;
}
