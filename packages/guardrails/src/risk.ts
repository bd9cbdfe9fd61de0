import type { MatchDetail } from '@portcullis/policy';

type Severity = NonNullable<MatchDetail['severity']>;

/** The risk of a block, and the top of the scale. */
export const MOST_RISK = 10;

/**
 * Points of the risk score by severity: credentials, payment data and national ids are high; contact data, and what an
 * administrator listed, medium; network addresses and postcodes low.
 */
const POINTS: Readonly<Record<Severity, number>> = { low: 1, medium: 4, high: 7 };

/**
 * Risk of one run on the scale 0 to 10, one decimal: 10 when blocked; else the points of the most severe match (half for
 * one that is only logged; medium where nobody says) and 0.6 for each further match up to five, at most 9.9. Unlike the
 * reference's figure it does not depend on how many rules are configured.
 */
export function riskScore(found: readonly Pick<MatchDetail, 'action_taken' | 'severity'>[]): number {
  if (found.length === 0) return 0;
  let most = 0;
  for (const { action_taken: action, severity } of found) {
    if (action === 'BLOCK') return MOST_RISK;
    most = Math.max(most, POINTS[severity ?? 'medium'] * (action === 'LOG' ? 0.5 : 1));
  }
  return Math.round(Math.min(9.9, most + 0.6 * Math.min(found.length - 1, 5)) * 10) / 10;
}
