/**
 * The limits of the policy language. They are enforced where data is written and again when it is loaded, so that no
 * snapshot can hold more. Exceeding one is a finding with the limit in its text, never a crash.
 */
export const LIMITS = {
  attachments: 200_000,
  patternsPerAttachment: 1_000,
  patternCharacters: 256,
  nameCharacters: 256,
  guardrailsPerPolicy: 200,
  pipelineSteps: 50,
  chainDepth: 32,
  regexCharacters: 2_000,
  descriptionCharacters: 10_000,
  messageCharacters: 10_000,
  planCacheEntries: 10_000,
} as const;
