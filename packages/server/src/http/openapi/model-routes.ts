import { type DialectName, DIALECTS } from '@portcullis/contract';
import type { DataPlaneOperation } from './data-plane.ts';
import { CALL_REFUSALS } from './refusals.ts';
import type { JsonSchema } from './schemas.ts';

/** What the document says of the routes that call models, by dialect. */
interface Described {
  readonly summary: string;
  /** Members that a request must have, besides what a provider understands. */
  readonly required: Readonly<Record<string, JsonSchema>>;
  readonly answers?: readonly string[];
}

const TEXT: JsonSchema = { type: 'string', minLength: 1 };
const MODEL: JsonSchema = { type: 'string', description: 'A model of GET /v1/models.' };
const STREAM = ['application/json', 'text/event-stream'];
const MESSAGES: JsonSchema = {
  type: 'array',
  minItems: 1,
  items: {
    type: 'object',
    required: ['role', 'content'],
    properties: { role: { type: 'string' }, content: { type: 'string' } },
  },
};
const GUARDED = 'the guardrails of all policies that apply run before, during and after it';
const FILE: JsonSchema = { type: 'string', contentMediaType: 'application/octet-stream' };

const DESCRIBED: Readonly<Record<DialectName, Described>> = {
  'openai-chat': {
    summary: `Calls a model; ${GUARDED}`,
    required: { model: MODEL, messages: MESSAGES },
    answers: STREAM,
  },
  'openai-completions': {
    summary: `Completes a text; ${GUARDED}`,
    required: { model: MODEL, prompt: TEXT },
    answers: STREAM,
  },
  'openai-responses': {
    summary: `Makes a response; ${GUARDED}`,
    required: { model: MODEL, input: TEXT },
    answers: STREAM,
  },
  'anthropic-messages': {
    summary: `Calls a model in Anthropic's dialect; ${GUARDED}`,
    required: { model: MODEL, max_tokens: { type: 'integer' }, messages: MESSAGES },
    answers: STREAM,
  },
  'anthropic-count-tokens': {
    summary: 'Counts the tokens of a message; the guardrails of the request run before it',
    required: { model: MODEL, messages: MESSAGES },
  },
  'openai-embeddings': {
    summary: 'Gives vectors of texts; the guardrails of the request run on the texts',
    required: { model: MODEL, input: TEXT },
  },
  'openai-moderations': {
    summary: 'Asks a moderation model about texts and images',
    required: { input: TEXT },
  },
  'openai-images': {
    summary: 'Makes images; guardrails run on the prompt and on what the model made of it',
    required: { model: MODEL, prompt: TEXT },
  },
  'openai-speech': {
    summary: 'Speaks a text; guardrails run on the text',
    required: { model: MODEL, input: TEXT, voice: TEXT },
    answers: ['audio/*', 'application/octet-stream'],
  },
  'openai-transcriptions': {
    summary: 'Writes down what is spoken; guardrails run on the text that comes out',
    required: { model: MODEL, file: FILE },
    answers: [...STREAM, 'text/*'],
  },
  'openai-translations': {
    summary: 'Writes down in English what is spoken; guardrails run on the text that comes out',
    required: { model: MODEL, file: FILE },
    answers: ['application/json', 'text/*'],
  },
  rerank: {
    summary: 'Orders documents by what they have to do with a query; guardrails run on both',
    required: { model: MODEL, query: TEXT, documents: { type: 'array', minItems: 1, items: TEXT } },
  },
};

/** Members that every call may have; they are the gateway's and are not sent on. */
const OWN: Readonly<Record<string, JsonSchema>> = {
  stream: { type: 'boolean' },
  guardrails: {
    type: 'array',
    items: {},
    description: 'Guardrails to run besides those that the policies ask for.',
  },
  policies: {
    type: 'array',
    items: { type: 'string' },
    description: 'Policies to apply besides those that are attached.',
  },
  litellm_metadata: { type: 'object' },
};

const STORED: readonly (readonly [string, string])[] = [
  [
    'GET /responses/:response_id',
    'Reads a response again; the guardrails of the request that made it run on it',
  ],
  ['DELETE /responses/:response_id', 'Deletes a response that the provider keeps'],
  ['POST /responses/:response_id/cancel', 'Cancels a response that is made in the background'],
];

type Entry = readonly [string, DataPlaneOperation];

/** Every route that calls a model, by method and path. */
export const MODEL_ROUTES: Readonly<Record<string, DataPlaneOperation>> =
  Object.fromEntries<DataPlaneOperation>([
    ...STORED.flatMap(([route, summary]): readonly Entry[] => {
      const refusals = [...CALL_REFUSALS, 'not_found' as const];
      const operation: DataPlaneOperation = { summary, permission: 'any_key', refusals };
      return [
        [route, operation],
        [route.replace(' ', ' /v1'), operation],
      ];
    }),
    ...DIALECTS.flatMap(({ name, path, body }): readonly Entry[] => {
      const { summary, required, answers } = DESCRIBED[name];
      const operation: DataPlaneOperation = {
        summary,
        permission: 'any_key',
        // Every member that a provider understands may be there too, and is sent on.
        body: { type: 'object', required: Object.keys(required), properties: { ...required, ...OWN } },
        ...(body === 'json' ? {} : { bodyType: 'multipart/form-data' }),
        ...(answers === undefined ? {} : { answers }),
        refusals: CALL_REFUSALS,
      };
      return [
        [`POST /v1${path}`, operation],
        [`POST ${path}`, operation],
      ];
    }),
  ]);
