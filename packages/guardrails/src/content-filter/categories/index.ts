import { HARM } from './harm.ts';
import type { CategorySpec } from './spec.ts';

/** All shipped categories, in the order in which they are shown. */
export const CATEGORIES: readonly CategorySpec[] = [...HARM];

const byName = new Map(CATEGORIES.map((spec) => [spec.name, spec]));

/** Finds a shipped category by its name; null when there is none. */
export function findCategory(name: string): CategorySpec | null {
  return byName.get(name) ?? null;
}
