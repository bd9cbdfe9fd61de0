import type { Edit } from '@portcullis/policy';

/** A replacement of `[start, end)` of one text, in UTF-16 units. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  readonly restore?: NonNullable<Edit['restore']>;
}

/**
 * Applies replacements to a text. They must be in order, inside the text, and must not overlap.
 * @throws RangeError when they are not: a wrong edit would leave matched text behind.
 */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  if (edits.length === 0) return text;
  let result = '';
  let at = 0;
  for (const edit of edits) {
    if (edit.start < at || edit.end < edit.start || edit.end > text.length) {
      throw new RangeError('edits must be in order, inside the text, and must not overlap');
    }
    result += text.slice(at, edit.start) + edit.replacement;
    at = edit.end;
  }
  return result + text.slice(at);
}
