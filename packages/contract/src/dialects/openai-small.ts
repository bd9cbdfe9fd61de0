import type { Dialect } from './dialect.ts';
import { invalid } from './fields.ts';
import { isObject, type JsonObject, type SegmentCollector } from './segments.ts';
import { collectList, isText, simpleDialect } from './simple.ts';
import { collectPrompt } from './tokens.ts';

// The dialects of OpenAI whose request and answer are small: embeddings, moderations, images, speech; and rerank.

function requireInput(body: JsonObject, name: string): void {
  const value = body[name];
  if (isText(value) || (Array.isArray(value) && value.length > 0)) return;
  throw invalid(name, 'a non-empty text or list');
}

function requireText(body: JsonObject, name: string): void {
  if (!isText(body[name])) throw invalid(name, 'a non-empty string');
}

/** A vector says nothing that a text detector could read: numbers, or their bytes. */
const VECTOR = /^[A-Za-z0-9+/]*={0,2}$/;
function isVector(value: unknown): boolean {
  if (typeof value === 'string') return VECTOR.test(value);
  return Array.isArray(value) && value.every((item) => typeof item === 'number' || isVector(item));
}

export const openAiEmbeddings: Dialect = simpleDialect({
  name: 'openai-embeddings',
  callType: 'aembedding',
  path: '/embeddings',
  promptField: 'input',
  types: { dimensions: 'integer' },
  words: { encoding_format: new Set(['float', 'base64']) },
  check: (body) => requireInput(body, 'input'),
  request(into, key, value) {
    if (key !== 'input') return false;
    collectPrompt(into, '/input', 'embeddings', value);
    return true;
  },
  answerMember: 'data',
  answer(into, key, value) {
    if (key !== 'data') return false;
    collectList(into, '/data', value, (_path, name, item) =>
      name === 'object'
        ? item === 'embedding'
        : name === 'index'
          ? Number.isInteger(item)
          : name === 'embedding' && isVector(item),
    );
    return true;
  },
});

const SCORES = new Set(['flagged', 'categories', 'category_scores', 'category_applied_input_types']);

function collectModerated(into: SegmentCollector, value: unknown): void {
  if (!Array.isArray(value)) {
    into.everything('/input', 'user', 'user', value);
    return;
  }
  value.forEach((part: unknown, index) => {
    const at = `/input/${index}`;
    if (!isObject(part)) {
      into.everything(at, 'user', 'user', part);
      return;
    }
    for (const key of Object.keys(part)) {
      const item = part[key];
      if (key === 'text') into.everything(`${at}/text`, 'user', 'user', item);
      else into.member(at, key === 'image_url' ? 'images' : 'other', 'user', key, item);
    }
  });
}

/** Words and numbers of the provider about a text; names of categories are fixed by the provider. */
function isScores(value: unknown): boolean {
  return (
    typeof value === 'boolean' ||
    (isObject(value) &&
      Object.entries(value).every(
        ([name, item]) =>
          /^[\w/ -]{1,64}$/.test(name) &&
          (typeof item === 'number' ||
            typeof item === 'boolean' ||
            item === null ||
            (Array.isArray(item) && item.every((type) => type === 'text' || type === 'image'))),
      ))
  );
}

export const openAiModerations: Dialect = simpleDialect({
  name: 'openai-moderations',
  callType: 'amoderation',
  path: '/moderations',
  promptField: 'input',
  defaultModel: 'omni-moderation-latest',
  types: {},
  check: (body) => requireInput(body, 'input'),
  request(into, key, value) {
    if (key !== 'input') return false;
    collectModerated(into, value);
    return true;
  },
  answerMember: 'results',
  answer(into, key, value) {
    if (key !== 'results') return false;
    collectList(into, '/results', value, (_path, name, item) => SCORES.has(name) && isScores(item));
    return true;
  },
});

export const rerank: Dialect = simpleDialect({
  name: 'rerank',
  callType: 'arerank',
  path: '/rerank',
  promptField: 'query',
  types: {
    top_n: 'integer',
    return_documents: 'boolean',
    max_chunks_per_doc: 'integer',
    max_tokens_per_doc: 'integer',
  },
  check(body) {
    requireText(body, 'query');
    requireInput(body, 'documents');
  },
  request(into, key, value) {
    if (key !== 'query' && key !== 'documents') return false;
    into.everything(`/${key}`, 'user', 'user', value);
    return true;
  },
  answerMember: 'results',
  answer(into, key, value) {
    if (key === 'meta' && isObject(value)) {
      into.everything('/meta', 'other', null, withoutNumbers(value));
      return true;
    }
    if (key !== 'results') return false;
    collectList(into, '/results', value, (path, name, item) => {
      if (name === 'index' || name === 'relevance_score') return typeof item === 'number';
      if (name === 'document') into.everything(path, 'assistant', 'assistant', item);
      return name === 'document';
    });
    return true;
  },
});

/** Counters that the provider writes about a call. */
function withoutNumbers(value: JsonObject): unknown {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => typeof item !== 'number')
      .map(([key, item]) => [key, isObject(item) ? withoutNumbers(item) : item]),
  );
}

const IMAGE_PROTOCOL = new Set(['size', 'quality', 'background', 'output_format']);

export const openAiImages: Dialect = simpleDialect({
  name: 'openai-images',
  callType: 'aimage_generation',
  path: '/images/generations',
  promptField: 'prompt',
  types: { n: 'integer', output_compression: 'integer', partial_images: 'integer', stream: 'boolean' },
  words: {
    size: new Set([
      'auto',
      '256x256',
      '512x512',
      '1024x1024',
      '1536x1024',
      '1024x1536',
      '1792x1024',
      '1024x1792',
    ]),
    quality: new Set(['auto', 'low', 'medium', 'high', 'standard', 'hd']),
    response_format: new Set(['url', 'b64_json']),
    style: new Set(['vivid', 'natural']),
    background: new Set(['auto', 'transparent', 'opaque']),
    moderation: new Set(['auto', 'low']),
    output_format: new Set(['png', 'jpeg', 'webp']),
  },
  check: (body) => requireText(body, 'prompt'),
  request(into, key, value) {
    if (key !== 'prompt') return false;
    into.everything('/prompt', 'user', 'user', value);
    return true;
  },
  answerMember: 'data',
  answer(into, key, value) {
    if (IMAGE_PROTOCOL.has(key)) return typeof value === 'string' && /^[\w]{1,16}$/.test(value);
    if (key !== 'data') return false;
    collectList(into, '/data', value, (path, name, item) => {
      if (name === 'revised_prompt') into.everything(path, 'assistant', 'assistant', item);
      else if (name === 'url' || name === 'b64_json') into.everything(path, 'images', 'assistant', item);
      else return false;
      return true;
    });
    return true;
  },
});

const VOICES = 'alloy ash ballad coral echo fable nova onyx sage shimmer verse marin cedar';

export const openAiSpeech: Dialect = simpleDialect({
  name: 'openai-speech',
  callType: 'aspeech',
  path: '/audio/speech',
  promptField: 'input',
  answers: { binary: true },
  types: { speed: 'number' },
  words: {
    voice: new Set(VOICES.split(' ')),
    response_format: new Set(['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']),
    stream_format: new Set(['audio']),
  },
  check(body) {
    requireText(body, 'input');
    if (body['stream_format'] === 'sse') throw invalid('stream_format', '"audio" on this gateway');
  },
  request(into, key, value) {
    if (key !== 'input' && key !== 'instructions') return false;
    into.everything(`/${key}`, key === 'input' ? 'user' : 'system', 'user', value);
    return true;
  },
  answerMember: null,
  answer: () => false,
});
