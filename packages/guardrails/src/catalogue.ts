import type { DetectorDefinition } from './guardrail.ts';

/** The built-in detectors. Nothing registers itself: what is not in this list does not exist. */
export const catalogue: readonly DetectorDefinition[] = [];
