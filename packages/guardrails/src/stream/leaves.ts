import type { Segment } from '@portcullis/policy';
import type { ArgumentsCodec, StreamChannel } from '../hook.ts';

/** Where a channel's text is in the whole answer. */
export const pathOf = (channel: StreamChannel): string => channel.path ?? `/${channel.key}`;

/** The text of one channel as leaves, with the way back. */
export interface ChannelLeaves {
  readonly segments: readonly Segment[];
  /** The text with these leaves in place of its own; null when it cannot be written. */
  readonly textWith: (leaves: readonly Segment[]) => string | null;
  /** The text could not be taken apart: nobody can judge it (E1 `too_complex`). */
  readonly unreadable: boolean;
}

/** Takes a complete channel apart: the arguments of a tool call into their leaves, anything else into one (E8). */
export function leavesOf(
  channel: StreamChannel,
  text: string,
  codec: ArgumentsCodec | undefined,
): ChannelLeaves {
  const whole: Segment = {
    path: pathOf(channel),
    kind: channel.kind,
    role: channel.role,
    text,
    join: channel.join ?? null,
    leaf: 'string',
  };
  const asOne = (unreadable: boolean): ChannelLeaves => ({
    segments: [whole],
    textWith: (leaves) => leaves[0]?.text ?? null,
    unreadable,
  });
  if (channel.kind !== 'tool_args' || codec === undefined) return asOne(false);
  try {
    const segments = codec.splitArguments(text, channel);
    const textWith = (leaves: readonly Segment[]) => {
      try {
        return codec.joinArguments(text, leaves);
      } catch {
        // A text that cannot be written is undeliverable, for whatever reason.
        return null;
      }
    };
    return { segments, textWith, unreadable: false };
  } catch {
    return asOne(true);
  }
}
