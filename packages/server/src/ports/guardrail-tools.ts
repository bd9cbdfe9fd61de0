import type {
  BlockDetails,
  CodeTrial,
  CodeTrialResult,
  DetectorDescription,
  HookResult,
  RequestFacts,
  RespondDetails,
} from '@portcullis/guardrails';
import type { Finding, Guardrail, Hook, PlannedRun, RunRecord, Segment } from '@portcullis/policy';

/** What the management routes ask of the guardrails' code and of the snapshot in force. */
export interface GuardrailTools {
  /** Every kind of guardrail there is. */
  readonly kinds: readonly DetectorDescription[];
  readonly patterns: readonly PrebuiltPattern[];
  readonly categories: readonly ShippedCategory[];
  /** Everything that keeps a guardrail from being set up; it is made and thrown away again. Its secrets are open. */
  problems(guardrail: Guardrail): readonly Finding[];
  /** The guardrails in force, those of the configuration file included. Their secrets are open. */
  inForce(): readonly Guardrail[];
  /** Reads the text of a file of blocked words. */
  checkBlockedWords(text: string): BlockedWordsCheck;
  /** Runs the code of a guardrail once, in the sandbox, on made-up content. */
  tryCode(trial: CodeTrial): Promise<CodeTrialResult>;
  /** Runs one guardrail that is in force, or answers null when none of that name is. */
  apply(trial: Trial): Promise<TrialResult | null>;
  /**
   * Runs a guardrail that is no part of any snapshot on one text; it is made and thrown away again. It must have no
   * problems.
   */
  tryOut(guardrail: Guardrail, text: string, facts: RequestFacts): Promise<HookTrialResult>;
  /** Runs planned runs of one hook outside any request, or answers null before anything is in force. */
  run(trial: HookTrial): Promise<HookTrialResult | null>;
}

/** Planned runs on some content, outside any request. Monitored runs are not done: ask for them as enforced ones. */
export interface HookTrial {
  readonly hook: Hook;
  readonly runs: readonly PlannedRun[];
  readonly segments: readonly Segment[];
  readonly facts: RequestFacts;
}

/** A shipped pattern of the content filter. */
export interface PrebuiltPattern {
  readonly name: string;
  readonly display_name: string;
  readonly group: string;
  readonly description: string;
  readonly action: 'BLOCK' | 'MASK' | 'LOG';
}

/** A shipped category of the content filter. */
export interface ShippedCategory extends PrebuiltPattern {
  /** Its words, as a category file. */
  readonly yaml: () => string;
}

export type BlockedWordsCheck =
  | { readonly ok: true; readonly count: number }
  | { readonly ok: false; readonly problems: readonly string[] };

/** One text for one guardrail, outside any request. */
export interface Trial {
  readonly guardrailName: string;
  /** Null: the side on which the guardrail runs. */
  readonly direction: 'request' | 'response' | null;
  readonly text: string;
  /** The conversation around it, looked at too. */
  readonly around: readonly Segment[];
  readonly facts: RequestFacts;
  /** Trusted tags, for a guardrail whose hooks are chosen by tag. */
  readonly tags: readonly string[];
}

export interface TrialResult {
  readonly hook: Hook;
  /** The path of the text among the segments. */
  readonly path: string;
  /** The text and what is around it, after all edits. */
  readonly segments: readonly Segment[];
  readonly record: RunRecord;
  readonly block: BlockDetails | null;
  readonly respond: RespondDetails | null;
  /** The guardrail only records, so nothing is enforced (E5). */
  readonly monitored: boolean;
}

export type HookTrialResult = HookResult;
