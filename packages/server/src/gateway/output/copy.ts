import type { Dialect, StreamCodec, TextChannel } from '@portcullis/contract';
import type { Segment } from '@portcullis/policy';
import { type AnswerForm, answerSegments, parseAnswer } from './form.ts';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { SseReader } from '../sse.ts';

const MAX_CHOICES = 128;

/**
 * A copy of the bytes that a caller got, for runs that only watch. It is read after the answer is complete, so that
 * watching changes neither the bytes nor their time.
 */
export class AnswerCopy {
  readonly #dialect: Dialect;
  readonly #form: AnswerForm | 'stream';
  readonly #limit: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(dialect: Dialect, form: AnswerForm | 'stream', limitBytes: number) {
    this.#dialect = dialect;
    this.#form = form;
    this.#limit = limitBytes;
  }

  add(bytes: Buffer): void {
    this.#size += bytes.length;
    if (this.#size <= this.#limit) this.#chunks.push(bytes);
  }

  /** The segments of the answer as far as it can be read; none of what cannot. */
  segments(encoding: string): readonly Segment[] {
    try {
      const bytes = decompressed(Buffer.concat(this.#chunks), encoding, this.#limit);
      const dialect = this.#dialect;
      const form = this.#form;
      return form === 'stream'
        ? streamSegments(dialect, bytes)
        : answerSegments(parseAnswer(bytes, form, dialect), form, dialect);
    } catch {
      return []; // The caller got the very same bytes; that they are no answer is not for a watcher to judge.
    }
  }
}

function decompressed(bytes: Buffer, encoding: string, maxOutputLength: number): Buffer {
  switch (encoding.toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(bytes, { maxOutputLength });
    case 'br':
      return brotliDecompressSync(bytes, { maxOutputLength });
    case 'deflate':
      return inflateSync(bytes, { maxOutputLength });
    default:
      return bytes;
  }
}

function streamSegments(dialect: Dialect, bytes: Buffer): readonly Segment[] {
  const codec = dialect.stream?.open({ id: '', model: '', createdSeconds: 0, maxChoices: MAX_CHOICES });
  if (codec === undefined) return [];
  const channels = new Map<string, TextChannel>();
  const texts = new Map<string, string>();
  for (const data of new SseReader().push(bytes)) {
    for (const event of codec.decode(data)) {
      if (event.kind !== 'text') continue;
      const { key } = event.channel;
      channels.set(key, event.channel);
      texts.set(key, (texts.get(key) ?? '') + event.text);
    }
  }
  return channelSegments(codec, channels, texts);
}

/** The whole texts of channels as the segments that the same answer would have had in one piece. */
export function channelSegments(
  codec: Pick<StreamCodec, 'splitArguments'>,
  channels: ReadonlyMap<string, TextChannel>,
  texts: ReadonlyMap<string, string>,
): readonly Segment[] {
  const segments: Segment[] = [];
  for (const [key, channel] of channels) {
    const text = texts.get(key);
    if (text === undefined || text === '') continue;
    const { path, kind, role } = channel;
    if (kind === 'tool_args') {
      segments.push(...codec.splitArguments(text, channel));
    } else {
      segments.push({ path, kind, role, text, join: null, leaf: 'string' });
    }
  }
  return segments;
}
