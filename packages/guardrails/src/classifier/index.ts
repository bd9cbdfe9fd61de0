import { BINARY_KINDS, CONTENT_KINDS, type ContentKind, HOOKS } from '@portcullis/policy';
import type { DetectorDefinition } from '../guardrail.ts';
import { type ClassifierConfig, classifierSchema } from './config.ts';
import { Classifier } from './detector.ts';
import { shippedModel } from './shipped.ts';

const READABLE: ReadonlySet<ContentKind> = new Set(CONTENT_KINDS.filter((kind) => !BINARY_KINDS.has(kind)));

/** The local model as a guardrail: attacks on the assistant and harmful content, without network and without waiting. */
export const classifier: DetectorDefinition<ClassifierConfig> = {
  ids: ['portcullis_classifier', 'classifier'],
  title: 'Local classifier',
  configSchema: classifierSchema,
  facts: () => ({ hooks: HOOKS, masks: false }),
  reads: () => READABLE,
  // Adjacent parts of a message are also judged joined.
  deterministic: 'subject',
  timeoutMs: 2_000,
  create: (config) => new Classifier(config, shippedModel()),
};
