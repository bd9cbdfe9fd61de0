import { z } from 'zod';
import { flaggingShape, secretValue, serviceUrl } from '../service/settings.ts';

/** Settings of both guardrails of Azure AI Content Safety. */
export const azureShape = {
  ...flaggingShape,
  api_key: secretValue('Key of the Content Safety resource'),
  api_base: serviceUrl('Endpoint of the resource, https://<name>.cognitiveservices.azure.com'),
  api_version: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}(?:-preview)?$/u, 'this is no version such as 2024-09-01')
    .default('2024-09-01')
    .describe('Version of the interface'),
};

/** Both endpoints take 10,000 code points of text. */
export const LIMITS = { maxChars: 10_000, overlap: 300 };

/** Address and headers of one operation. */
export function endpoint(
  config: { readonly api_base: string; readonly api_key: string; readonly api_version: string },
  operation: 'text:shieldPrompt' | 'text:analyze',
) {
  const base = config.api_base.replace(/\/+$/u, '').replace(/\/contentsafety$/u, '');
  return {
    url: `${base}/contentsafety/${operation}?api-version=${config.api_version}`,
    headers: { 'content-type': 'application/json', 'ocp-apim-subscription-key': config.api_key },
  };
}
