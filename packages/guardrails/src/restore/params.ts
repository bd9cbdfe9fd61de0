import { z } from 'zod';

/** The setting of every kind of guardrail whose masks can be undone, to be spread into its schema. */
export const restoreParams = {
  output_parse_pii: z
    .boolean()
    .default(false)
    .describe('Values masked before the call (`<EMAIL_1>`) are put back into the answer'),
};
