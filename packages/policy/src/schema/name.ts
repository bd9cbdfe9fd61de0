import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { patternProblem } from '../pattern.ts';

// oxlint-disable-next-line no-control-regex -- control characters are exactly what a name must not hold
const FORBIDDEN_IN_NAME = /[\u0000-\u001f\u007f/]/u;

/** Why a policy or guardrail name is refused, or `null` when it is fine. */
export function nameProblem(name: string): string | null {
  if (name.length === 0) return 'a name must not be empty';
  if (name.length > LIMITS.nameCharacters) return `a name has at most ${LIMITS.nameCharacters} characters`;
  if (FORBIDDEN_IN_NAME.test(name)) return 'a name must not contain control characters or "/"';
  if (name.startsWith('policy_')) {
    return `a name must not start with "policy_", which marks a version id in requests; rename it, for example to "${name.slice(7) || 'policy'}"`;
  }
  return null;
}

/** A policy or guardrail name: 1-256 characters, no control characters, no `/`, not starting with `policy_`. */
export const nameSchema = z.string().superRefine((name, context) => {
  const problem = nameProblem(name);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

/** A matching pattern (M1): exact text, or a prefix with one trailing `*`. */
export const patternSchema = z.string().superRefine((text, context) => {
  const problem = patternProblem(text);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

export const patternListSchema = z
  .array(patternSchema)
  .max(LIMITS.patternsPerAttachment, `an attachment has at most ${LIMITS.patternsPerAttachment} patterns`);

/** Where an object was written. Database objects win over configuration objects of the same name (S7). */
export const definitionLocationSchema = z.enum(['config', 'db']);
export type DefinitionLocation = z.infer<typeof definitionLocationSchema>;

/** `enforce` decides; `monitor` only records what it would have done (E5). */
export const enforcementSchema = z.enum(['enforce', 'monitor']);
export type Enforcement = z.infer<typeof enforcementSchema>;
