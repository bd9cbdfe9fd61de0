// The content of every dialect, kind by kind, for the enforcement matrix: where a text can stand in a request or answer.

/** What every guardrail of the matrix looks for. */
export const MARKER = 'PRJ-482913';

/** One row: a place in a request or an answer where content of one kind can stand. */
export interface Row {
  readonly id: string;
  /** Below the base URL. */
  readonly path: string;
  readonly stream: boolean;
  readonly direction: 'in' | 'out';
  /** The content kind, with what it is where that matters. */
  readonly kind: string;
  /** The body of the request, without its model. */
  readonly request: Readonly<Record<string, unknown>>;
  /** The body that the provider answers; events for a stream. */
  readonly answer: Answer;
}

export type Answer =
  | { readonly json: unknown }
  | { readonly events: readonly unknown[]; readonly done: boolean }
  | { readonly bytes: string; readonly type: string }
  | { readonly status: number; readonly json: unknown };

type Body = Readonly<Record<string, unknown>>;

const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
const FILE = 'data:application/pdf;base64,JVBERi0xLjQK';

// ── Chat completions ────────────────────────────────────────────────────────────────────────────────────────────────

const user = { role: 'user', content: 'Hi' };
const chat = (...messages: readonly unknown[]): Body => ({ messages });
const call = (args: string): unknown => ({
  id: 'call_1',
  type: 'function',
  function: { name: 'send', arguments: args },
});
const part = (value: unknown): Body =>
  chat({ role: 'user', content: [{ type: 'text', text: 'look' }, value] });

const CHAT_IN: Readonly<Record<string, Body>> = {
  user: chat({ role: 'user', content: MARKER }),
  'user (part)': part({ type: 'text', text: MARKER }),
  system: chat({ role: 'system', content: MARKER }, user),
  'system (developer)': chat({ role: 'developer', content: MARKER }, user),
  assistant: chat(user, { role: 'assistant', content: MARKER }, user),
  tool_args: chat(user, { role: 'assistant', content: null, tool_calls: [call(`{"to":"${MARKER}"}`)] }),
  'tool_args (key)': chat(user, { role: 'assistant', content: null, tool_calls: [call(`{"${MARKER}":1}`)] }),
  tool_result: chat(user, { role: 'tool', tool_call_id: 'call_1', content: MARKER }),
  tool_defs: {
    ...chat(user),
    tools: [{ type: 'function', function: { name: 'f', description: MARKER, parameters: {} } }],
  },
  reasoning: chat(user, { role: 'assistant', content: 'x', reasoning_content: MARKER }),
  refusal: chat(user, { role: 'assistant', content: null, refusal: MARKER }),
  'images (URL)': part({ type: 'image_url', image_url: { url: `https://x.example/${MARKER}.png` } }),
  'images (data)': part({ type: 'image_url', image_url: { url: `data:image/png;base64,${MARKER}` } }),
  audio: part({ type: 'input_audio', input_audio: { data: MARKER, format: 'wav' } }),
  files: part({ type: 'file', file: { filename: 'a.pdf', file_data: `${FILE}${MARKER}` } }),
  'other (unknown field)': { ...chat(user), odd: { inner: MARKER } },
  'other (structured output)': {
    ...chat(user),
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { description: MARKER } } },
  },
};

const completion = (message: Body): Answer => ({
  json: {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: 'stop' }],
    usage,
  },
});
const CHAT_OUT: Readonly<Record<string, Body>> = {
  assistant: { content: MARKER },
  reasoning: { reasoning_content: MARKER },
  refusal: { refusal: MARKER },
  tool_args: { tool_calls: [call(`{"to":"${MARKER}"}`)] },
  'tool_args (no JSON)': { tool_calls: [call(`{"to":"${MARKER}`)] },
  'other (unknown field)': { odd: MARKER },
};

