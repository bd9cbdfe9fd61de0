import type { Edit } from '@portcullis/policy';
import { type Inspection, type Subject } from '../../guardrail.ts';
import { type Document, editBetween, TooMuch } from './documents.ts';
import { CLEAN, finding, together } from './inspection.ts';

/** Segments of one run that may each be asked about on their own. */
const MAX_ALONE = 64;

/** A document for which a service has a new text. */
export interface Rewritten {
  readonly document: Document;
  readonly text: string;
}

/**
 * Turns new texts of documents into edits. A document of one segment gives its edit directly; the segments of a larger one
 * are asked about once more, each alone, because a new text does not say where one segment ends. What changes only when
 * segments are read together cannot be delivered (E1).
 *
 * @param askAlone the new text of one text; the text itself when nothing changes
 * @throws TooMuch beyond 64 segments
 */
export async function rewriting(
  subject: Subject,
  list: readonly Rewritten[],
  kinds: readonly string[],
  signal: AbortSignal,
  askAlone: (text: string, signal: AbortSignal) => Promise<string>,
): Promise<Inspection> {
  const edits: Edit[] = [];
  const alone = new Set<number>();
  for (const { document, text } of list) {
    const [part] = document.parts;
    if (document.parts.length === 1 && part !== undefined) {
      const edit = editBetween(part.segment, document.text, text);
      if (edit !== null) edits.push({ ...edit, start: edit.start + part.from, end: edit.end + part.from });
    } else {
      for (const { segment } of document.parts) alone.add(segment);
    }
  }
  if (alone.size > MAX_ALONE) throw new TooMuch();
  const found = await together([...alone], signal, async (segment, stop) => {
    const before = subject.segments[segment]?.text ?? '';
    return editBetween(segment, before, await askAlone(before, stop));
  });
  const changed = found.filter((edit) => edit !== null);
  if (edits.length + changed.length === 0) {
    const reason = 'the service rewrites texts only when they are read together';
    return { ...CLEAN, outcome: { outcome: 'error', error_class: 'undeliverable', reason } };
  }
  const sorted = [...edits, ...changed].sort((a, b) => a.segment - b.segment || a.start - b.start);
  const types = kinds.length === 0 ? ['sensitive'] : kinds;
  return {
    ...CLEAN,
    outcome: { outcome: 'masked' },
    edits: sorted,
    detections: sorted.flatMap(({ segment, start, end }) =>
      types.map((type) => finding(type, 'MASK', { span: { segment, start, end } })),
    ),
  };
}
