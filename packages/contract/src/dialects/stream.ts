import type { ContentKind, Segment } from '@portcullis/policy';
import { type ErrorBody, PortcullisError } from '../errors.ts';
import type { Usage } from './dialect.ts';
import { isObject, type JsonObject, rewriteJsonText, SegmentCollector, withSegments } from './segments.ts';

/** What an answer says of itself until the provider has said it. */
export interface StreamStart {
  readonly id: string;
  readonly model: string;
  readonly createdSeconds: number;
  readonly maxChoices: number;
}

/**
 * A text of a streamed answer that grows on its own, in the shape of the stream gate's channels. Kind `tool_args` means
 * that the text is taken apart by {@link StreamCodec.splitArguments} when it is complete, and only then let go.
 */
export interface TextChannel {
  readonly key: string;
  readonly kind: ContentKind;
  readonly role: string | null;
  readonly choice: number;
  readonly path: string;
  readonly join?: number;
}

export type StreamEvent =
  | { readonly kind: 'text'; readonly channel: TextChannel; readonly text: string }
  /** These channels are complete: end them, then write {@link StreamCodec.finish} of the mark, when there is one. */
  | { readonly kind: 'finish'; readonly keys: readonly string[]; readonly mark: number | null }
  | { readonly kind: 'done' };

/** A text that was let go, for the channel of this key. */
export interface ReleasedText {
  readonly channel: { readonly key: string };
  readonly text: string;
}

/**
 * Takes the events of a stream apart into channels and writes released text as events again. Only text that was
 * released is ever written; the start of an answer goes out with the first of it, so that a block before any text is
 * still a plain 400. What nobody scanned is left out, and `dropped` names it.
 */
export interface StreamCodec {
  readonly dropped: ReadonlySet<string>;
  readonly usage: Usage | null;
  /** The provider's id of the answer, once it is known. */
  readonly answerId: string | null;
  /**
   * Reads the data of one server-sent event.
   * @throws PortcullisError `upstream_invalid` for what is no event, `upstream_rejected` for an error of the provider.
   */
  decode(data: string): StreamEvent[];
  /** Released pieces as server-sent events. */
  encode(pieces: readonly ReleasedText[]): string;
  /** What ends a part of the answer, after its channels were ended and their text written. */
  finish(mark: number): string;
  /** What ends a complete answer. */
  end(): string;
  /** A block in the middle: everything open ends as filtered, then the error, then the end. */
  blocked(body: ErrorBody): string;
  /** A fault in the middle: the error and the end; nothing claims to be complete. */
  failed(body: ErrorBody, status: number): string;
  /** A soft block: the message as the answer. Also for a stream that has not begun. */
  responded(message: string): string;
  /** The leaves of a complete structured text. A throw means that it cannot be judged. */
  splitArguments(text: string, channel: { readonly key?: string; readonly path?: string }): Segment[];
  /** The text with its leaves replaced (same leaves, same order), or null when that cannot be written. */
  joinArguments(text: string, leaves: readonly Segment[]): string | null;
}

/**
 * Released pieces as `write` writes each for the place of its channel; nothing for an empty one.
 * @throws Error for a channel without a place: only what was opened can have been scanned.
 */
export function writeReleased<Target>(
  pieces: readonly ReleasedText[],
  targets: ReadonlyMap<string, Target>,
  write: (target: Target, text: string) => string,
): string {
  let out = '';
  for (const { channel, text } of pieces) {
    const target = targets.get(channel.key);
    if (target === undefined) throw new Error('text of a channel that was never opened');
    if (text !== '') out += write(target, text);
  }
  return out;
}

/** How JSON in a text is taken apart and put together again; for every dialect. */
export function splitJsonText(text: string, path: string): Segment[] {
  const into = new SegmentCollector();
  into.jsonText(path, 'tool_args', 'assistant', text);
  return into.segments;
}

/** The other way; null when a key or another leaf that cannot hold a text was changed. */
export function joinJsonText(text: string, leaves: readonly Segment[]): string | null {
  const before = splitJsonText(text, '');
  if (before.length !== leaves.length) return null;
  for (const [index, was] of before.entries()) {
    if (was.leaf === 'key' && leaves[index]?.text !== was.text) return null;
  }
  return rewriteJsonText(text, before, leaves);
}

/** One server-sent event; `event` names it, where the dialect names events. */
export function sse(data: unknown, event?: string): string {
  const name = event === undefined ? '' : `event: ${event}\n`;
  return `${name}data: ${JSON.stringify(data)}\n\n`;
}

/** A stream that breaks the rules of its dialect. */
export function broken(what: string): PortcullisError {
  return new PortcullisError('upstream_invalid', `The provider's stream is broken: ${what}.`);
}

/**
 * The object that an event holds.
 * @throws PortcullisError `upstream_invalid` for what is no object, `upstream_rejected` for an error object.
 */
export function parseEvent(data: string): JsonObject {
  let event: unknown;
  try {
    event = JSON.parse(data);
  } catch (cause) {
    const message = "The provider's stream is broken: an event is not JSON.";
    throw new PortcullisError('upstream_invalid', message, { cause });
  }
  if (!isObject(event)) throw broken('an event is no object');
  if (event['error'] !== undefined && event['error'] !== null) {
    throw new PortcullisError('upstream_rejected', 'The provider ended its stream with an error.');
  }
  return event;
}

/**
 * {@link joinJsonText}, for dialects that also judge objects that come whole: `segmentsOf` gives the leaves of such an
 * object with paths that begin at its root.
 */
export function joinWhole(
  text: string,
  leaves: readonly Segment[],
  segmentsOf: (value: JsonObject) => readonly Segment[],
): string | null {
  let value: unknown = null;
  // Leaves inside a JSON text have a `#` in front of their place in it; those of an object have none.
  if (leaves.some(({ path }) => !path.includes('#'))) {
    try {
      value = JSON.parse(text);
    } catch {
      value = null; // A name, or arguments that are no JSON.
    }
  }
  if (!isObject(value)) return joinJsonText(text, leaves);
  const before = segmentsOf(value);
  if (before.length !== leaves.length) return null;
  const after = before.map((segment, index) => ({ ...segment, text: leaves[index]?.text ?? segment.text }));
  const rewritten = withSegments(value, before, after);
  return rewritten.ok ? JSON.stringify(rewritten.body) : null;
}