const chunk = (delta: Body, finish_reason: string | null = null): Body => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason }],
});
const [head, tail] = [MARKER.slice(0, 5), MARKER.slice(5)];
const chatStream = (...deltas: readonly Body[]): Answer => ({
  events: [
    chunk({ role: 'assistant', content: '' }),
    ...deltas.map((delta) => chunk(delta)),
    chunk({}, 'stop'),
  ],
  done: true,
});
const args = (text: string, start = false): Body => ({
  tool_calls: [
    {
      index: 0,
      ...(start ? { id: 'call_1', type: 'function' } : {}),
      function: { ...(start ? { name: 'f' } : {}), arguments: text },
    },
  ],
});
const CHAT_STREAM: Readonly<Record<string, Answer>> = {
  assistant: chatStream({ content: head }, { content: tail }),
  reasoning: chatStream({ reasoning_content: head }, { reasoning_content: tail }),
  refusal: chatStream({ refusal: head }, { refusal: tail }),
  'reasoning (details)': chatStream(
    { reasoning_details: [{ type: 'reasoning.text', text: head }] },
    { reasoning_details: [{ type: 'reasoning.text', text: tail }] },
  ),
  'assistant (transcript)': chatStream({ audio: { transcript: head } }, { audio: { transcript: tail } }),
  tool_args: chatStream(args('{"to":"', true), args(head), args(`${tail}"}`)),
  'tool_args (never closed)': chatStream(args('{"to":"', true), args(head), args(tail)),
  'other (unknown field)': chatStream({ odd: head }, { odd: tail }),
};

// ── Responses ───────────────────────────────────────────────────────────────────────────────────────────────────────

const ask = { role: 'user', content: 'Hi' };
const input = (...items: readonly unknown[]): Body => ({ input: items });
const inputPart = (value: unknown): Body => input({ role: 'user', content: [value] });
const RESPONSES_IN: Readonly<Record<string, Body>> = {
  user: { input: MARKER },
  'user (part)': inputPart({ type: 'input_text', text: MARKER }),
  system: { input: 'Hi', instructions: MARKER },
  tool_defs: { input: 'Hi', tools: [{ type: 'function', name: 'f', description: MARKER, parameters: {} }] },
  tool_args: input(ask, {
    type: 'function_call',
    call_id: 'call_1',
    name: 'f',
    arguments: `{"a":"${MARKER}"}`,
  }),
  tool_result: input(ask, { type: 'function_call_output', call_id: 'call_1', output: MARKER }),
  reasoning: input(ask, { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: MARKER }] }),
  'images (URL)': inputPart({ type: 'input_image', image_url: `https://x.example/${MARKER}.png` }),
  'images (data)': inputPart({ type: 'input_image', image_url: `data:image/png;base64,${MARKER}` }),
  files: inputPart({ type: 'input_file', filename: 'a.pdf', file_data: `${FILE}${MARKER}` }),
  'other (unknown field)': { input: 'Hi', odd: MARKER },
};

const responseOf = (output: readonly unknown[], status = 'completed'): Body => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status,
  model: 'm',
  output,
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
});
const messageItem = (...content: readonly unknown[]): Body => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content,
});
const RESPONSES_OUT: Readonly<Record<string, Body>> = {
  assistant: messageItem({ type: 'output_text', text: MARKER, annotations: [] }),
  refusal: messageItem({ type: 'refusal', refusal: MARKER }),
  reasoning: { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: MARKER }] },
  tool_args: {
    id: 'fc_1',
    type: 'function_call',
    call_id: 'call_1',
    name: 'f',
    arguments: `{"a":"${MARKER}"}`,
  },
  tool_result: {
    id: 'mcp_1',
    type: 'mcp_call',
    name: 'f',
    server_label: 's',
    arguments: '{}',
    output: MARKER,
  },
  images: { id: 'ig_1', type: 'image_generation_call', status: 'completed', result: MARKER },
  'other (unknown item)': { id: 'od_1', type: 'odd', text: MARKER },
};

/** The events of one item: its text in pieces where the dialect has events for it. */
function itemEvents(item: Body): readonly Body[] {
  const of = (type: string, rest: Body): Body => ({ type: `response.${type}`, output_index: 0, ...rest });
  const at = { item_id: item['id'], content_index: 0 };
  const start = of('output_item.added', {
    item: { ...item, content: [], summary: [], arguments: '', output: null, result: null, text: null },
  });
  const middle: Readonly<Record<string, readonly Body[]>> = {
    output_text: [head, tail].map((delta) => of('output_text.delta', { ...at, delta })),
    refusal: [head, tail].map((delta) => of('refusal.delta', { ...at, delta })),
    reasoning: [head, tail].map((delta) =>
      of('reasoning_summary_text.delta', { item_id: item['id'], summary_index: 0, delta }),
    ),
    function_call: ['{"a":"', head, `${tail}"}`].map((delta) =>
      of('function_call_arguments.delta', { item_id: item['id'], delta }),
    ),
  };
  const content = item['content'] as readonly { readonly type: string }[] | undefined;
  const type = content?.[0]?.type ?? String(item['type']);
  return [start, ...(middle[type] ?? []), of('output_item.done', { item })];
}

