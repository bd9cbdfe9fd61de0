import { z } from 'zod';

const matchState = z.enum(['NO_MATCH_FOUND', 'MATCH_FOUND', 'FILTER_MATCH_STATE_UNSPECIFIED']);
const verdict = z.object({ executionState: z.string().nullish(), matchState: matchState.nullish() });
type Verdict = z.infer<typeof verdict>;

const filter = z.object({
  raiFilterResult: verdict
    .extend({
      raiFilterTypeResults: z.record(z.string(), z.object({ matchState: matchState.nullish() })).nullish(),
    })
    .nullish(),
  sdpFilterResult: z
    .object({
      inspectResult: verdict.nullish(),
      deidentifyResult: verdict
        .extend({
          data: z.object({ text: z.string().nullish() }).nullish(),
          infoTypes: z.array(z.string()).nullish(),
        })
        .nullish(),
    })
    .nullish(),
  piAndJailbreakFilterResult: verdict.nullish(),
  maliciousUriFilterResult: verdict.nullish(),
  csamFilterFilterResult: verdict.nullish(),
  virusScanFilterResult: verdict.nullish(),
});
type Filter = z.infer<typeof filter>;

/** The answer of both operations. */
export const armorAnswerSchema = z.object({
  sanitizationResult: z.object({
    filterMatchState: matchState,
    invocationResult: z.string(),
    filterResults: z.union([z.record(z.string(), filter), z.array(filter)]).nullish(),
  }),
});
type Result = z.infer<typeof armorAnswerSchema>['sanitizationResult'];

export interface ArmorFindings {
  /** Filters that matched, apart from de-identification. */
  readonly matched: readonly string[];
  /** The text without what was de-identified. */
  readonly deidentified: { readonly text: string; readonly types: readonly string[] } | null;
}

/** What an answer found; null when it is no verdict because filters failed or were skipped. */
export function armorFindingsOf({
  filterMatchState,
  invocationResult,
  filterResults,
}: Result): ArmorFindings | null {
  const matched: string[] = [];
  let deidentified: ArmorFindings['deidentified'] = null;
  const list: readonly Filter[] = Array.isArray(filterResults)
    ? filterResults
    : Object.values(filterResults ?? {});
  const hit = (one: Verdict | null | undefined): boolean => one?.matchState === 'MATCH_FOUND';
  for (const one of list) {
    const rai = one.raiFilterResult;
    if (hit(rai)) {
      const types = Object.entries(rai?.raiFilterTypeResults ?? {}).filter(([, result]) => hit(result));
      matched.push(...(types.length === 0 ? ['rai'] : types.map(([type]) => `rai:${type}`)));
    }
    if (hit(one.piAndJailbreakFilterResult)) matched.push('pi_and_jailbreak');
    if (hit(one.maliciousUriFilterResult)) matched.push('malicious_uris');
    if (hit(one.csamFilterFilterResult)) matched.push('csam');
    if (hit(one.virusScanFilterResult)) matched.push('virus_scan');
    const sdp = one.sdpFilterResult;
    if (hit(sdp?.inspectResult)) matched.push('sdp');
    const changed = sdp?.deidentifyResult;
    if (hit(changed)) {
      if (changed?.data?.text == null) matched.push('sdp');
      else deidentified = { text: changed.data.text, types: changed.infoTypes ?? [] };
    }
  }
  if (filterMatchState === 'MATCH_FOUND' && matched.length === 0 && deidentified === null)
    matched.push('other');
  // A match counts also when another filter failed; the absence of one does not.
  if (matched.length === 0 && invocationResult !== 'SUCCESS') return null;
  return { matched, deidentified };
}
