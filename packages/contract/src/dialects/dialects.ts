import type { Dialect } from './dialect.ts';
import { openAiChat } from './openai-chat.ts';

/** Every dialect that the gateway speaks. */
export const DIALECTS: readonly Dialect[] = [openAiChat];