const responsesStream = (item: Body): Answer => ({
  events: [
    { type: 'response.created', response: responseOf([], 'in_progress') },
    ...itemEvents(item),
    { type: 'response.completed', response: responseOf([item]) },
  ],
  done: false,
});

// ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────

const messages = (...list: readonly unknown[]): Body => ({ max_tokens: 16, messages: list });
const block = (value: unknown): Body => messages({ role: 'user', content: [value] });
const MESSAGES_IN: Readonly<Record<string, Body>> = {
  user: messages({ role: 'user', content: MARKER }),
  'user (block)': block({ type: 'text', text: MARKER }),
  'user (document)': block({
    type: 'document',
    source: { type: 'text', media_type: 'text/plain', data: MARKER },
  }),
  system: { ...messages(user), system: [{ type: 'text', text: MARKER }] },
  assistant: messages(user, { role: 'assistant', content: MARKER }),
  tool_args: messages(user, {
    role: 'assistant',
    content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: MARKER } }],
  }),
  tool_result: block({
    type: 'tool_result',
    tool_use_id: 'toolu_1',
    content: [{ type: 'text', text: MARKER }],
  }),
  tool_defs: {
    ...messages(user),
    tools: [{ name: 'f', description: MARKER, input_schema: { type: 'object' } }],
  },
  reasoning: messages(user, {
    role: 'assistant',
    content: [{ type: 'thinking', thinking: MARKER, signature: '' }],
  }),
  'images (URL)': block({ type: 'image', source: { type: 'url', url: `https://x.example/${MARKER}.png` } }),
  'images (data)': block({
    type: 'image',
    source: { type: 'base64', media_type: 'image/png', data: MARKER },
  }),
  files: block({
    type: 'document',
    source: { type: 'base64', media_type: 'application/pdf', data: `JVBERi0${MARKER}` },
  }),
  'other (metadata)': { ...messages(user), metadata: { user_id: MARKER } },
  'other (unknown field)': { ...messages(user), odd: MARKER },
};

const MESSAGES_OUT: Readonly<Record<string, Body>> = {
  assistant: { type: 'text', text: MARKER },
  reasoning: { type: 'thinking', thinking: MARKER, signature: '' },
  tool_args: { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: MARKER } },
  tool_result: {
    type: 'web_search_tool_result',
    tool_use_id: 'srvtoolu_1',
    content: [{ type: 'web_search_result', title: MARKER, url: 'https://x.example', encrypted_content: '' }],
  },
  'other (unknown block)': { type: 'odd', text: MARKER },
};
const messageOf = (content: readonly unknown[], stop_reason: string | null = 'end_turn'): Body => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content,
  stop_reason,
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
});

function blockEvents(value: Body): readonly Body[] {
  const delta = (rest: Body): Body => ({ type: 'content_block_delta', index: 0, delta: rest });
  const pieces: Readonly<Record<string, readonly Body[]>> = {
    text: [head, tail].map((text) => delta({ type: 'text_delta', text })),
    thinking: [head, tail].map((thinking) => delta({ type: 'thinking_delta', thinking })),
    tool_use: ['{"a":"', head, `${tail}"}`].map((partial_json) =>
      delta({ type: 'input_json_delta', partial_json }),
    ),
  };
  const type = String(value['type']);
  const empty: Readonly<Record<string, Body>> = {
    text: { type, text: '' },
    thinking: { type, thinking: '', signature: '' },
    tool_use: { ...value, input: {} },
  };
  return [
    { type: 'content_block_start', index: 0, content_block: empty[type] ?? value },
    ...(pieces[type] ?? []),
    { type: 'content_block_stop', index: 0 },
  ];
}

const messagesStream = (value: Body): Answer => ({
  events: [
    { type: 'message_start', message: messageOf([], null) },
    ...blockEvents(value),
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 1 },
    },
    { type: 'message_stop' },
  ],
  done: false,
});

// ── The small dialects ──────────────────────────────────────────────────────────────────────────────────────────────

