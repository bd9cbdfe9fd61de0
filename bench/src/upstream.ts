/**
 * The model provider of the benchmark: answers at once, whole or as 50 chunks, from buffers made at the start, so that
 * what is measured is the gateway. `?text=` of the model name is not needed: every answer holds one e-mail address.
 */
import { createServer } from 'node:http';

const TEXT =
  'The quick brown fox jumps over the lazy dog. Write to the desk for more, we answer every letter. ';
const STREAM_CHUNKS = 50;

const whole = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'bench-upstream',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: TEXT.repeat(8) },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 200, completion_tokens: 150, total_tokens: 350 },
  }),
);

function event(delta: object, finish: string | null): Buffer {
  const chunk = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'bench-upstream',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  };
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
}

const chunks: readonly Buffer[] = [
  event({ role: 'assistant', content: '' }, null),
  ...Array.from({ length: STREAM_CHUNKS }, (_, index) =>
    event({ content: TEXT.slice(0, 24 + (index % 8)) }, null),
  ),
  event({}, 'stop'),
  Buffer.from('data: [DONE]\n\n'),
];

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const streamed = Buffer.concat(parts).includes('"stream":true');
    if (!streamed) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length });
      response.end(whole);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let next = 0;
    const send = (): void => {
      const chunk = chunks[next];
      next += 1;
      if (chunk === undefined) response.end();
      else {
        response.write(chunk);
        setImmediate(send);
      }
    };
    send();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.('listening'));
