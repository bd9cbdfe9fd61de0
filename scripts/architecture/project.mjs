// This project as the rules see it.
import { readFileSync, readdirSync } from 'node:fs';
import { inRoot } from '../lib/paths.mjs';

/** @returns {import('./rules.mjs').Architecture} */
export const readArchitecture = () => JSON.parse(readFileSync(inRoot('architecture.json'), 'utf8'));

/** @returns {Map<string, string>} every source of the product by path, tests left out */
export function readSources() {
  const paths = readdirSync(inRoot('packages')).flatMap((name) => sourcesBelow(`packages/${name}/src`));
  return new Map(paths.map((path) => [path, readFileSync(inRoot(path), 'utf8')]));
}

/** @param {string} directory @returns {string[]} */
function sourcesBelow(directory) {
  return readdirSync(inRoot(directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) return sourcesBelow(path);
    return /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path) ? [path] : [];
  });
}