const textCompletion = (text: string): Answer => ({
  json: {
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1,
    model: 'm',
    choices: [{ text, index: 0, logprobs: null, finish_reason: 'stop' }],
    usage,
  },
});
const textChunk = (text: string, finish_reason: string | null): Body => ({
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1,
  model: 'm',
  choices: [{ text, index: 0, logprobs: null, finish_reason }],
});
const vectors = (more: Body = {}): Answer => ({
  json: {
    object: 'list',
    model: 'm',
    data: [{ object: 'embedding', index: 0, embedding: [0.1] }],
    usage: { prompt_tokens: 1, total_tokens: 1 },
    ...more,
  },
});
const judged = (more: Body = {}): Answer => ({
  json: {
    id: 'modr-1',
    model: 'm',
    results: [{ flagged: false, categories: { hate: false }, category_scores: { hate: 0 }, ...more }],
  },
});
const ranked = (text: string): Answer => ({
  json: { id: 'rr-1', results: [{ index: 0, relevance_score: 0.5, document: { text } }] },
});
const picture = (more: Body): Answer => ({ json: { created: 1, data: [{ b64_json: 'AAAA', ...more }] } });

const OK_CHAT = completion({ content: 'fine' });
const OK_RESPONSE: Answer = {
  json: responseOf([messageItem({ type: 'output_text', text: 'fine', annotations: [] })]),
};
const OK_MESSAGE: Answer = { json: messageOf([{ type: 'text', text: 'fine' }]) };

/** The form of a transcription; the file is added by whoever sends it. */
const heard = { response_format: 'json' };
const transcript = (text: string): Answer => ({ json: { text } });

interface Place {
  readonly path: string;
  readonly stream?: boolean;
  readonly direction: 'in' | 'out';
  readonly kind: string;
  readonly request: Body;
  readonly answer: Answer;
}

const all = (
  kinds: Readonly<Record<string, Body>>,
  make: (
    value: Body,
  ) => Pick<Place, 'path' | 'direction' | 'request' | 'answer'> & { readonly stream?: boolean },
): readonly Place[] => Object.entries(kinds).map(([kind, value]) => ({ kind, ...make(value) }));

const ins = (path: string, kinds: Readonly<Record<string, Body>>, answer: Answer): readonly Place[] =>
  all(kinds, (request) => ({ path, direction: 'in', request, answer }));
const outs = (
  path: string,
  request: Body,
  answers: Readonly<Record<string, Answer>>,
  stream = false,
): readonly Place[] =>
  Object.entries(answers).map(([kind, answer]) => ({
    path,
    direction: 'out',
    kind,
    request,
    answer,
    stream,
  }));
const each = (
  kinds: Readonly<Record<string, Body>>,
  make: (value: Body) => Answer,
): Readonly<Record<string, Answer>> =>
  Object.fromEntries(Object.entries(kinds).map(([kind, value]) => [kind, make(value)]));

/** The same forbidden text in requests for streams, which have to be refused before they begin. */
const STREAMED_IN: readonly Place[] = [
  {
    path: '/chat/completions',
    request: CHAT_IN['user'] ?? {},
    answer: chatStream({ content: 'fine' }),
  },
  {
    path: '/completions',
    request: { prompt: MARKER },
    answer: { events: [textChunk('fine', null), textChunk('', 'stop')], done: true },
  },
  {
    path: '/responses',
    request: { input: MARKER },
    answer: responsesStream(messageItem({ type: 'output_text', text: 'fine', annotations: [] })),
  },
  {
    path: '/messages',
    request: MESSAGES_IN['user'] ?? {},
    answer: messagesStream({ type: 'text', text: 'fine' }),
  },
].map((place) => ({ ...place, stream: true, direction: 'in' as const, kind: 'user' }));

const error = {
  status: 422,
  json: { error: { message: `wrong: ${MARKER}`, type: 'invalid_request_error' } },
};

