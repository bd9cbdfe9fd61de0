import type { Inspection, Ports } from './guardrail.ts';
import type { HookInput } from './hook.ts';
import type { Groups } from './instance.ts';
import { Placeholders } from './restore/restorer.ts';
import type { PlaceholderVault } from './restore/vault.ts';
import type { VerdictCache } from './verdicts/cache.ts';
import type { Units } from './verdicts/units.ts';

/** What all runs of one hook share. */
export interface Frame {
  readonly input: HookInput;
  readonly groups: Groups;
  readonly ports: Ports;
  /** On the monotonic clock: when waiting for remote detectors ends. */
  readonly endsAtMs: number;
  /** Inspections under way, so that a block can stop those after it. */
  readonly waiting: Set<AbortController>;
  /** Every inspection answers this instead of being made, such as `too_complex` for an answer that outgrew its buffer. */
  readonly forced: Inspection | null;
  /** Where masked values that are to be put back are numbered; null where nothing is. */
  readonly vault: PlaceholderVault | null;
  /** Where verdicts on content that comes again are kept (E6); null where none comes again. */
  readonly verdicts: VerdictCache | null;
  /** Things found that one record lists at most. */
  readonly maxDetails: number;
  /** The content of the run before, in units. */
  units: Units | null;
  /** What this hook masked for putting back. Made at the first such value. */
  placeholders: Placeholders | null;
}

/** Things found that the record of one run lists, unless somebody asks for more. */
export const MAX_DETAILS = 200;

type FrameOptions = Partial<Pick<Frame, 'forced' | 'vault' | 'verdicts' | 'maxDetails'>>;

export function makeFrame(
  input: HookInput,
  groups: Groups,
  ports: Ports,
  { forced = null, vault = null, verdicts = null, maxDetails = MAX_DETAILS }: FrameOptions = {},
): Frame {
  return {
    input,
    groups,
    ports,
    endsAtMs: ports.clock.monotonic() + input.budgetMs,
    waiting: new Set(),
    forced,
    vault,
    verdicts,
    maxDetails,
    units: null,
    placeholders: null,
  };
}

/**
 * Where this hook's placeholders are kept; null where a mask cannot be undone: in any hook but `pre_call`, and for runs
 * whose changes reach nobody.
 */
export function placeholdersOf(frame: Frame): Placeholders | null {
  if (frame.vault === null || frame.input.hook !== 'pre_call') return null;
  const { facts, original } = frame.input;
  const scope = facts.teamId ?? facts.keyHash;
  frame.placeholders ??= new Placeholders(frame.vault, scope, original, () => frame.ports.clock.now());
  return frame.placeholders;
}

/** Stops what is still under way after a block. Its outcome no longer matters. */
export function stopWaiting(frame: Frame): void {
  for (const controller of frame.waiting) controller.abort();
  frame.waiting.clear();
}
