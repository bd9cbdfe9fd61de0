import type { Segment } from '@portcullis/policy';
import type { Detector, Inspection, Ports, Subject } from '../src/guardrail.ts';
import { applyEdits } from '../src/text/edits.ts';
import { contentFilterSchema } from '../src/content-filter/config.ts';
import { contentFilterWith } from '../src/content-filter/index.ts';

/** What the tests of the content filter share. */

export const ports: Ports = {
  clock: { now: () => 0, monotonic: () => 0 },
  http: { send: () => Promise.reject(new Error('the content filter must not use the network')) },
  hash: (text) => `h${text.length}`,
};

/** A filter for these parameters; guardrail and mode are filled in. */
export function filter(params: Readonly<Record<string, unknown>>, folder: string | null = null): Detector {
  const config = contentFilterSchema.parse({
    guardrail: 'litellm_content_filter',
    mode: 'pre_call',
    ...params,
  });
  return contentFilterWith(folder === null ? null : { folder, parseYaml: JSON.parse }).create(config, ports);
}

/** A filter with prebuilt patterns. */
export function prebuilt(names: readonly string[], action: string | null = 'MASK'): Detector {
  return filter({
    patterns: names.map((name) => ({ pattern_type: 'prebuilt', pattern_name: name, action })),
  });
}

export function subject(
  texts: readonly string[],
  join: number | null = null,
  kind: Segment['kind'] = 'user',
): Subject {
  const segments = texts.map(
    (text, index): Segment => ({ path: `/${index}`, kind, role: 'user', text, join, leaf: 'string' }),
  );
  return {
    hook: 'pre_call',
    direction: 'request',
    segments,
    original: segments,
    params: null,
    request: {
      callId: 'c',
      model: null,
      keyHash: null,
      keyAlias: null,
      userId: null,
      userEmail: null,
      teamId: null,
      teamAlias: null,
      endUserId: null,
      organizationId: null,
      headers: {},
      body: null,
    },
  };
}

/** Inspects texts that are one segment each. The filter answers synchronously. */
export function inspect(
  detector: Detector,
  texts: readonly string[],
  join: number | null = null,
): Inspection {
  const answer = detector.inspect(subject(texts, join), new AbortController().signal);
  if (answer instanceof Promise) throw new Error('the content filter must answer synchronously');
  return answer;
}

/** The texts after the filter's edits. */
export function masked(detector: Detector, texts: readonly string[], join: number | null = null): string[] {
  const { edits } = inspect(detector, texts, join);
  return texts.map((text, segment) =>
    applyEdits(
      text,
      edits.filter((edit) => edit.segment === segment),
    ),
  );
}

/** What a channel releases for these pieces, up to a block. */
export function streamed(
  detector: Detector,
  pieces: readonly string[],
): { text: string; blocked: boolean; types: string[] } {
  const scanner = detector.openChannel?.('assistant', 'assistant');
  if (scanner === undefined) throw new Error('the filter cannot scan streams');
  const whole = pieces.join('');
  const types: string[] = [];
  let text = '';
  let released = 0;
  let received = 0;
  const push = (piece: string, done: boolean): boolean => {
    received += piece.length;
    const progress = scanner.push(piece, done);
    if (progress.certainUpTo < released || progress.certainUpTo > received)
      throw new Error('certainUpTo is out of order');
    for (const edit of progress.edits) {
      if (edit.start < released || edit.end > progress.certainUpTo)
        throw new Error('an edit is out of order');
      text += whole.slice(released, edit.start) + edit.replacement;
      released = edit.end;
    }
    text += whole.slice(released, progress.certainUpTo);
    released = progress.certainUpTo;
    types.push(
      ...progress.detections.map((found) => `${found.type}@${found.span?.start}-${found.span?.end}`),
    );
    return progress.outcome.outcome === 'flagged' && progress.outcome.action === 'block';
  };
  for (const piece of pieces) if (push(piece, false)) return { text, blocked: true, types };
  return { blocked: push('', true), text, types };
}
