/** Whom an attachment reaches, as far as it depends on models: what a caller may call, in the names of M8. */
import { expandModel, type ModelIndex } from './models.ts';
import { matchesPattern, type Pattern, parsePattern } from './pattern.ts';
import type { Snapshot } from './snapshot.ts';
import { type Attachment, tagParts } from './schema/attachment.ts';
import type { Plan } from './schema/decision.ts';

/** The selectors of an attachment but `models`, as the matcher reads them: `null` does not constrain (M2, M4). */
export interface PrincipalSelectors {
  readonly teams: readonly string[] | null;
  readonly keys: readonly string[] | null;
  readonly tagsAny: readonly string[] | null;
  readonly tagsAll: readonly string[];
  readonly tagsNone: readonly string[];
}

/** What is asked of the stored keys and teams for an attachment. */
export function principalSelectors(attachment: Attachment): PrincipalSelectors {
  const { any, all, none } = tagParts(attachment.tags);
  return {
    teams: constraining(attachment.teams),
    keys: constraining(attachment.keys),
    tagsAny: any.length === 0 ? null : any,
    tagsAll: all,
    tagsNone: none,
  };
}

/** `*` and an empty list never constrain teams, keys or models (M2). */
function constraining(texts: readonly string[]): readonly string[] | null {
  return texts.length === 0 || texts.includes('*') ? null : texts;
}

/** What one caller may call: every list must allow a model, and `null` allows all. */
export interface Caller {
  readonly lists: readonly (readonly string[] | null)[];
  /** Model aliases of key and team, the key's first (M8). */
  readonly aliases: Readonly<Record<string, string>>;
}

/** Whether a list of model names allows one of the names that an administrator gave the model, or the requested one. */
export function allowsModel(
  list: readonly string[] | null,
  requested: string,
  group: string | null,
): boolean {
  if (list === null) return true;
  for (const entry of list) {
    if (entry === requested || entry === group) return true;
    if (entry.endsWith('*') && matchesPattern(parsePattern(entry), requested)) return true;
  }
  return false;
}

/** Ends no configured name, so that a prefix with it stands for all the names that nobody has written down. */
const UNWRITTEN = '\u{10fffd}';

/**
 * Answers which models a caller may call that a `models` selector matches. A wildcard group serves endlessly many names;
 * still the answer is exact, because every condition on a name is a point or a prefix: if any name fulfils them all, then
 * one of the written points does, or one of the written prefixes followed by something that nobody has written.
 */
export class ModelReach {
  readonly #index: ModelIndex;
  /** `null` when the attachment does not select by model. */
  readonly #patterns: readonly Pattern[] | null;
  readonly #names: ReadonlySet<string>;
  readonly #withoutAliases: readonly Callable[];
  readonly #known = new Map<string, boolean>();

  constructor(snapshot: Pick<Snapshot, 'models'>, models: readonly string[]) {
    this.#index = snapshot.models;
    this.#patterns = constraining(models)?.map(parsePattern) ?? null;
    this.#names = new Set([
      ...this.#index.groups.keys(),
      ...this.#index.aliases.keys(),
      ...this.#index.wildcards.map(({ prefix }) => prefix + UNWRITTEN),
      ...(this.#patterns ?? []).flatMap((pattern) => namesOfPattern(pattern, this.#index)),
    ]);
    this.#withoutAliases = [...this.#names].flatMap((name) => this.#callable(name, {}));
  }

  /** Whether the attachment selects by model at all. */
  get selects(): boolean {
    return this.#patterns !== null;
  }

  /** Whether the caller may call a model that the selector matches. Without a selector nothing is asked of anybody. */
  reaches(caller: Caller): boolean {
    if (this.#patterns === null) return true;
    const key = JSON.stringify(caller);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const answer = this.#find(caller).next().done === false;
    this.#known.set(key, answer);
    return answer;
  }

  /** Names that the caller may request and the selector matches, at most `limit`; some stand for endlessly many. */
  examples(caller: Caller, limit: number): readonly string[] {
    const found = new Set<string>();
    for (const name of this.#find(caller)) {
      if (found.size === limit) break;
      found.add(name);
    }
    return [...found];
  }

  /** Whether a request for this name is matched. */
  matches(requested: string | null, aliases: Caller['aliases']): boolean {
    if (this.#patterns === null) return true;
    if (requested === null) return false;
    const names = expandModel(this.#index, aliases, requested);
    return names !== 'alias_loop' && this.#hits([requested, names.group, ...names.deployments]);
  }

  *#find({ lists, aliases }: Caller): Generator<string> {
    const hasAliases = Object.keys(aliases).length > 0;
    const written = [...(hasAliases ? Object.keys(aliases) : []), ...lists.flatMap(namesOfList)];
    const candidates = [
      ...(hasAliases
        ? [...this.#names].flatMap((name) => this.#callable(name, aliases))
        : this.#withoutAliases),
      ...written.flatMap((name) => this.#callable(name, aliases)),
    ];
    for (const { requested, group } of candidates) {
      if (lists.every((list) => allowsModel(list, requested, group))) yield requested;
    }
  }

  /** The name with its group, when some group serves it and the selector matches it. */
  #callable(requested: string, aliases: Caller['aliases']): readonly Callable[] {
    const names = expandModel(this.#index, aliases, requested);
    if (names === 'alias_loop' || names.group === null) return [];
    const { group, deployments } = names;
    return this.#hits([requested, group, ...deployments]) ? [{ requested, group }] : [];
  }

  #hits(names: readonly (string | null)[]): boolean {
    const patterns = this.#patterns;
    if (patterns === null) return true;
    return names.some(
      (name) => name !== null && patterns.some((pattern) => matchesPattern(pattern, name.normalize('NFC'))),
    );
  }
}

interface Callable {
  readonly requested: string;
  readonly group: string;
}

/** The points and prefixes of names that can be requested by which a pattern is hit, its detours over deployments included. */
function namesOfPattern(pattern: Pattern, { wildcards }: ModelIndex): readonly string[] {
  if (pattern.kind === 'any') return [];
  const [stem, rest] = pattern.kind === 'exact' ? [pattern.text, ''] : [pattern.prefix, UNWRITTEN];
  const detours = wildcards.flatMap(({ prefix, group }) =>
    group.deployments
      .map(({ model }) => (model.endsWith('*') ? model.slice(0, -1).normalize('NFC') : null))
      .filter((deployed) => deployed !== null)
      .filter((deployed) => stem.startsWith(deployed))
      .map((deployed) => prefix + stem.slice(deployed.length) + rest),
  );
  return [stem + rest, ...detours];
}

function namesOfList(list: readonly string[] | null): readonly string[] {
  return (list ?? []).map((entry) => (entry.endsWith('*') ? entry.slice(0, -1) + UNWRITTEN : entry));
}

/** Everything that a plan runs in any hook, pipeline steps included, sorted. */
export function plannedGuardrails({ hooks }: Plan): string[] {
  const names = Object.values(hooks)
    .flat()
    .flatMap((run) => (run.kind === 'guardrail' ? [run.name] : run.steps.map((step) => step.guardrail)));
  return [...new Set(names)].sort();
}
