import type { ContentKind, Edit } from '@portcullis/policy';
import type {
  ChannelProgress,
  ChannelScanner,
  Detection,
  Detector,
  Inspection,
  Ports,
  Subject,
} from '../guardrail.ts';
import type { TextEdit } from '../text/edits.ts';
import { shippedModel } from '../classifier/shipped.ts';
import { isEncoded } from '../text/encoded.ts';
import { joinSegments, type JoinedSegments, splitEdit } from '../text/segments.ts';
import { CategoryModel } from './category-model.ts';
import { type Cluster, compareMatches, takeClusters } from './overlaps.ts';
import { detection, message, providerFields, responseEntry, stopOf } from './report.ts';
import type { Match } from './rule.ts';
import { type ScanPlan, TextScan } from './text-scan.ts';

/** Beyond these a subject is `too_complex`: UTF-16 units of all segments together, and matches. */
const SUBJECT_LIMITS = { units: 32 * 1024 * 1024, matches: 20_000 } as const;

/** The trace of a stream names at most so many findings. */
const TRACED = 200;
const OVERFLOW = 'the text holds too much encoded text';
const CLEAN = Object.freeze({ outcome: 'clean' } as const);
const NOTHING: readonly never[] = Object.freeze([]);
/** A match in a joined text, or in one segment when `joined` is null. */
interface Placed {
  readonly cluster: Cluster;
  readonly segment: number;
  readonly joined: JoinedSegments | null;
}

/** The content filter for one configuration. Scans synchronously; scans of streams are independent objects. */
export class ContentFilter implements Detector {
  readonly openChannel?: (kind: ContentKind, role: string | null) => ChannelScanner;

  private readonly plan: ScanPlan;
  private readonly model: CategoryModel | null;
  private readonly hash: (text: string) => string;
  private readonly scan: TextScan;
  private readonly clean: Inspection;
  private readonly restores: boolean;
  /** Set while a subject is looked at. */
  private overflows = false;

  /** @param restores What is masked before the call is put back into the answer. */
  constructor(plan: ScanPlan, ports: Ports, restores = false) {
    const { program } = plan;
    this.restores = restores;
    this.plan = plan;
    this.hash = ports.hash;
    this.scan = new TextScan(plan);
    this.clean = Object.freeze({
      outcome: CLEAN,
      edits: NOTHING,
      detections: NOTHING,
      unread: NOTHING,
      trace: Object.freeze({ patterns_checked: program.checks }),
    });
    this.model =
      program.modelRules.length === 0 ? null : new CategoryModel(shippedModel(), program.modelRules);
    if (program.bounded) this.openChannel = () => new FilterChannel(plan, ports.hash);
  }

  inspect(subject: Subject): Inspection {
    const { segments } = subject;
    let units = 0;
    for (const segment of segments) units += segment.text.length;
    if (units > SUBJECT_LIMITS.units) return this.tooComplex('the text is too long');

    const unread: { segment: number; reason: string }[] = [];
    const groups = joinSegments(segments);
    const memberOf = new Map<number, JoinedSegments>();
    for (const group of groups) for (const member of group.members) memberOf.set(member, group);

    const placed: Placed[] = [];
    let count = 0;
    this.overflows = false;
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i];
      if (segment === undefined) continue;
      if (segment.kind === 'files' && isEncoded(segment.text)) {
        unread.push({ segment: i, reason: 'encoded file content' });
        continue;
      }
      const group = memberOf.get(i) ?? null;
      if (group !== null && group.members[0] !== i) continue;
      const clusters = group === null ? this.scanText(segment.text) : this.scanGroup(group, segments);
      const judged =
        this.model?.findings(group?.text ?? segment.text, segment.kind, subject.direction) ?? NOTHING;
      for (const cluster of [...clusters, ...judged]) {
        count += cluster.matches.length;
        placed.push({ cluster, segment: i, joined: group });
      }
      if (count > SUBJECT_LIMITS.matches) return this.tooComplex('the text has too many matches');
      if (this.overflows) return this.tooComplex(OVERFLOW);
    }
    if (placed.length === 0) return unread.length === 0 ? this.clean : { ...this.clean, unread };
    return this.report(placed, unread);
  }

  /** Frees the memory of the custom expressions. */
  dispose(): void {
    for (const rule of this.plan.program.customRules) rule.regex.free();
  }

  private scanText(text: string): readonly Cluster[] {
    this.scan.reset();
    try {
      const clusters = this.scan.feed(text, true);
      this.overflows ||= this.scan.overflows;
      return clusters;
    } finally {
      this.scan.reset();
    }
  }

  /**
   * Scans adjacent parts each on its own and joined (E9), in the positions of the joined text. A part's own matches count,
   * because joining can glue a letter to a value.
   */
  private scanGroup(group: JoinedSegments, segments: Subject['segments']): readonly Cluster[] {
    const matches: Match[] = [];
    const seen = new Set<string>();
    const add = (clusters: readonly Cluster[], shift: number) => {
      for (const cluster of clusters) {
        for (const match of cluster.matches) {
          const moved = { ...match, start: match.start + shift, end: match.end + shift };
          const key = `${moved.rule.id} ${moved.start} ${moved.end}`;
          if (!seen.has(key)) matches.push(moved);
          seen.add(key);
        }
      }
    };
    add(this.scanText(group.text), 0);
    group.members.forEach((member, index) => {
      add(this.scanText(segments[member]?.text ?? ''), group.starts[index] ?? 0);
    });
    return takeClusters(matches.sort(compareMatches), Infinity);
  }

  private report(placed: readonly Placed[], unread: Inspection['unread']): Inspection {
    const edits: Edit[] = [];
    const detections: Detection[] = [];
    const matches: Match[] = [];
    let block: Match | null = null;
    for (const { cluster, segment, joined } of placed) {
      if (block === null || (stopOf(block.rule) === 'respond' && isHard(cluster.block)))
        block = cluster.block ?? block;
      for (const made of cluster.edits) {
        const edit = this.restores ? { ...made, restore: { type: kindOf(cluster, made) } } : made;
        if (joined === null) edits.push({ segment, ...edit });
        else edits.push(...splitEdit(joined, edit));
      }
      for (const match of cluster.matches) {
        matches.push(match);
        detections.push(detection(match, spanOf(match, segment, joined), this.hash));
      }
    }
    edits.sort((a, b) => a.segment - b.segment || a.start - b.start);
    const flagged = block ?? (edits.length === 0 ? (matches[0] ?? null) : null);
    return {
      outcome:
        flagged === null
          ? { outcome: 'masked' }
          : {
              outcome: 'flagged',
              action: block === null ? 'log' : stopOf(block.rule),
              message: message(flagged.rule),
            },
      edits,
      detections,
      unread,
      trace: traceOf(this.plan.program.checks, matches, block),
    };
  }

  private tooComplex(reason: string): Inspection {
    return {
      ...this.clean,
      outcome: { outcome: 'error', error_class: 'too_complex', reason },
      trace: { patterns_checked: this.plan.program.checks },
    };
  }
}

