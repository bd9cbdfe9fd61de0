// What tells whether files have changed since they were last built.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';

/** @param {readonly string[]} files @returns {string} of their names, sizes and times */
export function fingerprintOf(files) {
  const hash = createHash('sha256').update(process.versions.node);
  for (const file of files) {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** @param {string} directory @returns {string[]} */
export function filesBelow(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
