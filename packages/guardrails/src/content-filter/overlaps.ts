import type { TextEdit } from '../text/edits.ts';
import type { Action, Severity } from './patterns/spec.ts';
import type { Match } from './rule.ts';

/** Overlapping matches are joined up to this many UTF-16 units; a longer chain is cut, so that a stream stays bounded. */
const CLUSTER_UNITS = 16_384;

/** Matches that overlap each other, directly or through others, and what follows from them. Source offsets. */
export interface Cluster {
  readonly start: number;
  readonly end: number;
  /** What counts, in order of position: all matches but those that a better one contains. */
  readonly matches: readonly Match[];
  /** One placeholder per joined span of masked matches. */
  readonly edits: readonly TextEdit[];
  /** The first match that blocks. */
  readonly block: Match | null;
}

const STRENGTH: Readonly<Record<Action, number>> = { LOG: 0, MASK: 1, BLOCK: 2 };
const WEIGHT: Readonly<Record<Severity, number>> = { low: 0, medium: 1, high: 2 };

/** Orders matches by position, longer ones first. Total, so that the same matches always give the same clusters. */
export function compareMatches(a: Match, b: Match): number {
  return a.start - b.start || b.end - a.end || a.rule.id - b.rule.id;
}

/**
 * Joins matches into clusters. `matches` is sorted by {@link compareMatches}. Only clusters that end at or before `limit`
 * are taken, because later matches may still begin from `limit` on; the others stay in the list.
 */
export function takeClusters(matches: Match[], limit: number): Cluster[] {
  const clusters: Cluster[] = [];
  let done = 0;
  let i = 0;
  while (i < matches.length) {
    const first = matches[i] as Match;
    const members = [first];
    let end = first.end;
    let cut: Match | null = null;
    for (i += 1; i < matches.length; i++) {
      const next = matches[i] as Match;
      if (next.start >= end) break;
      if (next.end > end && next.end - first.start > CLUSTER_UNITS) {
        cut = { ...next, start: end };
        break;
      }
      members.push(next);
      end = Math.max(end, next.end);
    }
    if (end > limit) break;
    clusters.push(resolve(members, first.start, end));
    if (cut !== null) {
      matches[i] = cut;
      const rest = matches.splice(i).sort(compareMatches);
      matches.push(...rest);
    }
    done = i;
  }
  if (done > 0) matches.splice(0, done);
  return clusters;
}

function resolve(all: readonly Match[], start: number, end: number): Cluster {
  const members = all.some((match) => match.via !== undefined)
    ? all.filter((match) => !isRepeated(match, all))
    : all;
  const matches =
    members.length === 1 ? members : members.filter((match) => !members.some((other) => beats(other, match)));
  const block = matches.find((match) => match.rule.action === 'BLOCK') ?? null;
  return { start, end, matches, edits: maskEdits(matches), block };
}

/** Whether a match of a text read through says nothing new: the text as written has it, or, when it is doubtful, a part of it. */
function isRepeated(match: Match, all: readonly Match[]): boolean {
  if (match.via === undefined) return false;
  return all.some(
    (other) =>
      other.via === undefined &&
      other.rule.id === match.rule.id &&
      (match.via === 'doubtful'
        ? other.start < match.end && other.end > match.start
        : other.start === match.start && other.end === match.end),
  );
}

/**
 * Whether `other` makes `match` superfluous: it contains it and is of a higher rank (credentials before digit patterns),
 * or of the same rank with an action at least as strong, and longer, or better founded, or more severe, or listed earlier. What an
 * administrator wrote always counts.
 */
function beats(other: Match, match: Match): boolean {
  if (other === match || other.start > match.start || other.end < match.end) return false;
  const [a, b] = [other.rule, match.rule];
  if (a.id === b.id && other.start === match.start && other.end === match.end) return false;
  if (a.kind !== 'pattern' || b.kind !== 'pattern') return false;
  if (a.rank !== b.rank) return a.rank > b.rank;
  if (STRENGTH[a.action] !== STRENGTH[b.action]) return STRENGTH[a.action] > STRENGTH[b.action];
  return isBetter(other, match);
}

/** Longest, then best founded, then highest severity, then listed first. */
function isBetter(a: Match, b: Match): boolean {
  const longer = a.end - a.start - (b.end - b.start);
  if (longer !== 0) return longer > 0;
  if (a.strength !== b.strength) return a.strength > b.strength;
  const graver = WEIGHT[a.rule.severity] - WEIGHT[b.rule.severity];
  return graver !== 0 ? graver > 0 : a.rule.id < b.rule.id;
}

function maskEdits(matches: readonly Match[]): TextEdit[] {
  const edits: TextEdit[] = [];
  let best: Match | null = null;
  let start = 0;
  let end = 0;
  const flush = () => {
    if (best !== null) edits.push({ start, end, replacement: best.rule.replacement });
  };
  for (const match of matches) {
    if (match.rule.action !== 'MASK') continue;
    if (best !== null && match.start < end) {
      end = Math.max(end, match.end);
      if (isBetter(match, best)) best = match;
      continue;
    }
    flush();
    best = match;
    start = match.start;
    end = match.end;
  }
  flush();
  return edits;
}
