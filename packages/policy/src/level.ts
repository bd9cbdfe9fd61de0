/**
 * How far something holds: not at all, only through a caller's fact, or through trusted facts alone (M7).
 *
 * The three levels are ordered, so that "all of these" is the minimum and "one of these" the maximum. One pass over the
 * facts thereby answers both questions of the rules: does it hold, and does it hold without the caller's help.
 */
export const ABSENT = 0;
export const BY_CALLER = 1;
export const TRUSTED = 2;
export type Level = typeof ABSENT | typeof BY_CALLER | typeof TRUSTED;

export const levelOf = (trusted: boolean): Level => (trusted ? TRUSTED : BY_CALLER);

/** Both must hold. */
export const both = (a: Level, b: Level): Level => (a < b ? a : b);

/** One of the two must hold. */
export const either = (a: Level, b: Level): Level => (a > b ? a : b);
