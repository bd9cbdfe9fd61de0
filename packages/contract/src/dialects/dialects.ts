import { anthropicCountTokens, anthropicMessages } from './anthropic-messages.ts';
import type { Dialect } from './dialect.ts';
import { openAiChat } from './openai-chat.ts';
import { openAiCompletions } from './openai-completions.ts';
import { openAiResponses } from './openai-responses.ts';
import { openAiEmbeddings, openAiImages, openAiModerations, openAiSpeech, rerank } from './openai-small.ts';
import { openAiTranscriptions, openAiTranslations } from './openai-transcriptions.ts';

/** Every dialect that the gateway speaks. */
export const DIALECTS: readonly Dialect[] = [
  openAiChat,
  openAiCompletions,
  openAiEmbeddings,
  openAiModerations,
  openAiResponses,
  openAiImages,
  openAiSpeech,
  openAiTranscriptions,
  openAiTranslations,
  anthropicMessages,
  anthropicCountTokens,
  rerank,
];
