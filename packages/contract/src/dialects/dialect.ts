import type { Segment } from '@portcullis/policy';
import type { ErrorBody } from '../errors.ts';
import type { ControlFields } from './control-fields.ts';
import type { JsonObject } from './segments.ts';
import type { StreamCodec, StreamStart } from './stream.ts';

/** What the gateway has to know of a request, whatever dialect it is in. */
export interface ModelRequest {
  readonly model: string;
  readonly stream: boolean;
  /** Number of answers asked for. */
  readonly choices: number;
  readonly control: ControlFields;
}

/** Token counts of an answer or of the end of a stream, when the provider gave them. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** What the answer of a soft block is made of. */
export interface SoftBlock extends StreamStart {
  readonly message: string;
  readonly usage: Usage | null;
}

export type DialectName =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-embeddings'
  | 'openai-moderations'
  | 'openai-responses'
  | 'openai-images'
  | 'openai-speech'
  | 'openai-transcriptions'
  | 'openai-translations'
  | 'anthropic-messages'
  | 'anthropic-count-tokens'
  | 'rerank';

/**
 * One wire dialect: which leaf of a request or answer is what, how changed ones are put back, how a stream is taken
 * apart and written again, and what an error looks like to its clients. Every leaf is either a segment or one of the
 * three things that are no content (docs/adr/0002).
 */
export interface Dialect {
  readonly name: DialectName;
  /** What the reference calls such a call in its logs. */
  readonly callType: string;
  /** The path below the base URL; the gateway serves it with and without `/v1`. */
  readonly path: string;
  readonly body: 'json' | 'multipart';
  /** Media types of a good answer besides JSON. */
  readonly answers: { readonly text: boolean; readonly binary: boolean };
  /** Whether a provider keeps answers, so that they can be asked for again by their id. */
  readonly keepsAnswers?: boolean;
  /** Whether an answer has tokens of its own that cost money. */
  readonly generates: boolean;
  /** The member of a request that holds what was asked, for the logs. */
  readonly promptField: string;
  /** Prefix of the ids that the gateway gives to answers of its own. */
  readonly idPrefix: string;
  /**
   * Checks what the gateway relies on and reads what is meant for it.
   * @throws PortcullisError `invalid_request` with the field at fault.
   */
  read(body: JsonObject): ModelRequest;
  /** The body without the gateway's own fields. */
  withoutControl(body: JsonObject): Record<string, unknown>;
  /** Every segment of a request as it will be sent, in document order. */
  requestSegments(body: JsonObject): Segment[];
  /**
   * A copy of an answer without what would repeat the text that a mask removed, to be scanned and sent.
   * @throws PortcullisError `upstream_invalid` when the body is no answer of this dialect.
   */
  guardedAnswer(body: unknown): JsonObject;
  answerSegments(body: JsonObject): Segment[];
  usage(body: unknown): Usage | null;
  /** The answer of a soft block; null where an answer holds no text that could be it: then it is a block. */
  softBlock(answer: SoftBlock): JsonObject | null;
  /** The error as the dialect's clients read it. */
  errorBody(body: ErrorBody, status: number, callId: string): unknown;
  /** Null when the dialect has no streams. */
  readonly stream: StreamDialect | null;
}

export interface StreamDialect {
  open(start: StreamStart): StreamCodec;
  /**
   * What marks that a stream is complete, as it stands in the raw bytes. None of it can stand in a text of the answer,
   * because quotes and line ends are escaped there.
   */
  readonly endMarks: readonly string[];
  /** The events that tell of a fault at the end of a stream of which nothing else is known. */
  failed(body: ErrorBody, status: number): string;
}
