import type { Edit, Segment } from '@portcullis/policy';
import type { TextEdit } from './edits.ts';

/** Adjacent parts of one message, scanned as one text (E9). */
export interface JoinedSegments {
  /** Indices into the segment list, in order; at least two. */
  readonly members: readonly number[];
  readonly text: string;
  /** Where each member begins in `text`, in UTF-16 units. */
  readonly starts: readonly number[];
}

/** Finds the runs of adjacent segments with the same `join` number and joins each into one text. */
export function joinSegments(segments: readonly Segment[]): JoinedSegments[] {
  const joined: JoinedSegments[] = [];
  let from = 0;
  while (from < segments.length) {
    const join = segments[from]?.join ?? null;
    let to = from + 1;
    if (join !== null) while (to < segments.length && segments[to]?.join === join) to += 1;
    if (to - from > 1) joined.push(joinRange(segments, from, to));
    from = to;
  }
  return joined;
}

function joinRange(segments: readonly Segment[], from: number, to: number): JoinedSegments {
  const members: number[] = [];
  const starts: number[] = [];
  let text = '';
  for (let i = from; i < to; i++) {
    members.push(i);
    starts.push(text.length);
    text += segments[i]?.text ?? '';
  }
  return { members, starts, text };
}

/**
 * Maps a replacement in a joined text back to its parts: the part in which it begins gets the replacement, the others lose
 * their share of the span.
 */
export function splitEdit(joined: JoinedSegments, edit: TextEdit): Edit[] {
  const edits: Edit[] = [];
  joined.members.forEach((segment, index) => {
    const partStart = joined.starts[index] ?? 0;
    const partEnd = joined.starts[index + 1] ?? joined.text.length;
    const start = Math.max(edit.start, partStart);
    const end = Math.min(edit.end, partEnd);
    if (start >= end) return;
    const first = edits.length === 0;
    const replacement = first ? edit.replacement : '';
    const at = { segment, start: start - partStart, end: end - partStart, replacement };
    if (edit.restore === undefined) edits.push(at);
    else edits.push({ ...at, restore: first ? edit.restore : { continues: true } });
  });
  return edits;
}
