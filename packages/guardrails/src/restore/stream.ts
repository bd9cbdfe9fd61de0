import type { ArgumentsCodec, StreamChannel, StreamPiece } from '../hook.ts';
import { leavesOf } from '../stream/leaves.ts';
import type { RestoredText, Restorer } from './restorer.ts';

/**
 * Puts the masked values of a request back into its streamed answer, behind the gate: what guardrails judge, and what is
 * stored, is the answer with its placeholders. Texts leave as they come but for a partly received placeholder; the
 * arguments of a tool call leave when they are complete, because a value has to be written into JSON.
 */
export class RestoringStream {
  readonly #restorer: Restorer;
  readonly #codec: ArgumentsCodec | undefined;
  readonly #limit: number;
  readonly #texts = new Map<string, { readonly channel: StreamChannel; readonly text: RestoredText }>();
  readonly #arguments = new Map<string, { readonly channel: StreamChannel; text: string }>();
  /** Arguments that outgrew the limit: they leave with their placeholders. */
  readonly #passing = new Set<string>();

  /** @param limitChars UTF-16 units of the arguments of one tool call that are held back at most. */
  constructor(restorer: Restorer, codec: ArgumentsCodec | undefined, limitChars: number) {
    this.#restorer = restorer;
    this.#codec = codec;
    this.#limit = limitChars;
  }

  /** Takes pieces that the gate released and gives those that may be sent now. */
  push(pieces: readonly StreamPiece[]): readonly StreamPiece[] {
    const out: StreamPiece[] = [];
    for (const { channel, text } of pieces) {
      const ready = channel.kind === 'tool_args' ? this.#collect(channel, text) : this.#next(channel, text);
      if (ready !== '') out.push({ channel, text: ready });
    }
    return out;
  }

  /** The channel is complete: gives what was held back of it. */
  endChannel(key: string): readonly StreamPiece[] {
    const held = this.#arguments.get(key);
    if (held !== undefined) {
      this.#arguments.delete(key);
      return [{ channel: held.channel, text: this.#written(held.channel, held.text) }];
    }
    const open = this.#texts.get(key);
    this.#texts.delete(key);
    const text = open?.text.push('', true) ?? '';
    return open === undefined || text === '' ? [] : [{ channel: open.channel, text }];
  }

  /** The answer is complete: gives everything that was held back. */
  end(): readonly StreamPiece[] {
    return [...this.#texts.keys(), ...this.#arguments.keys()].flatMap((key) => this.endChannel(key));
  }

  #next(channel: StreamChannel, text: string): string {
    let open = this.#texts.get(channel.key);
    if (open === undefined) {
      open = { channel, text: this.#restorer.openText() };
      this.#texts.set(channel.key, open);
    }
    return open.text.push(text, false);
  }

  #collect(channel: StreamChannel, text: string): string {
    if (this.#passing.has(channel.key)) return text;
    const held = this.#arguments.get(channel.key) ?? { channel, text: '' };
    held.text += text;
    this.#arguments.set(channel.key, held);
    if (held.text.length <= this.#limit) return '';
    this.#arguments.delete(channel.key);
    this.#passing.add(channel.key);
    return held.text;
  }

  /** The arguments with their leaves put back; as they are when they are no JSON, or cannot be written. */
  #written(channel: StreamChannel, text: string): string {
    const leaves = leavesOf(channel, text, this.#codec);
    if (leaves.unreadable) return text;
    const restored = this.#restorer.restoreSegments(leaves.segments);
    return restored === leaves.segments ? text : (leaves.textWith(restored) ?? text);
  }
}
