import { z } from 'zod';

/** What both sides of one management route agree on. The path's parameters are in its key: `GET /policies/:policy_id`. */
export interface RouteContract {
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** What a good answer holds, field by field. */
  readonly answer: z.ZodType;
  /** The answer is a stream of server-sent events; `answer` is the data of one of them. */
  readonly isEventStream?: true;
}

/** ISO 8601 in UTC, with milliseconds. */
export const momentAnswer = z.iso.datetime({ precision: 3 });
export const momentOrNull = momentAnswer.nullable();

export const namesAnswer = z.array(z.string());
export const messageAnswer = z.object({ message: z.string() });

/** Something that was made a note of and is no error. */
export const warningsAnswer = z
  .array(
    z.object({ code: z.string(), message: z.string(), path: z.array(z.union([z.string(), z.number()])) }),
  )
  .optional();

/** Settings whose members are free. */
export const freeAnswer = z.record(z.string(), z.unknown());

/** Everything that is never there, in the shape that clients of the reference expect. */
export const emptyAnswer = z.object({});
