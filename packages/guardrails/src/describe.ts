import { z } from 'zod';
import type { DetectorDefinition } from './guardrail.ts';
import { fieldsOf } from './secrets.ts';

/** A kind of guardrail as forms and documents show it, read off the schema that checks its configuration. */
export interface DetectorDescription {
  readonly ids: readonly [string, ...string[]];
  readonly title: string;
  /** Asks something outside the process. */
  readonly remote: boolean;
  /** Settings by name, in the schema's order. */
  readonly settings: Readonly<Record<string, SettingDescription>>;
}

export interface SettingDescription {
  readonly required: boolean;
  readonly default: unknown;
  /** JSON Schema of what may be written, with `description`, and `secret: true` for secrets. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** Describes one kind of guardrail. */
export function describeDetector({
  ids,
  title,
  remote,
  configSchema,
}: DetectorDefinition): DetectorDescription {
  const settings: Record<string, SettingDescription> = {};
  for (const [name, field] of Object.entries(fieldsOf(configSchema))) {
    // What a field says to "nothing" tells both facts, also where JSON Schema cannot follow a transformation.
    const absent = field.safeParse(undefined);
    const { $schema: _, ...schema } = z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' });
    settings[name] = {
      required: !absent.success,
      default: absent.success ? (absent.data ?? null) : null,
      schema,
    };
  }
  return { ids, title, remote: remote ?? false, settings };
}
