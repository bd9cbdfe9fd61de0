import { z } from 'zod';
import { CodePointOffsets } from '../service/documents.ts';
import { fault } from '../service/inspection.ts';
import { readJson } from '../service/line.ts';

/** One finding of the analyzer, in UTF-16 offsets. */
export interface Found {
  readonly entity: string;
  readonly score: number;
  readonly start: number;
  readonly end: number;
}

interface Replacement extends Found {
  readonly text: string;
}

const answerSchema = z.object({
  text: z.string(),
  items: z.array(z.object({ start: z.int(), end: z.int(), entity_type: z.string(), text: z.string() })),
});

/**
 * What every finding is replaced with. Of findings that overlap the longest stays, of equal ones the surest; neighbours of
 * one kind with nothing but white space between them are one, as the anonymizer has it.
 *
 * @param anonymize asks the anonymizer; null without one, and then the replacement is `<ENTITY>`
 * @throws HttpFailure `fault` when the anonymizer's text is not the one that was asked about with its items replaced
 */
export async function replacementsOf(
  text: string,
  list: readonly Found[],
  anonymize: (question: object) => Promise<string | null>,
): Promise<readonly Replacement[]> {
  const found = neighboursJoined(text, apart(list));
  const points = new CodePointOffsets(text);
  const body = await anonymize({
    text,
    analyzer_results: found.map((one) => ({
      entity_type: one.entity,
      start: points.of(one.start),
      end: points.of(one.end),
      score: one.score,
    })),
  });
  if (body === null) return found.map((one) => ({ ...one, text: `<${one.entity}>` }));
  return replacedBy(text, found, readJson(body, answerSchema));
}

function replacedBy(
  before: string,
  found: readonly Found[],
  answer: z.infer<typeof answerSchema>,
): readonly Replacement[] {
  const items = [...answer.items].sort((a, b) => a.start - b.start);
  const replacements = found.map((one, index) => {
    const item = items[index];
    if (item?.entity_type !== one.entity) throw mismatch();
    return { ...one, text: item.text };
  });
  let expected = '';
  let at = 0;
  for (const { start, end, text } of replacements) {
    expected += before.slice(at, start) + text;
    at = end;
  }
  if (items.length !== found.length || expected + before.slice(at) !== answer.text) throw mismatch();
  return replacements;
}

function apart(list: readonly Found[]): readonly Found[] {
  const kept: Found[] = [];
  const byLength = [...list].sort((a, b) => b.end - b.start - (a.end - a.start) || b.score - a.score);
  for (const one of byLength) {
    if (one.start < one.end && !kept.some((other) => one.start < other.end && other.start < one.end))
      kept.push(one);
  }
  return kept.sort((a, b) => a.start - b.start);
}

function neighboursJoined(text: string, list: readonly Found[]): readonly Found[] {
  const joined: Found[] = [];
  for (const one of list) {
    const last = joined.at(-1);
    if (last?.entity === one.entity && /^\s*$/u.test(text.slice(last.end, one.start))) {
      joined[joined.length - 1] = { ...last, end: one.end, score: Math.max(last.score, one.score) };
    } else {
      joined.push(one);
    }
  }
  return joined;
}

const mismatch = () => fault('the anonymizer changed something else than what it was told to');
