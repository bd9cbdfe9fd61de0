import { classifier } from './classifier/index.ts';
import { codeExecution } from './code-execution/index.ts';
import { contentFilterWith, type WordsFolder } from './content-filter/index.ts';
import { customCode } from './custom-code/index.ts';
import type { DetectorDefinition } from './guardrail.ts';
import { hideSecrets } from './hide-secrets/index.ts';
import { criteriaJudge } from './judge/criteria.ts';
import { topicJudge } from './judge/topics.ts';
import { azurePromptShield } from './remote/azure/prompt-shield.ts';
import { azureTextModerations } from './remote/azure/text-moderations.ts';
import { bedrock } from './remote/bedrock/index.ts';
import { genericWebhook } from './remote/generic/index.ts';
import { lakera } from './remote/lakera/index.ts';
import { modelArmor } from './remote/model-armor/index.ts';
import { openAiModeration } from './remote/openai-moderation/index.ts';
import { presidioWith } from './remote/presidio/index.ts';
import { toolPermission } from './tool-permission/index.ts';

/**
 * The built-in detectors. Nothing registers itself: what is not in this list does not exist.
 *
 * @param words Where files that settings name are read from (`blocked_words_file`); null refuses those settings.
 */
export function builtIns(words: WordsFolder | null): readonly DetectorDefinition[] {
  return [
    contentFilterWith(words),
    classifier,
    presidioWith(words),
    bedrock,
    genericWebhook,
    openAiModeration,
    lakera,
    azurePromptShield,
    azureTextModerations,
    modelArmor,
    criteriaJudge,
    topicJudge,
    toolPermission,
    customCode,
    codeExecution,
    hideSecrets,
  ];
}

/** The built-in detectors without access to files. */
export const catalogue: readonly DetectorDefinition[] = builtIns(null);
