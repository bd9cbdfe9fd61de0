import type { FieldProblem } from '@portcullis/contract';
import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';

/** What is wrong with a body or a query, field by field, in the shape of the reference's `detail`. */
export function fieldProblems(
  schema: z.ZodType,
  error: z.ZodError,
  root: 'body' | 'query',
): readonly FieldProblem[] {
  return error.issues.flatMap(innermost).flatMap((issue): FieldProblem[] => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    if (issue.code === 'unrecognized_keys') {
      const known = path.length === 0 ? fieldsOf(schema) : [];
      return issue.keys.map((key) => ({
        loc: [root, ...path, key],
        msg: `unknown field${suggestion(key, known)}`,
        type: 'extra_forbidden',
      }));
    }
    return [{ loc: [root, ...path], msg: issue.message, type: issue.code }];
  });
}

type Issue = z.core.$ZodIssue;

/**
 * Of a value that may have several forms, and has one of them with faults inside, the faults inside; of a value that has
 * none of them, that it has none.
 */
function innermost(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const inside = issue.errors.filter(
    (issues) => issues.length > 0 && issues.every(({ path }) => path.length > 0),
  );
  const [form] = inside;
  if (form === undefined || inside.length > 1) return [issue];
  return form.map((inner): Issue => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(innermost);
}

/** `; did you mean "x"?` when a known name is near enough to be meant. */
function suggestion(name: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const nearest = closest(name, known);
  return distance(name, nearest) <= Math.max(2, Math.floor(name.length / 3))
    ? `; did you mean "${nearest}"?`
    : '';
}

function fieldsOf(schema: z.ZodType): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
