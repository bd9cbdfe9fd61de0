export * from './dialects/control-fields.ts';
export type * from './dialects/dialect.ts';
export { DIALECTS } from './dialects/dialects.ts';
export { openAiResponses } from './dialects/openai-responses.ts';
export { chatAnswerSegments, chatRequestSegments, openAiChat } from './dialects/openai-chat.ts';
export {
  isObject,
  type JsonObject,
  type Rewritten,
  type Undeliverable,
  withSegments,
} from './dialects/segments.ts';
export type { ReleasedText, StreamCodec, StreamEvent, TextChannel } from './dialects/stream.ts';
export { readUsage, usageOf } from './dialects/usage.ts';
export * from './errors.ts';
export * from './answers.ts';
export * from './audit.ts';
export * from './client.ts';
export * from './durations.ts';
export * from './guardrails.ts';
export * from './keys.ts';
export * from './limits.ts';
export * from './logs.ts';
export * from './models.ts';
export * from './policies.ts';
export * from './protection.ts';
export * from './sessions.ts';
export * from './routes/index.ts';
export type { RouteContract } from './routes/route.ts';
export * from './tags.ts';
export * from './teams.ts';
export * from './templates.ts';
export * from './trials.ts';
export * from './users.ts';
