// The mock's answers in the two dialects whose streams are events with names.

/** One text to answer, and what is said around it. */
export interface MockText {
  readonly id: string;
  readonly model: string;
  readonly createdSeconds: number;
  readonly text: string;
  /** The text in the pieces of a stream. */
  readonly pieces: readonly string[];
  /** Tokens. */
  readonly prompt: number;
  readonly completion: number;
}

const named = (type: string, rest: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;

export function mockMessage({ id, model, text, prompt, completion }: MockText): object {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: prompt, output_tokens: completion },
  };
}

export function mockMessageStream(text: MockText): string[] {
  const { prompt, completion, pieces } = text;
  const message = {
    ...mockMessage(text),
    content: [],
    stop_reason: null,
    usage: { input_tokens: prompt, output_tokens: 1 },
  };
  return [
    named('message_start', { message }),
    named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    named('ping', {}),
    ...pieces.map((piece) =>
      named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: piece } }),
    ),
    named('content_block_stop', { index: 0 }),
    named('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: completion },
    }),
    named('message_stop', {}),
  ];
}

function snapshot(
  { id, model, createdSeconds }: MockText,
  status: string,
  output: readonly object[],
): object {
  return {
    id,
    object: 'response',
    created_at: createdSeconds,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model,
    output,
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    usage: null,
  };
}

export function mockResponse(text: MockText): object {
  const { prompt, completion } = text;
  return {
    ...snapshot(text, 'completed', [messageItem(text, 'completed', [part(text.text)])]),
    usage: {
      input_tokens: prompt,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: completion,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: prompt + completion,
    },
  };
}

function messageItem({ id }: MockText, status: string, content: readonly object[]): object {
  return { id: `msg_${id}`, type: 'message', status, role: 'assistant', content };
}

function part(text: string): object {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

export function mockResponseStream(text: MockText): string[] {
  const at = { item_id: `msg_${text.id}`, output_index: 0, content_index: 0 };
  const item = messageItem(text, 'in_progress', []);
  const list: [string, object][] = [
    ['created', { response: snapshot(text, 'in_progress', []) }],
    ['in_progress', { response: snapshot(text, 'in_progress', []) }],
    ['output_item.added', { output_index: 0, item }],
    ['content_part.added', { ...at, part: part('') }],
    ...text.pieces.map((delta): [string, object] => ['output_text.delta', { ...at, delta, logprobs: [] }]),
    ['output_text.done', { ...at, text: text.text, logprobs: [] }],
    ['content_part.done', { ...at, part: part(text.text) }],
    ['output_item.done', { output_index: 0, item: messageItem(text, 'completed', [part(text.text)]) }],
    ['completed', { response: mockResponse(text) }],
  ];
  return list.map(([name, rest], sequence_number) => named(`response.${name}`, { sequence_number, ...rest }));
}
