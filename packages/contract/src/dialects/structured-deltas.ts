import type { ContentKind, Segment } from '@portcullis/policy';
import { lookup, SegmentCollector } from './segments.ts';
import { joinJsonText } from './stream.ts';

// Deltas of a streamed chat answer that are objects or lists. Their texts may come in pieces, one in each delta (the
// transcript of a sound, the details of reasoning), so that all deltas of one field are judged together, when the choice
// is complete: each as it is, and the texts of one name joined. One line of JSON for each.

const KINDS = lookup<ContentKind>({
  reasoning_details: 'reasoning',
  thinking_blocks: 'reasoning',
  audio: 'assistant',
  annotations: 'assistant',
});

const JOINED = '#~joined';

export function writeDelta(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

export function readDeltas(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** The leaves of all deltas of the field at `path`, and the texts of one name joined, which cannot be replaced. */
export function structuredSegments(text: string, path: string): Segment[] {
  const field = path.slice(path.lastIndexOf('/') + 1);
  const kindOf = (leaf: Segment): ContentKind =>
    field === 'audio' && leaf.path.endsWith('/data') ? 'audio' : (KINDS[field] ?? 'other');
  const segments = readDeltas(text).flatMap((line, index) => {
    const into = new SegmentCollector();
    into.jsonText(`${path}/${index}`, 'other', 'assistant', line);
    return into.segments.map((leaf) => ({ ...leaf, kind: kindOf(leaf) }));
  });
  return [...segments, ...joined(segments, path)];
}

function joined(segments: readonly Segment[], path: string): Segment[] {
  const byName = new Map<string, { text: string; count: number; first: Segment }>();
  for (const segment of segments) {
    if (segment.leaf !== 'string') continue;
    const name = segment.path.slice(segment.path.lastIndexOf('/') + 1);
    const known = byName.get(name);
    if (known === undefined) byName.set(name, { text: segment.text, count: 1, first: segment });
    else {
      known.text += segment.text;
      known.count += 1;
    }
  }
  return [...byName.values()]
    .filter(({ count }) => count > 1)
    .map(({ text, first }) => ({ ...first, path: path + JOINED, text, leaf: 'key' as const }));
}

/** Whether these are the leaves of {@link structuredSegments}. */
export function isStructured(leaves: readonly Segment[]): boolean {
  return leaves.some(({ path }) => /\/\d+#/.test(path));
}

/** The deltas with their leaves replaced; null when one cannot be, or when only the joined text shows what is to go. */
export function joinStructured(text: string, leaves: readonly Segment[]): string | null {
  const path = (leaves.find((leaf) => /\/\d+#/.test(leaf.path))?.path ?? '').replace(/\/\d+#.*$/su, '');
  const before = structuredSegments(text, path);
  if (before.length !== leaves.length) return null;
  const isKept = before.every((was, at) => was.leaf !== 'key' || leaves[at]?.text === was.text);
  if (!isKept) return null;
  let out = '';
  for (const [index, line] of readDeltas(text).entries()) {
    const own = leaves.filter((leaf) => leaf.path.startsWith(`${path}/${index}#`));
    const written = joinJsonText(line, own);
    if (written === null) return null;
    out += `${written}\n`;
  }
  return out;
}
