import { z } from 'zod';

/** A JSON schema, as far as the document looks into it. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

const COMPONENTS = '#/components/schemas/';

/**
 * The schema of what is sent (`input`) or answered (`output`), and the schemas it refers to by the names that they get
 * among the components. What a refinement checks besides has no words in JSON schema: the answer to a request that it
 * refuses says it.
 */
export function schemasOf(
  name: string,
  schema: z.ZodType,
  io: 'input' | 'output' = 'input',
): { readonly schema: JsonSchema; readonly components: Readonly<Record<string, JsonSchema>> } {
  const {
    $schema: _,
    $defs = {},
    ...root
  } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
  }) as JsonSchema;
  const moved = (ref: string): string =>
    ref === '#' ? COMPONENTS + name : COMPONENTS + ref.replace('#/$defs/', `${name}.`);
  return {
    schema: withRefs(root, moved),
    components: Object.fromEntries(
      Object.entries($defs).map(([key, definition]) => [`${name}.${key}`, withRefs(definition, moved)]),
    ),
  };
}

/** A reference to a component. */
export function schemaRef(name: string): JsonSchema {
  return { $ref: COMPONENTS + name };
}

function withRefs<T>(value: T, moved: (ref: string) => string): T {
  if (Array.isArray(value)) return value.map((member: unknown) => withRefs(member, moved)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]: [string, unknown]) => [
      key,
      key === '$ref' && typeof member === 'string' ? moved(member) : withRefs(member, moved),
    ]),
  ) as T;
}
