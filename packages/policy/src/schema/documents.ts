import type { Attachment } from './attachment.ts';
import type { DetectorFacts, Guardrail } from './guardrail.ts';
import type { ModelGroup } from './model.ts';
import type { Policy, Unscanned } from './policy.ts';

/**
 * Everything that can influence a decision, as parsed documents: what a snapshot is compiled from. Configuration and
 * database objects are already merged (S7): `policies` holds at most one production version of a name. Drafts and
 * published versions are included, because a request may name one exactly (A5).
 */
export interface Documents {
  readonly revision: number;
  readonly policies: readonly Policy[];
  readonly attachments: readonly Attachment[];
  readonly guardrails: readonly Guardrail[];
  readonly models: readonly ModelGroup[];
  /** `router_settings.model_group_alias`: other names of a group. */
  readonly model_aliases: Readonly<Record<string, string>>;
  readonly settings: { readonly unscanned: Unscanned | null };
}

/** Looks up what a detector can do with one configuration; `null` when no such detector exists. */
export type DetectorLookup = (guardrail: Guardrail) => DetectorFacts | null;

/** Where in the documents a finding is, so that a reader of files can find the line. */
export type FindingPath = readonly (string | number)[];

/**
 * Something wrong (`error`: cannot enter a snapshot) or doubtful (`warning`: lint). `path` starts with the section:
 * `policies`, `attachments`, `guardrails` or `models`, followed by the object's name or id.
 */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly path: FindingPath;
}
