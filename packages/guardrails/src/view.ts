import {
  BINARY_KINDS,
  type ContentKind,
  type Demand,
  type Segment,
  type Unscanned,
  type UnscannedContent,
} from '@portcullis/policy';
import type { UnscannedDefaults } from './hook.ts';
import type { Instance } from './instance.ts';

/** What one guardrail looks at, and what of the content it does not (E9). */
export interface View {
  readonly segments: readonly Segment[];
  readonly original: readonly Segment[];
  /** Where each of them is in the whole content; null when the view is the whole content. */
  readonly places: readonly number[] | null;
  /** One entry for each kind that is left out, at its first place. */
  readonly unscanned: readonly UnscannedContent[];
}

const NONE: readonly UnscannedContent[] = [];

/** Narrows the content to the kinds that the guardrail looks at. Allocates nothing when that is all of them. */
export function viewFor(
  instance: Instance,
  demands: readonly Demand[],
  defaults: UnscannedDefaults,
  segments: readonly Segment[],
  original: readonly Segment[],
): View {
  if (segments.every((segment) => instance.scan.has(segment.kind))) {
    return { segments, original, places: null, unscanned: NONE };
  }
  const places: number[] = [];
  const left = new Map<ContentKind, UnscannedContent>();
  for (const [place, segment] of segments.entries()) {
    if (instance.scan.has(segment.kind)) places.push(place);
    else if (segment.text !== '' && !left.has(segment.kind)) {
      left.set(segment.kind, notInScan(instance, demands, defaults, segment));
    }
  }
  const pick = (from: readonly Segment[]) => places.map((place) => from[place]).filter(isPresent);
  const picked = pick(segments);
  return {
    segments: picked,
    original: original === segments ? picked : pick(original),
    places,
    unscanned: [...left.values()],
  };
}

const isPresent = <T>(value: T | undefined): value is T => value !== undefined;

/** A kind the guardrail leaves out: by its own list, or because it cannot read it. */
export function notInScan(
  instance: Instance,
  demands: readonly Demand[],
  defaults: UnscannedDefaults,
  segment: Pick<Segment, 'kind' | 'path'>,
): UnscannedContent {
  const byList = instance.params.scan !== null;
  const fallback = byList || BINARY_KINDS.has(segment.kind) ? 'allow' : 'block';
  return {
    kind: segment.kind,
    path: segment.path,
    setting: unscannedSetting(instance, demands, defaults, fallback),
    reason: byList ? 'not in the scan list' : 'cannot be read',
  };
}

/** What content that a guardrail could not read means: its own setting, its policies', the global one, the default. */
export function unscannedSetting(
  instance: Instance,
  demands: readonly Demand[],
  defaults: UnscannedDefaults,
  fallback: Unscanned,
): Unscanned {
  if (instance.params.unscanned !== null) return instance.params.unscanned;
  let ofPolicies: Unscanned | null = null;
  for (const demand of demands) {
    const setting = demand.policy_id === undefined ? undefined : defaults.policies.get(demand.policy_id);
    if (setting === 'block') return 'block';
    if (setting === 'allow') ofPolicies = 'allow';
  }
  return ofPolicies ?? defaults.global ?? fallback;
}
