import { z } from 'zod';

const action = z.string();
const named = z.object({ name: z.string().nullish(), type: z.string().nullish(), action });
const list = z.array(named).nullish();

/** The answer of ApplyGuardrail. Its parts hold the matched text under `match`, which is left unread. */
export const bedrockAnswerSchema = z.object({
  action: z.enum(['NONE', 'GUARDRAIL_INTERVENED']),
  outputs: z.array(z.object({ text: z.string().nullish() })).nullish(),
  assessments: z
    .array(
      z.object({
        topicPolicy: z.object({ topics: list }).nullish(),
        contentPolicy: z.object({ filters: list }).nullish(),
        wordPolicy: z.object({ customWords: list, managedWordLists: list }).nullish(),
        sensitiveInformationPolicy: z.object({ piiEntities: list, regexes: list }).nullish(),
        contextualGroundingPolicy: z.object({ filters: list }).nullish(),
      }),
    )
    .nullish(),
});
export type BedrockAnswer = z.infer<typeof bedrockAnswerSchema>;

export interface BedrockFindings {
  /** What the guardrail blocks, as `policy:type`. */
  readonly blocked: readonly string[];
  /** What it anonymises. */
  readonly anonymized: readonly string[];
}

/** What an answer found. An intervention that no assessment explains is a block. */
export function findingsOf(answer: BedrockAnswer): BedrockFindings {
  if (answer.action === 'NONE') return { blocked: [], anonymized: [] };
  const blocked = new Set<string>();
  const anonymized = new Set<string>();
  for (const assessment of answer.assessments ?? []) {
    const { topicPolicy, contentPolicy, wordPolicy, sensitiveInformationPolicy: sensitive } = assessment;
    const lists = [
      ['topic', topicPolicy?.topics],
      ['content', contentPolicy?.filters],
      ['word', wordPolicy?.customWords],
      ['word', wordPolicy?.managedWordLists],
      ['sensitive', sensitive?.piiEntities],
      ['sensitive', sensitive?.regexes],
      ['grounding', assessment.contextualGroundingPolicy?.filters],
    ] as const;
    for (const [policy, items] of lists) {
      for (const item of items ?? []) {
        const type = `${policy}:${item.type ?? 'custom'}`;
        const label = policy === 'topic' || item.type == null ? `${policy}:${item.name ?? 'custom'}` : type;
        if (item.action === 'BLOCKED') blocked.add(label);
        else if (item.action === 'ANONYMIZED') anonymized.add(label);
      }
    }
  }
  if (blocked.size === 0 && anonymized.size === 0) blocked.add('other');
  return { blocked: [...blocked].sort(), anonymized: [...anonymized].sort() };
}