const PLACES: readonly Place[] = [
  ...STREAMED_IN,
  ...ins('/chat/completions', CHAT_IN, OK_CHAT),
  ...outs('/chat/completions', chat(user), {
    ...each(CHAT_OUT, completion),
    'other (error of the provider)': error,
  }),
  ...outs('/chat/completions', chat(user), CHAT_STREAM, true),
  ...ins(
    '/completions',
    {
      user: { prompt: MARKER },
      'user (suffix)': { prompt: 'x', suffix: MARKER },
      'files (tokens)': { prompt: [1, 2, 3] },
      'other (unknown field)': { prompt: 'x', odd: MARKER },
    },
    textCompletion('fine'),
  ),
  ...outs('/completions', { prompt: 'x' }, { assistant: textCompletion(MARKER) }),
  ...outs(
    '/completions',
    { prompt: 'x' },
    {
      assistant: {
        events: [textChunk(head, null), textChunk(tail, null), textChunk('', 'stop')],
        done: true,
      },
    },
    true,
  ),
  ...ins('/responses', RESPONSES_IN, OK_RESPONSE),
  ...outs(
    '/responses',
    { input: 'Hi' },
    {
      ...each(RESPONSES_OUT, (item) => ({ json: responseOf([item]) })),
      'other (unknown field)': { json: { ...responseOf([]), odd: MARKER } },
    },
  ),
  ...outs('/responses', { input: 'Hi' }, each(RESPONSES_OUT, responsesStream), true),
  ...ins('/messages', MESSAGES_IN, OK_MESSAGE),
  ...outs(
    '/messages',
    messages(user),
    each(MESSAGES_OUT, (value) => ({ json: messageOf([value]) })),
  ),
  ...outs('/messages', messages(user), each(MESSAGES_OUT, messagesStream), true),
  ...ins(
    '/messages/count_tokens',
    { user: MESSAGES_IN['user'] ?? {}, system: MESSAGES_IN['system'] ?? {} },
    {
      json: { input_tokens: 1 },
    },
  ),
  ...outs('/messages/count_tokens', messages(user), {
    'other (unknown field)': { json: { input_tokens: 1, odd: MARKER } },
  }),
  ...ins(
    '/embeddings',
    {
      embeddings: { input: [MARKER] },
      'files (tokens)': { input: [[1, 2, 3]] },
      'other (unknown field)': { input: 'x', odd: MARKER },
    },
    vectors(),
  ),
  ...outs('/embeddings', { input: 'x' }, { 'other (unknown field)': vectors({ odd: MARKER }) }),
  ...ins(
    '/moderations',
    {
      user: { input: MARKER },
      'images (URL)': {
        input: [{ type: 'image_url', image_url: { url: `https://x.example/${MARKER}.png` } }],
      },
    },
    judged(),
  ),
  ...outs('/moderations', { input: 'x' }, { 'other (unknown field)': judged({ odd: MARKER }) }),
  ...ins(
    '/rerank',
    {
      'user (query)': { query: MARKER, documents: ['a'] },
      'user (documents)': { query: 'q', documents: [MARKER] },
    },
    ranked('fine'),
  ),
  ...outs('/rerank', { query: 'q', documents: ['a'] }, { assistant: ranked(MARKER) }),
  ...ins('/images/generations', { user: { prompt: MARKER } }, picture({})),
  ...outs(
    '/images/generations',
    { prompt: 'x' },
    {
      assistant: picture({ revised_prompt: MARKER }),
      images: picture({ url: `https://x.example/${MARKER}.png` }),
    },
  ),
  ...ins(
    '/audio/speech',
    { user: { input: MARKER, voice: 'alloy' }, system: { input: 'x', voice: 'alloy', instructions: MARKER } },
    { bytes: 'RIFF', type: 'audio/wav' },
  ),
  ...outs('/audio/speech', { input: 'x', voice: 'alloy' }, { audio: { bytes: MARKER, type: 'audio/wav' } }),
  ...ins('/audio/transcriptions', { user: { ...heard, prompt: MARKER }, audio: heard }, transcript('fine')),
  ...outs('/audio/transcriptions', heard, {
    assistant: transcript(MARKER),
    'assistant (plain text)': { bytes: MARKER, type: 'text/plain' },
    'assistant (segments)': {
      json: { text: 'fine', segments: [{ id: 0, start: 0, end: 1, text: MARKER, tokens: [1] }] },
    },
  }),
  ...outs(
    '/audio/transcriptions',
    { ...heard, stream: 'true' },
    {
      assistant: {
        events: [
          { type: 'transcript.text.delta', delta: head },
          { type: 'transcript.text.delta', delta: tail },
          { type: 'transcript.text.done', text: MARKER },
        ],
        done: false,
      },
    },
    true,
  ),
  ...ins('/audio/translations', { user: { ...heard, prompt: MARKER } }, transcript('fine')),
  ...outs('/audio/translations', heard, { assistant: transcript(MARKER) }),
];

export const ROWS: readonly Row[] = PLACES.map((place, index) => ({
  id: `row-${index}`,
  ...place,
  stream: place.stream ?? false,
  request:
    place.stream === true ? { ...place.request, stream: place.request['stream'] ?? true } : place.request,
}));
