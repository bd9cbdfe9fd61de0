// Compares source files with architecture.json. Takes texts and gives texts, so that a test can hand it any house.
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { cyclesIn } from './cycles.mjs';
import { factsOf } from './facts.mjs';

/**
 * @typedef {{ name: string, does: string, in: string[], may: string[], packages: string[], builtins: 'all' | string[] }} Room
 * @typedef {{ name: string, within: string[], only: string[] }} PrivilegeRule
 * @typedef {{ rooms: Room[], privileges: PrivilegeRule[] }} Architecture
 */

const scope = '@portcullis/';

/**
 * @param {Architecture} architecture
 * @param {ReadonlyMap<string, string>} sources text by path from the root, tests left out
 * @returns {string[]} what is wrong, empty when all is well
 */
export function violations(architecture, sources) {
  const problems = unknownRooms(architecture);
  /** @type {Map<string, string[]>} */
  const graph = new Map();
  for (const [path, source] of sources) {
    const room = roomOf(architecture, path);
    const facts = factsOf(path, source);
    const at = (/** @type {number} */ line) => `${path}:${line}`;
    if (room === undefined) problems.push(`${path} is in no room of architecture.json`);
    for (const { what, line } of facts.problems) problems.push(`${at(line)} ${what}`);
    for (const { privilege, what, line } of facts.uses) {
      if (!isEntitled(architecture, privilege, path))
        problems.push(`${at(line)} uses ${what} (${privilege})`);
    }
    for (const { specifier, line, typeOnly } of facts.imports) {
      const target = resolve(path, specifier);
      // Two types may name each other; only what is loaded can be loaded too early.
      if (!typeOnly && target !== undefined && sources.has(target)) {
        graph.set(path, [...(graph.get(path) ?? []), target]);
      }
      const problem = room && importProblem(architecture, room, path, specifier, target);
      if (problem) problems.push(`${at(line)} ${problem}`);
    }
  }
  for (const cycle of cyclesIn(graph)) problems.push(`import cycle: ${cycle.join(' -> ')}`);
  return problems;
}

/** A misspelt room would allow nothing and forbid nothing. @param {Architecture} architecture */
function unknownRooms({ rooms }) {
  const names = new Set(rooms.map(({ name }) => name));
  return rooms.flatMap(({ name, may }) =>
    may
      .filter((other) => !names.has(other))
      .map((other) => `architecture.json: ${name} may use unknown room ${other}`),
  );
}

/** @param {Architecture} architecture @param {string} path */
function roomOf({ rooms }, path) {
  return rooms.find((room) => covers(room.in, path));
}

/** @param {Architecture} architecture @param {string} privilege @param {string} path */
function isEntitled({ privileges }, privilege, path) {
  const rule = privileges.find(({ name }) => name === privilege);
  return rule === undefined || !covers(rule.within, path) || covers(rule.only, path);
}

/** @param {string[]} places folders with a trailing slash, or files @param {string} path */
function covers(places, path) {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
}

/**
 * @param {string} path
 * @param {string} specifier
 * @returns {string | undefined} the file it means, when it is one of ours
 */
function resolve(path, specifier) {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier);
  if (!specifier.startsWith(scope)) return undefined;
  const [name, ...rest] = specifier.slice(scope.length).split('/');
  return `packages/${name}/src/${rest.length === 0 ? 'index.ts' : rest.join('/')}`;
}

/**
 * @param {Architecture} architecture
 * @param {Room} room of the importing file
 * @param {string} path
 * @param {string} specifier
 * @param {string | undefined} target
 */
function importProblem(architecture, room, path, specifier, target) {
  if (target === undefined) return externalProblem(room, specifier);
  if (specifier.startsWith('.') && packageOf(target) !== packageOf(path)) {
    return `climbs into another package by ${specifier}; its door is its name`;
  }
  if (specifier.startsWith(scope) && !target.endsWith('/src/index.ts')) {
    return `enters ${specifier} beside the door`;
  }
  if (target.endsWith('.test.ts')) return `imports a test (${specifier})`;
  const other = roomOf(architecture, target);
  if (other === undefined) return `imports ${specifier}, which is in no room`;
  if (other === room || room.may.includes(other.name)) return undefined;
  return `${room.name} may not use ${other.name} (${specifier})`;
}

/** @param {Room} room @param {string} specifier */
function externalProblem(room, specifier) {
  const [first = '', second = ''] = specifier.split('/');
  if (first.startsWith('node:') || builtinModules.includes(specifier)) {
    const builtin = specifier.startsWith('node:') ? specifier : `node:${specifier}`;
    return room.builtins === 'all' || room.builtins.includes(builtin)
      ? undefined
      : `${room.name} may not use ${builtin}`;
  }
  const name = first.startsWith('@') ? `${first}/${second}` : first;
  return room.packages.includes(name) ? undefined : `${room.name} may not use the package ${name}`;
}

/** @param {string} path */
function packageOf(path) {
  return path.split('/').slice(0, 2).join('/');
}
