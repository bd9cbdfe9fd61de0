import type { Edit, Segment } from '@portcullis/policy';

/** Whether edits can be applied at all: inside their texts, in order, without overlap. */
export function editsFit(edits: readonly Edit[], segments: readonly Segment[]): boolean {
  let segment = 0;
  let end = 0;
  for (const edit of edits) {
    if (edit.segment < segment) return false;
    if (edit.segment > segment) {
      segment = edit.segment;
      end = 0;
    }
    const text = segments[segment]?.text;
    if (text === undefined || edit.start < end || edit.end < edit.start || edit.end > text.length)
      return false;
    end = edit.end;
  }
  return true;
}
