// The configuration file as values that remember where they were written.
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { FindingPath } from '@portcullis/policy';
import type { SourcePlace } from './types.ts';

/** A value of the file with its place. `children` are the entries of a map by key, or of a list by index. */
export interface LocatedNode {
  readonly kind: 'map' | 'list' | 'scalar';
  readonly offset: number;
  readonly keyOffset: number | null;
  readonly children: Map<string | number, LocatedNode>;
  /** The NAME of `os.environ/NAME`. */
  readonly variable: string | null;
  /** The named variable is not set. */
  readonly missing: boolean;
}

/** Something wrong with the text itself, before anything is known of what it means. */
export interface TextProblem {
  readonly code: 'yaml_syntax' | 'duplicate_key' | 'too_deep';
  readonly message: string;
  readonly path: FindingPath;
  readonly offset: number;
}

export interface DocumentInput {
  readonly file: string;
  readonly text: string;
  /** The environment, for `os.environ/NAME`. The file's own `environment_variables` win over it. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Nesting beyond this is refused, and so is a YAML anchor that contains itself. */
const MAX_DEPTH = 64;
/** Nodes after anchors are expanded: more than any honest file has. */
const MAX_NODES = 20_000_000;
const REFERENCE = /^os\.environ\/(.+)$/u;

/** A configuration file that was read as text, with values that tell their place. */
export class ConfigDocument {
  readonly file: string;
  readonly problems: TextProblem[] = [];
  /** Environment variables that the file asks for, with their value; null when not set. */
  readonly usedVariables = new Map<string, string | null>();
  /** Paths whose `os.environ/NAME` is not set. */
  readonly missing: { readonly path: FindingPath; readonly name: string }[] = [];
  /** Texts that must never be shown, with what is shown instead. */
  readonly secrets = new Map<string, string>();
  readonly root: LocatedNode;
  /** The plain value. Readers may take keys out that they have dealt with. */
  readonly value: unknown;

  readonly #lines = new LineCounter();
  readonly #document;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #own: Readonly<Record<string, string>>;
  #nodes = 0;

  constructor(input: DocumentInput) {
    this.file = input.file;
    this.#variables = input.variables;
    this.#document = parseDocument(input.text, {
      lineCounter: this.#lines,
      // Its pretty errors quote the source, which may hold secrets; duplicates are found here, with their path.
      prettyErrors: false,
      uniqueKeys: false,
    });
    for (const problem of [...this.#document.errors, ...this.#document.warnings]) {
      this.problems.push({
        code: 'yaml_syntax',
        message: plainSyntaxMessage(problem.code, problem.message),
        path: [],
        offset: problem.pos[0],
      });
    }
    this.#own = this.#ownVariables();
    const converted = this.#convert(this.#document.contents, [], null);
    this.root = converted.node;
    this.value = converted.value;
  }

  /** The node at a path, or null. */
  nodeAt(path: FindingPath): LocatedNode | null {
    let node: LocatedNode | undefined = this.root;
    for (const step of path) node = node?.children.get(step);
    return node ?? null;
  }

  /** The plain value at a path, or undefined. */
  valueAt(path: FindingPath): unknown {
    let value: unknown = this.value;
    for (const step of path) {
      if (typeof value !== 'object' || value === null) return undefined;
      value = Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined;
    }
    return value;
  }

  /** Replaces the value at a path whose parent exists. */
  setValue(path: FindingPath, value: unknown): void {
    const parent = this.valueAt(path.slice(0, -1));
    const last = path.at(-1);
    if (last === undefined || typeof parent !== 'object' || parent === null) return;
    (parent as Record<string | number, unknown>)[last] = value;
  }

  /** Takes a key out of the value, so that no later reader meets it. */
  remove(path: FindingPath): void {
    const parent = this.valueAt(path.slice(0, -1));
    const last = path.at(-1);
    if (last === undefined || typeof parent !== 'object' || parent === null) return;
    Reflect.deleteProperty(parent, last);
  }

  /** The place of the deepest part of a path that is written in the file. */
  placeOf(path: FindingPath, part: 'key' | 'value'): SourcePlace {
    let node = this.root;
    let whole = true;
    for (const step of path) {
      const next = node.children.get(step);
      if (next === undefined) {
        whole = false;
        break;
      }
      node = next;
    }
    // What is missing inside a map is best shown at the map's own key.
    const atKey = part === 'key' || !whole;
    return this.placeAt(atKey ? (node.keyOffset ?? node.offset) : node.offset);
  }

  placeAt(offset: number): SourcePlace {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  /** Reads a variable the way `os.environ/NAME` does, and remembers that it was used. */
  variable(name: string): string | null {
    const value = this.peek(name);
    this.usedVariables.set(name, value);
    return value;
  }

  /** Reads a variable that decides nothing about requests, and so is no part of the digest. */
  peek(name: string): string | null {
    const value =
      this.#own[name] ?? (Object.hasOwn(this.#variables, name) ? this.#variables[name] : undefined) ?? null;
    if (value !== null && value.length >= 4) this.secrets.set(value, `os.environ/${name}`);
    return value;
  }

  /** `environment_variables` has to be known before the first reference is filled in. */
  #ownVariables(): Readonly<Record<string, string>> {
    const own: Record<string, string> = {};
    const root = this.#document.contents;
    const section = isMap(root) ? root.get('environment_variables', true) : undefined;
    if (!isMap(section)) return own;
    for (const pair of section.items) {
      if (!isScalar(pair.key) || !isScalar(pair.value)) continue;
      const text = String(pair.value.value);
      const reference = REFERENCE.exec(text)?.[1];
      const value = reference === undefined ? text : this.#variables[reference];
      if (value !== undefined) own[String(pair.key.value)] = value;
    }
    return own;
  }

