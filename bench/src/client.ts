import { request } from 'undici';
import type { Shot } from './load.ts';

const FILLER =
  'Please summarise the following paragraph in two sentences and keep the names of all products as they are written. ';

function body(extra: string, stream: boolean): string {
  return JSON.stringify({
    model: 'bench',
    stream,
    temperature: 0.2,
    messages: [
      { role: 'system', content: 'You are a helpful assistant that answers briefly and politely.' },
      { role: 'user', content: FILLER.repeat(6).slice(0, 760) + extra },
    ],
  });
}

/** Requests of about 1 KB. */
export const bodies = {
  whole: body('', false),
  stream: body('', true),
  masked: body(' Answer to jane.doe@example.org.', false),
  blocked: body(' It is about PRJ-123456.', false),
} as const;

export function chatShot(content: string, key: string): Shot {
  return {
    path: '/v1/chat/completions',
    headers: {
      'content-type': 'application/json',
      ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
    },
    body: content,
    expectStatus: 200,
  };
}

export async function postJson(origin: string, path: string, key: string, value: unknown): Promise<unknown> {
  const answer = await request(origin + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(value),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`POST ${path} answered ${answer.statusCode}: ${text}`);
  return JSON.parse(text);
}

/** Waits until readiness answers 200. @throws Error after 30 s. */
export async function waitUntilReady(origin: string): Promise<void> {
  const until = performance.now() + 30_000;
  for (;;) {
    const ready = await request(`${origin}/health/readiness`).then(
      async (answer) => {
        await answer.body.dump();
        return answer.statusCode === 200;
      },
      () => false,
    );
    if (ready) return;
    if (performance.now() > until) throw new Error(`${origin} was not ready after 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until nothing waits for the database any more. @throws Error after 120 s, or when records were dropped. */
export async function waitUntilStored(origin: string): Promise<void> {
  const until = performance.now() + 120_000;
  for (;;) {
    const answer = await request(`${origin}/health/readiness`);
    const { logs } = (await answer.body.json()) as {
      logs: { queued: number; dropped: Record<string, number> };
    };
    if (Object.values(logs.dropped).some((records) => records > 0)) {
      throw new Error(`${origin} could not store all requests: use a shorter window`);
    }
    if (logs.queued === 0) return;
    if (performance.now() > until) throw new Error(`${origin} has not stored all requests after 120 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
