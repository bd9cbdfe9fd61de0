import { commonParamsSchema } from '@portcullis/policy';
import { z } from 'zod';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/iu;
// oxlint-disable-next-line no-control-regex -- control characters are exactly what a header must not hold
const HEADER_VALUE = /^[^\u0000-\u0008\u000a-\u001f\u007f]*$/u;

/** A name and a value that can be sent as an HTTP header. */
export const headerName = z.string().regex(HEADER_NAME, 'this is no name of a header');
export const headerValue = z.string().regex(HEADER_VALUE, 'this cannot be sent in a header');

/** The address of a service; `what` says what is expected there. */
export const serviceUrl = (what: string) => z.url({ protocol: /^https?$/u }).describe(what);

/** A credential that is sent in a header. */
export const secretValue = (what: string) => headerValue.min(1).meta({ description: what, secret: true });

/** The same setting, which may also be left empty; it keeps its description and that it is a secret. */
export const optional = <T extends z.ZodType>(setting: T) => setting.nullish().meta(setting.meta() ?? {});

/** Settings of every guardrail that asks a service. `num_retries` is the caller's own default. */
export const lineShape = (retries: number) => ({
  num_retries: z.coerce
    .number()
    .int()
    .min(0)
    .max(5)
    .default(retries)
    .describe('How often a question that nobody answered is put again, within the timeout'),
  max_parallel_requests: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(32)
    .describe('Questions to the service at one time; further ones wait, at most eight times as many'),
});

/** What to do with content that the service flags (`monitor` only reports it). */
export const onViolation = z
  .enum(['block', 'respond', 'monitor'])
  .default('block')
  .describe('block refuses, respond answers with the message instead, monitor only records');
export type OnViolation = z.infer<typeof onViolation>;

const violationMessage = z
  .string()
  .min(1)
  .max(2_000)
  .default('Violated guardrail policy')
  .describe('What the caller is told of a violation');

/** Settings of a guardrail whose service flags content. */
export const flaggingShape = {
  ...commonParamsSchema.shape,
  ...lineShape(1),
  on_violation: onViolation,
  violation_message: violationMessage,
};
