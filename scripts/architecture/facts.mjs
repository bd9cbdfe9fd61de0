// Reads off one source file what the rules are about: what it imports, and which privileged things it touches.
import { parseSync } from 'oxc-parser';

/**
 * @typedef {'environment' | 'console' | 'clock' | 'randomness'} Privilege
 * @typedef {{ specifier: string, line: number, typeOnly: boolean }} Import
 * @typedef {{ privilege: Privilege, what: string, line: number }} Use
 * @typedef {{ imports: Import[], uses: Use[], problems: { what: string, line: number }[] }} Facts
 * @typedef {Record<string, unknown> & { type: string, start: number }} Node
 */

/** @type {Record<string, Privilege>} */
const privilegedMembers = {
  'process.env': 'environment',
  'process.stdout': 'console',
  'process.stderr': 'console',
  'process.hrtime': 'clock',
  'process.uptime': 'clock',
  'performance.now': 'clock',
  'performance.timeOrigin': 'clock',
  'Date.now': 'clock',
  'Math.random': 'randomness',
  'crypto.randomUUID': 'randomness',
  'crypto.getRandomValues': 'randomness',
};

/**
 * @param {string} path
 * @param {string} source
 * @returns {Facts}
 */
export function factsOf(path, source) {
  const { program, errors } = parseSync(path, source);
  const lineOf = (/** @type {number} */ offset) => source.slice(0, offset).split('\n').length;
  /** @type {Facts} */
  const facts = { imports: [], uses: [], problems: [] };
  for (const error of errors) {
    facts.problems.push({
      what: `cannot be parsed: ${error.message}`,
      line: lineOf(error.labels[0]?.start ?? 0),
    });
  }
  visit(program, (node) => {
    const line = lineOf(node.start);
    const specifier = importOf(node);
    if (specifier === null) facts.problems.push({ what: 'imports something that only run time knows', line });
    else if (specifier !== undefined) facts.imports.push({ specifier, line, typeOnly: isErased(node) });
    for (const { privilege, what } of usesOf(node)) facts.uses.push({ privilege, what, line });
  });
  return facts;
}

/**
 * @param {Node} node
 * @returns {string | null | undefined} null for a specifier that is computed, undefined for no import at all
 */
function importOf(node) {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return isNode(node['source']) ? (text(node['source']) ?? null) : undefined;
    case 'TSExternalModuleReference':
      return text(node['expression']) ?? null;
    default:
      return undefined;
  }
}

/** Whether the compiler drops the whole statement, so that nothing is loaded because of it. @param {Node} node */
function isErased(node) {
  return node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type';
}

/** @param {Node} node @returns {{ privilege: Privilege, what: string }[]} */
function usesOf(node) {
  if (node.type === 'MemberExpression') return usesOfMember(node);
  if (node.type === 'VariableDeclarator') {
    const owner = nameOf(node['init']);
    return keysOf(node['id']).flatMap((key) => privileged(`${owner}.${key}`));
  }
  if (node.type === 'ImportDeclaration') return usesOfImport(node);
  const callee =
    node.type === 'NewExpression' || node.type === 'CallExpression' ? nameOf(node['callee']) : '';
  if (callee === 'Date' && (node.type === 'CallExpression' || isEmpty(node['arguments']))) {
    return [{ privilege: 'clock', what: node.type === 'CallExpression' ? 'Date()' : 'new Date()' }];
  }
  return [];
}

/** @param {Node} node */
function usesOfMember(node) {
  const owner = nameOf(node['object']);
  if (owner === 'console') return [{ privilege: /** @type {const} */ ('console'), what: 'console' }];
  const key = isNode(node['property'])
    ? node['computed'] === true
      ? text(node['property'])
      : nameOf(node['property'])
    : undefined;
  return privileged(`${owner}.${key}`);
}

/** `import { env } from 'node:process'` is the same privilege under another name. @param {Node} node */
function usesOfImport(node) {
  const from = text(node['source'])?.replace(/^node:/, '');
  if (from === 'console') return [{ privilege: /** @type {const} */ ('console'), what: 'node:console' }];
  if (!Array.isArray(node['specifiers'])) return [];
  return node['specifiers'].flatMap((specifier) => privileged(`${from}.${nameOf(specifier.imported)}`));
}

/** @param {string} what @returns {{ privilege: Privilege, what: string }[]} */
function privileged(what) {
  const privilege = Object.hasOwn(privilegedMembers, what) ? privilegedMembers[what] : undefined;
  return privilege === undefined ? [] : [{ privilege, what }];
}

/** An identifier's name, also behind `globalThis.`. @param {unknown} node @returns {string} */
function nameOf(node) {
  if (!isNode(node)) return '';
  if (node.type === 'Identifier') return String(node['name']);
  if (node.type === 'MemberExpression' && nameOf(node['object']) === 'globalThis')
    return nameOf(node['property']);
  return '';
}

/** @param {unknown} pattern @returns {string[]} */
function keysOf(pattern) {
  if (!isNode(pattern) || pattern.type !== 'ObjectPattern' || !Array.isArray(pattern['properties']))
    return [];
  return pattern['properties'].map((property) => nameOf(property.key));
}

/** @param {unknown} node @returns {string | undefined} a string literal's value */
function text(node) {
  return isNode(node) && node.type === 'Literal' && typeof node['value'] === 'string'
    ? node['value']
    : undefined;
}

/** @param {unknown} value */
function isEmpty(value) {
  return Array.isArray(value) && value.length === 0;
}

/** @param {unknown} value @returns {value is Node} */
function isNode(value) {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** @param {unknown} value @param {(node: Node) => void} seen */
function visit(value, seen) {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, seen);
  } else if (isNode(value)) {
    seen(value);
    for (const child of Object.values(value)) if (typeof child === 'object') visit(child, seen);
  }
}
