import { ADVICE_AND_CONDUCT } from './advice.ts';
import { AIRLINE } from './airline.ts';
import { BIAS_AND_WORK } from './bias.ts';
import { CLAIMS } from './claims.ts';
import { HARM } from './harm.ts';
import { HARM_LANGUAGES } from './harm-languages.ts';
import { INJECTION } from './injection.ts';
import { REGULATION } from './regulation.ts';
import type { CategorySpec } from './spec.ts';

/** All shipped categories, in the order in which they are shown. */
export const CATEGORIES: readonly CategorySpec[] = [
  ...HARM,
  ...HARM_LANGUAGES,
  ...BIAS_AND_WORK,
  ...ADVICE_AND_CONDUCT,
  ...INJECTION,
  ...CLAIMS,
  ...AIRLINE,
  ...REGULATION,
];

const byName = new Map(CATEGORIES.map((spec) => [spec.name, spec]));

/** Finds a shipped category by its name; null when there is none. */
export function findCategory(name: string): CategorySpec | null {
  return byName.get(name) ?? null;
}
