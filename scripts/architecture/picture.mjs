// Draws architecture.json, so that the picture people look at cannot differ from the rules that are enforced.

/** @typedef {import('./rules.mjs').Architecture} Architecture */

const begin = '<!-- drawn from architecture.json by `npm run architecture -- --write` -->';
const end = '<!-- end of the drawn part -->';

/**
 * @param {Architecture} architecture
 * @param {string} document
 * @returns {string} the document with its drawn part up to date
 */
export function withPicture(architecture, document) {
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from === -1 || to < from) throw new Error(`the document lacks the lines "${begin}" and "${end}"`);
  return `${document.slice(0, from)}${begin}\n${draw(architecture)}\n${document.slice(to)}`;
}

/** @param {Architecture} architecture */
function draw({ rooms }) {
  const inside = rooms.filter(({ name }) => name.includes('/'));
  const houses = [...new Set(inside.map(({ name }) => houseOf(name)))];
  const lines = [
    '```mermaid',
    'flowchart TD',
    ...houses.flatMap((house) => [
      `  subgraph ${house}`,
      ...inside.filter(({ name }) => houseOf(name) === house).map(({ name }) => `    ${box(name)}`),
      '  end',
    ]),
    ...rooms.filter(({ name }) => !name.includes('/')).map(({ name }) => `  ${box(name)}`),
    ...rooms.flatMap(({ name, may }) => may.map((other) => `  ${id(name)} --> ${id(other)}`)),
    '```',
    '',
    '| room | does | packages it may use |',
    '|---|---|---|',
    ...rooms.map(({ name, does, packages }) => `| ${name} | ${does} | ${packages.join(', ') || '-'} |`),
  ];
  return lines.join('\n');
}

/** @param {string} name */
const houseOf = (name) => name.split('/')[0] ?? name;

/** @param {string} name */
const id = (name) => name.replaceAll('/', '_');

/** @param {string} name */
const box = (name) => `${id(name)}["${name.split('/').at(-1)}"]`;
