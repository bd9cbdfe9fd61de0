import type { AnswerOf } from '@portcullis/contract';
import { call } from './client.ts';

/** What the snapshot in force was compiled from, for the engine in this page. @throws ApiError */
export async function documents(signal: AbortSignal): Promise<AnswerOf<'GET /policies/documents'>> {
  return (await call('GET /policies/documents', { signal })).body;
}
