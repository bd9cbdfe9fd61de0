/** Which attachments a request hits, and whether trusted facts alone would have done it (M2-M7). */
import { ABSENT, BY_CALLER, both, either, type Level, TRUSTED } from './level.ts';
import type { PatternTable } from './patterns.ts';
import type { Attachment } from './schema/attachment.ts';
import type { SplitMap } from './split-map.ts';

/** An attachment as pattern numbers. `null` and empty lists do not constrain (M4). */
export interface CompiledAttachment {
  readonly attachment: Attachment;
  readonly teams: readonly number[] | null;
  readonly keys: readonly number[] | null;
  readonly models: readonly number[] | null;
  readonly tagsAny: readonly number[] | null;
  readonly tagsAll: readonly number[];
  readonly tagsNone: readonly number[];
}

/** The patterns a request hits: one level per pattern number. */
export type HitLevels = ReadonlyArray<Level> | Uint8Array;

/** The pattern numbers hit through trusted facts, and those hit through the caller's facts. They may overlap. */
export interface Hits {
  readonly trusted: readonly number[];
  readonly caller: readonly number[];
}

/** How far one selector holds: as far as its best pattern (M4). */
export function anyLevel(patterns: readonly number[] | null, levels: HitLevels): Level {
  if (patterns === null) return TRUSTED;
  let best: Level = ABSENT;
  for (const pattern of patterns) {
    best = either(best, levelAt(levels, pattern));
    if (best === TRUSTED) return best;
  }
  return best;
}

/** How far `tags.all` holds: as far as its weakest pattern (M5). */
export function allLevel(patterns: readonly number[], levels: HitLevels): Level {
  let weakest: Level = TRUSTED;
  for (const pattern of patterns) weakest = both(weakest, levelAt(levels, pattern));
  return weakest;
}

/** How far `tags.none` holds. A caller's tag is ignored here: it must not take an attachment away (M7). */
export function noneLevel(patterns: readonly number[], levels: HitLevels): Level {
  for (const pattern of patterns) if (levelAt(levels, pattern) === TRUSTED) return ABSENT;
  return TRUSTED;
}

/** How far an attachment matches: as far as its weakest dimension (M4). */
export function attachmentLevel(compiled: CompiledAttachment, levels: HitLevels): Level {
  let level = anyLevel(compiled.teams, levels);
  if (level !== ABSENT) level = both(level, anyLevel(compiled.keys, levels));
  if (level !== ABSENT) level = both(level, anyLevel(compiled.models, levels));
  if (level !== ABSENT) level = both(level, anyLevel(compiled.tagsAny, levels));
  if (level !== ABSENT) level = both(level, allLevel(compiled.tagsAll, levels));
  if (level !== ABSENT) level = both(level, noneLevel(compiled.tagsNone, levels));
  return level;
}

function levelAt(levels: HitLevels, pattern: number): Level {
  const level = levels[pattern];
  return level === TRUSTED ? TRUSTED : level === BY_CALLER ? BY_CALLER : ABSENT;
}

export interface AttachmentMatch {
  readonly compiled: CompiledAttachment;
  readonly level: Level;
}

/**
 * All attachments, each posted under the patterns of its most selective dimension. A request looks at the postings of the
 * patterns it hits, so its cost follows what it hits and not how many attachments there are (D-100).
 */
export interface AttachmentIndex {
  readonly all: readonly CompiledAttachment[];
  readonly byId: SplitMap<CompiledAttachment>;
  /** Attachments that no posting leads to: `scope: "*"`, and those whose selectors are all `*`. */
  readonly unconstrained: readonly number[];
  /** The attachments posted under pattern `p` are `items[starts[p]] ... items[starts[p + 1] - 1]`. */
  readonly starts: Int32Array;
  readonly items: Int32Array;
  /** All zero between two calls; kept because clearing what was touched is cheaper than allocating. */
  readonly levels: Uint8Array;
  readonly seen: Uint8Array;
}

/** Runs `read` with the hit levels of one request; they are valid only during the call. */
export function withHitLevels<Result>(
  index: AttachmentIndex,
  hits: readonly Hits[],
  read: (levels: HitLevels) => Result,
): Result {
  const { levels } = index;
  for (const { caller } of hits) for (const pattern of caller) levels[pattern] = BY_CALLER;
  for (const { trusted } of hits) for (const pattern of trusted) levels[pattern] = TRUSTED;
  try {
    return read(levels);
  } finally {
    for (const { caller } of hits) for (const pattern of caller) levels[pattern] = ABSENT;
    for (const { trusted } of hits) for (const pattern of trusted) levels[pattern] = ABSENT;
  }
}

/** The attachments that match, in no particular order. */
export function matchAttachments(
  index: AttachmentIndex,
  levels: HitLevels,
  hits: readonly Hits[],
): AttachmentMatch[] {
  const found: AttachmentMatch[] = [];
  const touched: number[] = [];
  const consider = (candidate: number): void => {
    if (index.seen[candidate] === 1) return;
    index.seen[candidate] = 1;
    touched.push(candidate);
    const compiled = index.all[candidate];
    if (compiled === undefined) return;
    const level = attachmentLevel(compiled, levels);
    if (level !== ABSENT) found.push({ compiled, level });
  };
  for (const candidate of index.unconstrained) consider(candidate);
  for (const { trusted, caller } of hits) {
    for (const pattern of trusted) eachPosting(index, pattern, consider);
    for (const pattern of caller) eachPosting(index, pattern, consider);
  }
  for (const candidate of touched) index.seen[candidate] = 0;
  return found;
}

function eachPosting(index: AttachmentIndex, pattern: number, visit: (attachment: number) => void): void {
  const end = index.starts[pattern + 1] ?? 0;
  for (let at = index.starts[pattern] ?? 0; at < end; at++) visit(index.items[at] ?? 0);
}

/** The patterns an attachment is posted under: those of the dimension that the fewest attachments share. */
export function postingPatterns(
  compiled: CompiledAttachment,
  popularity: HitLevels | Int32Array,
): readonly number[] {
  const choices = [compiled.teams, compiled.keys, compiled.models, compiled.tagsAny];
  for (const pattern of compiled.tagsAll) choices.push([pattern]);
  let best: readonly number[] = [];
  let cost = Number.POSITIVE_INFINITY;
  for (const patterns of choices) {
    if (patterns === null) continue;
    let sum = 0;
    for (const pattern of patterns) sum += popularity[pattern] ?? 0;
    if (sum < cost) [best, cost] = [patterns, sum];
  }
  return best;
}

/** Reads an attachment's selectors as pattern numbers. `*` never constrains teams, keys or models (M2). */
export function compileAttachment(
  attachment: Attachment,
  tags: {
    readonly any: readonly string[];
    readonly all: readonly string[];
    readonly none: readonly string[];
  },
  patterns: PatternTable,
): CompiledAttachment {
  const selector = (dimension: 'teams' | 'keys' | 'models') => {
    const texts = attachment[dimension];
    if (texts.length === 0 || texts.includes('*')) return null;
    return texts.map((text) => patterns.intern(dimension, text));
  };
  const tagList = (texts: readonly string[]) => texts.map((text) => patterns.intern('tags', text));
  return Object.freeze({
    attachment,
    teams: selector('teams'),
    keys: selector('keys'),
    models: selector('models'),
    tagsAny: tags.any.length === 0 ? null : tagList(tags.any),
    tagsAll: tagList(tags.all),
    tagsNone: tagList(tags.none),
  });
}
