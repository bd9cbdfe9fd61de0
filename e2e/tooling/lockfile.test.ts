import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Entry {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lockfile = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
const packages = Object.entries<Entry>(lockfile.packages);
const installed = packages.filter(([path, { link }]) => path.includes('node_modules/') && link !== true);

const namesOf = (list: readonly (readonly [string, Entry])[]) => list.map(([path]) => path);

test('every package is pinned by version and content', () => {
  expect(installed.length).toBeGreaterThan(0);
  expect(namesOf(installed.filter(([, { version, integrity }]) => !version || !integrity))).toEqual([]);
});

test('the binaries of every platform are locked, so that `npm ci` works on each', () => {
  const locked = namesOf(packages);
  const missing = packages.flatMap(([, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !locked.some((path) => path.endsWith(`node_modules/${name}`)),
    ),
  );
  expect(missing).toEqual([]);
});

test('no package runs a script when it is installed', () => {
  expect(namesOf(installed.filter(([, { hasInstallScript }]) => hasInstallScript === true))).toEqual([]);
});

test('no registry is named, so that each installation uses its own', () => {
  expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});