/** The kind of value that an edit masks: the name of its pattern. */
function kindOf({ matches }: Cluster, { start, end, replacement }: TextEdit): string {
  const match = matches.find(
    ({ rule, ...at }) =>
      rule.action === 'MASK' && rule.replacement === replacement && at.start < end && at.end > start,
  );
  return match === undefined || match.rule.kind === 'keyword' ? 'keyword' : match.rule.name;
}

/** What the trace record says of matches, without their text. */
function traceOf(checks: number, matches: readonly Match[], block: Match | null): Inspection['trace'] {
  return {
    patterns_checked: checks,
    guardrail_response: matches.map((match) => responseEntry(match.rule)),
    ...(block === null ? {} : { provider_fields: providerFields(block.rule) }),
  };
}

function editsOf(clusters: readonly Cluster[]): ChannelProgress['edits'] {
  return clusters.flatMap((cluster) => cluster.edits);
}

/** Whether a finding blocks outright: a block beats an answer in its place (C4). */
function isHard(match: Match | null): boolean {
  return match !== null && stopOf(match.rule) === 'block';
}

/** Where a match is: a match over several parts is reported where it begins, up to the end of that part. */
function spanOf(match: Match, segment: number, joined: JoinedSegments | null): Detection['span'] {
  if (joined === null) return { segment, start: match.start, end: match.end };
  const part = splitEdit(joined, { start: match.start, end: match.end, replacement: '' })[0];
  return part === undefined ? null : { segment: part.segment, start: part.start, end: part.end };
}

/** Scans one growing text with the same core as a whole one. After a block it says the same again. */
class FilterChannel implements ChannelScanner {
  private readonly scan: TextScan;
  private readonly hash: (text: string) => string;
  private readonly checks: number;
  /** What has been found so far, for the trace: the first ones. */
  private readonly matches: Match[] = [];
  private blocked: ChannelProgress | null = null;

  constructor(plan: ScanPlan, hash: (text: string) => string) {
    this.scan = new TextScan(plan);
    this.checks = plan.program.checks;
    this.hash = hash;
  }

  push(text: string, done: boolean): ChannelProgress {
    if (this.blocked !== null) return this.blocked;
    const clusters = this.scan.feed(text, done);
    if (this.scan.overflows) {
      const outcome = { outcome: 'error', error_class: 'too_complex', reason: OVERFLOW } as const;
      return { certainUpTo: this.scan.certainUpTo, edits: editsOf(clusters), detections: NOTHING, outcome };
    }
    if (clusters.length === 0) {
      const { certainUpTo } = this.scan;
      const clean = { certainUpTo, edits: NOTHING, detections: NOTHING, outcome: CLEAN };
      return done && this.matches.length === 0 ? { ...clean, trace: traceOf(this.checks, [], null) } : clean;
    }
    const edits: ChannelProgress['edits'][number][] = [];
    const detections: Detection[] = [];
    for (const cluster of clusters) {
      const span = (match: Match) => ({ segment: 0, start: match.start, end: match.end });
      for (const match of cluster.matches) {
        detections.push(detection(match, span(match), this.hash));
        if (this.matches.length < TRACED) this.matches.push(match);
      }
      if (cluster.block !== null) {
        const outcome = {
          outcome: 'flagged',
          action: stopOf(cluster.block.rule),
          message: message(cluster.block.rule),
        } as const;
        const trace = traceOf(this.checks, this.matches, cluster.block);
        // Repeated calls must not release or report anything twice.
        this.blocked = { certainUpTo: cluster.start, edits: NOTHING, detections: NOTHING, outcome, trace };
        return { certainUpTo: cluster.start, edits, detections, outcome, trace };
      }
      edits.push(...cluster.edits);
    }
    const logged = clusters[0]?.matches[0];
    const outcome: ChannelProgress['outcome'] =
      edits.length > 0 || logged === undefined
        ? { outcome: 'masked' }
        : { outcome: 'flagged', action: 'log', message: message(logged.rule) };
    const trace = traceOf(this.checks, this.matches, null);
    return { certainUpTo: this.scan.certainUpTo, edits, detections, outcome, trace };
  }
}