  #convert(
    node: Node | null | undefined,
    path: FindingPath,
    keyOffset: number | null,
  ): { node: LocatedNode; value: unknown } {
    const offset = node?.range?.[0] ?? keyOffset ?? 0;
    const scalar = (value: unknown, variable: string | null = null, missing = false) => ({
      node: { kind: 'scalar' as const, offset, keyOffset, children: new Map(), variable, missing },
      value,
    });
    this.#nodes += 1;
    if (path.length > MAX_DEPTH || this.#nodes > MAX_NODES) {
      this.problems.push({
        code: 'too_deep',
        message:
          path.length > MAX_DEPTH
            ? `nested deeper than ${MAX_DEPTH} levels, or an anchor that contains itself: flatten it`
            : 'the anchors of this file expand to too many values: write fewer of them',
        path: path.slice(0, 3),
        offset,
      });
      return scalar(null);
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined) return scalar(null);
      return this.#convert(target, path, keyOffset ?? offset);
    }
    if (isMap(node))
      return this.#convertMap(node.items as Pair<Node, Node | null>[], path, offset, keyOffset);
    if (isSeq(node)) {
      const children = new Map<string | number, LocatedNode>();
      const value = node.items.map((item, index) => {
        const converted = this.#convert(item as Node, [...path, index], null);
        children.set(index, converted.node);
        return converted.value;
      });
      return { node: { kind: 'list', offset, keyOffset, children, variable: null, missing: false }, value };
    }
    if (!isScalar(node)) return scalar(null);
    const raw: unknown = typeof node.value === 'bigint' ? String(node.value) : node.value;
    if (typeof raw !== 'string') return scalar(raw);
    const name = REFERENCE.exec(raw)?.[1];
    if (name === undefined) {
      if (isSecretPath(path) && raw.length >= 4) this.secrets.set(raw, '[hidden]');
      return scalar(raw);
    }
    const value = this.variable(name);
    if (value === null) this.missing.push({ path, name });
    return scalar(value ?? '', name, value === null);
  }

  #convertMap(
    items: readonly Pair<Node, Node | null>[],
    path: FindingPath,
    offset: number,
    keyOffset: number | null,
  ): { node: LocatedNode; value: unknown } {
    const children = new Map<string | number, LocatedNode>();
    const entries = new Map<string, unknown>();
    const merged: { node: LocatedNode; value: unknown }[] = [];
    for (const pair of items) {
      const at = pair.key?.range?.[0] ?? offset;
      const written = isScalar(pair.key) ? pair.key.value : null;
      if (typeof written !== 'string' && typeof written !== 'number' && typeof written !== 'boolean') {
        this.problems.push({
          code: 'yaml_syntax',
          message: 'a key must be a plain name',
          path,
          offset: at,
        });
        continue;
      }
      const key = String(written);
      if (key === '<<') {
        const sources = isSeq(pair.value) ? pair.value.items : [pair.value];
        for (const source of sources) merged.push(this.#convert(source as Node, path, at));
        continue;
      }
      const before = children.get(key);
      if (before !== undefined) {
        const { line } = this.placeAt(before.keyOffset ?? before.offset);
        this.problems.push({
          code: 'duplicate_key',
          message: `"${key}" is written twice in the same place (first in line ${line}); only one could count, so remove or rename one`,
          path: [...path, key],
          offset: at,
        });
        continue;
      }
      const converted = this.#convert(pair.value, [...path, key], at);
      children.set(key, converted.node);
      entries.set(key, converted.value);
    }
    // YAML's merge key: what is written here wins, then the first source that has the key.
    for (const source of merged) {
      if (typeof source.value !== 'object' || source.value === null || Array.isArray(source.value)) continue;
      for (const [key, value] of Object.entries(source.value)) {
        const child = source.node.children.get(key);
        if (entries.has(key) || child === undefined) continue;
        children.set(key, child);
        entries.set(key, value);
      }
    }
    return {
      node: { kind: 'map', offset, keyOffset, children, variable: null, missing: false },
      value: Object.fromEntries(entries),
    };
  }
}

const SECRET_NAME =
  /(?:^|_|-)(?:key|secret|token|password|passwd|pwd|credential|credentials|auth|authorization|dsn|database_url|connection_string)$/iu;
const SECRET_PARENTS = new Set(['headers', 'extra_headers', 'environment_variables']);

/** Whether a value at this path is a secret by the name of its key. */
function isSecretPath(path: FindingPath): boolean {
  const last = path.at(-1);
  if (typeof last === 'string' && SECRET_NAME.test(last)) return true;
  const parent = path.at(-2);
  return typeof parent === 'string' && SECRET_PARENTS.has(parent);
}

/** The parser's words without any text of the file. */
function plainSyntaxMessage(code: string, message: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab is used as indentation: YAML wants spaces';
    case 'BAD_INDENT':
      return 'the indentation does not fit the lines above';
    case 'MISSING_CHAR':
      return 'a character is missing, such as a closing quote, bracket or the ":" after a key';
    case 'MULTIPLE_DOCS':
      return 'the file holds several YAML documents ("---"): keep one';
    case 'TAG_RESOLVE_FAILED':
      return 'a YAML tag ("!...") is not supported: remove it';
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'this is no valid YAML here: is a line above it missing its ":" or its quotes?';
    default: {
      const sentence = message.split(/[:\n]/u)[0] ?? message;
      return `the file is no valid YAML: ${sentence.slice(0, 100)}`;
    }
  }
}
