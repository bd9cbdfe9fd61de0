// Collects everything that is wrong with a configuration file, each with its place, and turns zod's issues into words.
import type { z } from 'zod';
import type { Finding, FindingPath } from '@portcullis/policy';
import type { ConfigDocument } from './document.ts';
import { knownKeys, knownValues } from './schema-keys.ts';
import { didYouMean, nearestName } from './suggest.ts';
import type { PlacedFinding, SourcePlace } from './types.ts';

/** All findings of one file. No message ever holds a secret of the file or a value of the environment. */
export class Findings {
  readonly #document: ConfigDocument;
  readonly #found: PlacedFinding[] = [];
  readonly #seen = new Set<string>();
  /** Below these paths something else is already reported as the cause. */
  readonly #spoiled = new Set<string>();
  readonly #explained = new Set<string>();

  constructor(document: ConfigDocument) {
    this.#document = document;
  }

  error(code: string, path: FindingPath, message: string, part: 'key' | 'value' = 'value'): void {
    this.#add('error', code, path, message, this.#document.placeOf(path, part));
  }

  warning(code: string, path: FindingPath, message: string, part: 'key' | 'value' = 'value'): void {
    this.#add('warning', code, path, message, this.#document.placeOf(path, part));
  }

  /** A finding at a place that its path cannot tell, such as the second of two equal keys. */
  errorAt(code: string, path: FindingPath, message: string, offset: number): void {
    this.#add('error', code, path, message, this.#document.placeAt(offset));
  }

  /** A finding about the environment rather than a line of the file. */
  withoutPlace(finding: Finding): void {
    this.#add(finding.severity, finding.code, finding.path, finding.message, null);
  }

  /** From now on nothing more is said about this path or what is below it. */
  spoil(path: FindingPath): void {
    this.#spoiled.add(JSON.stringify(path));
  }

  /** What is wrong with this map as a whole is already said by a finding about one of its keys. */
  explain(path: FindingPath): void {
    this.#explained.add(JSON.stringify(path));
  }

