import type { PatternSpec } from '../spec.ts';
import { AI_SECRETS } from './ai.ts';
import { CLOUD_SECRETS } from './cloud.ts';
import { FILE_SECRETS } from './files.ts';
import { GENERIC_SECRETS } from './generic.ts';
import { SAAS_SECRETS } from './saas.ts';

/** Secrets beyond the ones that nearly every configuration names: by vendor, by file format, by what stands beside them. */
export const SECRET_PATTERNS: readonly PatternSpec[] = [
  ...AI_SECRETS,
  ...CLOUD_SECRETS,
  ...SAAS_SECRETS,
  ...FILE_SECRETS,
  ...GENERIC_SECRETS,
];
