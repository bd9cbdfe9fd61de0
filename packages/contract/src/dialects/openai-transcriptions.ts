import type { Segment } from '@portcullis/policy';
import type { ErrorBody } from '../errors.ts';
import type { Dialect, Usage } from './dialect.ts';
import { invalid } from './fields.ts';
import { isObject, type JsonObject, type SegmentCollector } from './segments.ts';
import { collectList, simpleDialect } from './simple.ts';
import {
  broken,
  joinJsonText,
  parseEvent,
  type ReleasedText,
  splitJsonText,
  sse,
  type StreamCodec,
  type StreamEvent,
  type TextChannel,
} from './stream.ts';
import { readUsage } from './usage.ts';

// Speech to text: a form with a file on the way in; on the way out JSON, plain text or subtitles, or a stream.

/** Fields of a form are texts, numbers included; what is a number in words carries nothing. */
const NUMBER = /^\d{1,3}(?:\.\d{1,6})?$/;
const LANGUAGE = /^[a-z]{2,3}(?:-[A-Za-z]{2,4})?$/;

function request(into: SegmentCollector, key: string, value: unknown): boolean {
  if (key === 'temperature') return typeof value === 'string' && NUMBER.test(value);
  if (key === 'language') return typeof value === 'string' && LANGUAGE.test(value);
  if (key === 'prompt') into.everything('/prompt', 'user', 'user', value);
  else if (key === 'file' && typeof value === 'string') {
    into.segments.push({ path: '/file', kind: 'audio', role: 'user', text: value, join: null, leaf: 'key' });
  } else return false;
  return true;
}

const SEGMENT_NUMBERS = new Set([
  'id',
  'seek',
  'start',
  'end',
  'temperature',
  'avg_logprob',
  'compression_ratio',
  'no_speech_prob',
]);

function answer(into: SegmentCollector, key: string, value: unknown): boolean {
  if (key === 'task' || key === 'duration')
    return typeof value === 'number' || value === 'transcribe' || value === 'translate';
  if (key === 'text') into.everything('/text', 'assistant', 'assistant', value);
  else if (key === 'segments' || key === 'words') {
    collectList(into, `/${key}`, value, (path, name, item) => {
      if ((name === 'text' || name === 'word') && typeof item === 'string') {
        // Pieces of one text, which is looked at as a whole, too.
        into.text(path, 'assistant', 'assistant', item, key === 'segments' ? 1 : 2);
        return true;
      }
      return SEGMENT_NUMBERS.has(name) && typeof item === 'number';
    });
  } else return false;
  return true;
}

/** Without the numbers of tokens, which are the text once more. */
function guarded(body: JsonObject): JsonObject {
  const { logprobs: _logprobs, ...rest } = body;
  const { segments } = rest;
  if (!Array.isArray(segments)) return rest;
  const without = (item: unknown): unknown => (isObject(item) ? { ...item, tokens: [] } : item);
  return { ...rest, segments: segments.map(without) };
}

const CHANNEL: TextChannel = { key: 'text', kind: 'assistant', role: 'assistant', choice: 0, path: '/text' };

class TranscriptStreamCodec implements StreamCodec {
  readonly dropped = new Set<string>();
  readonly answerId = null;
  #usage: JsonObject | null = null;
  #text = '';
  #grown = false;

  get usage(): Usage | null {
    return this.#usage === null ? null : readUsage(this.#usage);
  }

  decode(data: string): StreamEvent[] {
    if (data === '[DONE]') return [];
    const event = parseEvent(data);
    switch (event['type']) {
      case 'transcript.text.delta':
        if (typeof event['delta'] !== 'string') throw broken('a delta has no text');
        return this.#grow(event['delta']);
      case 'transcript.text.done': {
        if (isObject(event['usage'])) this.#usage = event['usage'];
        const rest = this.#grown || typeof event['text'] !== 'string' ? [] : this.#grow(event['text']);
        return [...rest, { kind: 'finish', keys: [CHANNEL.key], mark: null }, { kind: 'done' }];
      }
      default:
        this.dropped.add(typeof event['type'] === 'string' ? event['type'].slice(0, 64) : 'type');
        return [];
    }
  }

  #grow(text: string): StreamEvent[] {
    this.#grown = true;
    return text === '' ? [] : [{ kind: 'text', channel: CHANNEL, text }];
  }

  encode(pieces: readonly ReleasedText[]): string {
    let out = '';
    for (const { text } of pieces) {
      this.#text += text;
      if (this.#text.length > 16 * 1024 * 1024) throw broken('the answer is too long');
      out += sse({ type: 'transcript.text.delta', delta: text }, 'transcript.text.delta');
    }
    return out;
  }

  finish(): string {
    return '';
  }

  end(): string {
    const usage = this.#usage === null ? {} : { usage: this.#usage };
    return sse({ type: 'transcript.text.done', text: this.#text, ...usage }, 'transcript.text.done');
  }

  blocked(body: ErrorBody): string {
    return failed(body);
  }

  failed(body: ErrorBody): string {
    return failed(body);
  }

  responded(message: string): string {
    return this.encode([{ channel: CHANNEL, text: message }]) + this.end();
  }

  splitArguments(text: string, channel: { readonly path?: string }): Segment[] {
    return splitJsonText(text, channel.path ?? '');
  }

  joinArguments(text: string, leaves: readonly Segment[]): string | null {
    return joinJsonText(text, leaves);
  }
}

function failed(body: ErrorBody): string {
  return sse({ type: 'error', ...body }, 'error');
}

const shared = {
  body: 'multipart',
  answers: { text: true },
  promptField: 'prompt',
  types: {},
  words: {
    response_format: new Set(['json', 'text', 'srt', 'verbose_json', 'vtt', 'diarized_json']),
    stream: new Set(['true', 'false']),
    chunking_strategy: new Set(['auto']),
  },
  check(body: JsonObject) {
    if (body['file'] === undefined) throw invalid('file', 'a file of the form');
  },
  request,
  answerMember: 'text',
  answer,
  guarded,
  softBlock: ({ message }: { readonly message: string }) => ({ text: message }),
} as const;

export const openAiTranscriptions: Dialect = simpleDialect({
  ...shared,
  name: 'openai-transcriptions',
  callType: 'atranscription',
  path: '/audio/transcriptions',
  stream: {
    open: () => new TranscriptStreamCodec(),
    endMarks: [
      '\nevent: transcript.text.done',
      '"type":"transcript.text.done"',
      '"type": "transcript.text.done"',
    ],
    failed,
  },
});

export const openAiTranslations: Dialect = simpleDialect({
  ...shared,
  name: 'openai-translations',
  callType: 'atranscription',
  path: '/audio/translations',
});