  /** Whether an error is reported for exactly this path. */
  failedAt(path: FindingPath): boolean {
    const wanted = JSON.stringify(path);
    return this.#found.some(
      (finding) => finding.severity === 'error' && JSON.stringify(finding.path) === wanted,
    );
  }

  get failed(): boolean {
    return this.#found.some((finding) => finding.severity === 'error');
  }

  /** Whether anything is already wrong at or below a path. */
  failedBelow(path: FindingPath): boolean {
    return this.#found.some(
      (finding) => finding.severity === 'error' && path.every((step, index) => finding.path[index] === step),
    );
  }

  /** In the order of the file; those without a place first. */
  list(): PlacedFinding[] {
    return this.#found.toSorted(
      (a, b) =>
        (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0),
    );
  }

  /** Parses the value at a path, and reports every issue with its place. */
  parse<Output>(schema: z.ZodType<Output>, path: FindingPath): Output | null {
    let result = schema.safeParse(this.#document.valueAt(path));
    if (!result.success && this.#coerce(result.error.issues, path)) {
      result = schema.safeParse(this.#document.valueAt(path));
    }
    if (result.success) return result.data;
    this.issues(result.error.issues, path, schema);
    return null;
  }

  /** Reports zod's issues about the value at `base`. */
  issues(written: readonly z.core.$ZodIssue[], base: FindingPath, schema: z.ZodType): void {
    const issues = written.flatMap((one) => bestBranch(one));
    // A misspelt key also shows as a missing one, and as a map that lacks something: one finding is enough.
    const misspelt = new Set<string>();
    for (const issue of issues) {
      if (issue.code !== 'unrecognized_keys') continue;
      const inner = plainPath(issue.path);
      const known = knownKeys(schema, inner);
      for (const key of issue.keys) {
        this.unknownKey([...base, ...inner, key], known);
        const meant = nearestName(key, known);
        if (meant !== null) misspelt.add(JSON.stringify([...base, ...inner, meant]));
      }
    }
    for (const issue of issues) {
      const path = [...base, ...plainPath(issue.path)];
      if (issue.code === 'unrecognized_keys') continue;
      if (
        issue.code === 'custom' &&
        (this.#explained.has(JSON.stringify(path)) || hasCauseBelow(issue, issues))
      ) {
        continue;
      }
      const absent = path.length > 0 && this.#document.nodeAt(path) === null;
      if (absent && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
        if (misspelt.has(JSON.stringify(path)) || this.#explained.has(JSON.stringify(path.slice(0, -1))))
          continue;
        const wanted = issue.code === 'invalid_type' ? expectation(issue.expected) : choice(issue.values);
        this.error('missing_key', path, `"${String(path.at(-1))}" is missing here: add it, with ${wanted}`);
        continue;
      }
      if (issue.code === 'invalid_union' && issue.errors.length === 0) {
        this.#alternative(path, knownValues(schema, plainPath(issue.path)));
        continue;
      }
      this.error('invalid_value', path, this.#words(issue, path));
    }
  }

  /** Refuses a key that means nothing here, naming the nearest that does. */
  unknownKey(path: FindingPath, known: readonly string[]): void {
    const key = String(path.at(-1));
    if (known.includes(key)) {
      const message = `"${key}" cannot stand beside the other keys here: keep only one of them`;
      this.error('unknown_key', path, message, 'key');
      return;
    }
    const nearest = nearestName(key, known);
    const advice =
      nearest !== null
        ? `did you mean "${nearest}"?`
        : known.length === 0
          ? 'remove it'
          : `known here: ${known.toSorted().join(', ')}`;
    this.error('unknown_key', path, `"${key}" is not known here and would have no effect; ${advice}`, 'key');
  }

  /** The key whose value says which alternative is meant says none of them. */
  #alternative(path: FindingPath, known: readonly string[]): void {
    const value = this.#document.valueAt(path);
    if (value === undefined) {
      this.error(
        'missing_key',
        path,
        `"${String(path.at(-1))}" is missing here: add it, with ${choice(known)}`,
      );
      return;
    }
    const hint = typeof value === 'string' ? didYouMean(value, known) : '';
    this.error('invalid_value', path, `expected ${choice(known)}${hint}`);
  }

  #words(issue: z.core.$ZodIssue, path: FindingPath): string {
    const value = this.#document.valueAt(path);
    switch (issue.code) {
      case 'invalid_type': {
        const quotes = issue.expected === 'string' && typeof value !== 'object' ? ' (put it in quotes)' : '';
        return `expected ${expectation(issue.expected)}, found ${described(value)}${quotes}`;
      }
      case 'invalid_value': {
        if (!issue.message.startsWith('Invalid ')) return issue.message;
        const texts = issue.values.filter((known) => typeof known === 'string');
        return `expected ${choice(issue.values)}${typeof value === 'string' ? didYouMean(value, texts) : ''}`;
      }
      case 'invalid_union':
        return `${described(value)} does not fit here${issue.message === 'Invalid input' ? '' : `: ${issue.message}`}`;
      case 'invalid_format':
        if (!issue.message.startsWith('Invalid ')) return issue.message;
        return issue.format === 'url'
          ? 'expected a whole URL that begins with http:// or https://'
          : `this is no valid ${issue.format}`;
      case 'custom': {
        const values: unknown = issue.params?.['values'];
        if (typeof value !== 'string' || !Array.isArray(values)) return issue.message;
        return (
          issue.message +
          didYouMean(
            value,
            values.filter((known) => typeof known === 'string'),
          )
        );
      }
      case 'too_big':
      case 'too_small':
      case 'not_multiple_of':
      case 'unrecognized_keys':
      case 'invalid_key':
      case 'invalid_element':
        return issue.message;
      default:
        return 'this value is refused';
    }
  }

  /**
   * Environment variables are always text, and YAML 1.1 files write `yes`: such a text is read as what is wanted there.
   * Returns whether anything was changed.
   */
  #coerce(issues: readonly z.core.$ZodIssue[], base: FindingPath): boolean {
    let changed = false;
    for (const issue of issues) {
      if (issue.code !== 'invalid_type') continue;
      const path = [...base, ...plainPath(issue.path)];
      const value = this.#document.valueAt(path);
      if (typeof value !== 'string') continue;
      const fromEnvironment = this.#document.nodeAt(path)?.variable !== null;
      const read =
        issue.expected === 'boolean'
          ? booleanOf(value)
          : fromEnvironment && (issue.expected === 'number' || issue.expected === 'int')
            ? numberOf(value)
            : null;
      if (read === null) continue;
      this.#document.setValue(path, read);
      changed = true;
    }
    return changed;
  }

  #add(
    severity: Finding['severity'],
    code: string,
    path: FindingPath,
    message: string,
    place: SourcePlace | null,
  ): void {
    for (let length = path.length; length > 0 && this.#spoiled.size > 0; length -= 1) {
      if (this.#spoiled.has(JSON.stringify(path.slice(0, length)))) return;
    }
    const clean = this.#scrub(message);
    const identity = JSON.stringify([code, place?.line, place?.column, clean]);
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    this.#found.push({ severity, code, message: clean, path: [...path], place });
  }

  #scrub(message: string): string {
    let clean = message;
    for (const [secret, shown] of this.#document.secrets) clean = clean.replaceAll(secret, shown);
    return clean;
  }
}

function plainPath(path: readonly PropertyKey[]): (string | number)[] {
  return path.filter((step): step is string | number => typeof step !== 'symbol');
}

/** Whether something inside what `issue` is about is wrong by itself. */
function hasCauseBelow(issue: z.core.$ZodIssue, issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.some(
    (other) =>
      other !== issue &&
      (other.path.length > issue.path.length || other.code === 'unrecognized_keys') &&
      issue.path.every((step, index) => other.path[index] === step),
  );
}

/** Of a union, the issues of the alternative that the writer most likely meant. */
function bestBranch(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const branches = issue.errors.map((branch) => branch.flatMap((one) => bestBranch(one)));
  const fitting = branches.filter((branch) => !branch.some(isAboutTheWhole));
  const candidates = fitting.length > 0 ? fitting : [];
  const best = candidates.toSorted((a, b) => misfit(a) - misfit(b))[0];
  if (best === undefined) {
    const kinds = branches
      .flat()
      .flatMap((one) => (one.code === 'invalid_type' ? [expectation(one.expected)] : []));
    const values = branches.flat().flatMap((one) => (one.code === 'invalid_value' ? one.values : []));
    if (kinds.length === 0 && values.length === 0)
      return branches[0] === undefined ? [issue] : prefixed(branches[0], issue.path);
    const wanted = [...new Set([...kinds, ...(values.length > 0 ? [choice(values)] : [])])].join(' or ');
    return [
      {
        code: 'custom',
        path: issue.path,
        message: `expected ${wanted}`,
        params: { values },
        input: undefined,
      },
    ];
  }
  return prefixed(best, issue.path);
}

function prefixed(issues: readonly z.core.$ZodIssue[], path: PropertyKey[]): z.core.$ZodIssue[] {
  return issues.map((one) => ({ ...one, path: [...path, ...one.path] }));
}

/** The value as a whole is of another kind than this alternative wants. */
function isAboutTheWhole(issue: z.core.$ZodIssue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function misfit(branch: readonly z.core.$ZodIssue[]): number {
  return branch.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 10 : 1), 0);
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
  null: 'nothing',
};

function expectation(expected: string): string {
  return EXPECTED[expected] ?? expected;
}

function choice(values: readonly unknown[]): string {
  const texts = values.map((value) => JSON.stringify(value));
  return texts.length === 1 ? String(texts[0]) : `one of ${texts.join(', ')}`;
}

/** What kind of value it is; never the value. */
function described(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text';
  if (typeof value === 'number') return 'a number';
  return typeof value === 'boolean' ? 'true or false' : 'a map of keys';
}

function booleanOf(text: string): boolean | null {
  if (/^(?:true|yes|on)$/iu.test(text)) return true;
  if (/^(?:false|no|off)$/iu.test(text)) return false;
  return null;
}

function numberOf(text: string): number | null {
  const value = Number(text);
  return text.trim() === '' || !Number.isFinite(value) ? null : value;
}
