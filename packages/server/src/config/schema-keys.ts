import { z } from 'zod';

/**
 * The keys that a schema knows at a path, looking through optional, default, union and pipe. What is refused and what is
 * suggested thus come from one definition.
 */
export function knownKeys(schema: z.ZodType, path: readonly (string | number)[]): readonly string[] {
  let at: readonly z.core.$ZodType[] = [schema];
  for (const step of path) at = at.flatMap((one) => below(one, step));
  return [
    ...new Set(
      at
        .flatMap((one) => unwrapped(one))
        .flatMap((one) => (one instanceof z.ZodObject ? Object.keys(one.shape) : [])),
    ),
  ];
}

/** The values that a schema spells out at a path: those that tell the alternatives of a union apart. */
export function knownValues(schema: z.ZodType, path: readonly (string | number)[]): readonly string[] {
  let at: readonly z.core.$ZodType[] = [schema];
  for (const step of path) at = at.flatMap((one) => below(one, step));
  const values = at
    .flatMap((one) => unwrapped(one))
    .flatMap((one): readonly unknown[] => {
      if (one instanceof z.ZodLiteral) return [...one.values];
      return one instanceof z.ZodEnum ? one.options : [];
    });
  return [...new Set(values.filter((value): value is string => typeof value === 'string'))];
}

function below(schema: z.core.$ZodType, step: string | number): readonly z.core.$ZodType[] {
  return unwrapped(schema).flatMap((one): readonly z.core.$ZodType[] => {
    if (one instanceof z.ZodObject) {
      const field: unknown = one.shape[step];
      return field instanceof z.ZodType ? [field] : [];
    }
    if (one instanceof z.ZodArray) return [one.element];
    if (one instanceof z.ZodRecord) return [one.valueType];
    return [];
  });
}

function unwrapped(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return unwrapped(schema.def.innerType);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => unwrapped(option));
  // A transform has its schema on the way in, a preprocess on the way out.
  if (schema instanceof z.ZodPipe) return [...unwrapped(schema.def.in), ...unwrapped(schema.def.out)];
  return [schema];
}
