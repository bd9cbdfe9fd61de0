import type { FindingPath } from '@portcullis/policy';
import type { z } from 'zod';
import type { DetectorDefinition } from './guardrail.ts';

/**
 * Which settings of a guardrail are secrets: the one place that says so. A detector marks its own with
 * `.meta({ secret: true })`; besides, everything below a key with one of these names is one, in any provider, because a
 * setting too many that is masked costs less than one that is shown.
 */
const SECRET_NAME =
  /^(?:.*_)?(?:key|keys|apikey|token|secret|secrets|password|passwd|pwd|passphrase|credential|credentials|auth|authorization|bearer|cookie|signature|dsn|connection_string)$/u;
/** `https://user:password@host` is a secret under any name. */
const ADDRESS_WITH_LOGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*@/iu;

/** Whether a key of this name holds a secret, in any spelling: `apiKey`, `X-API-Key`, `api_key`. */
export function isSecretName(name: string): boolean {
  const snake = name.replace(/([a-z0-9])([A-Z])/gu, '$1_$2').replace(/[-.\s]/gu, '_');
  return SECRET_NAME.test(snake.toLowerCase());
}

/** The places of all secrets in `litellm_params`: texts and numbers, each by its path. Booleans and nulls are none. */
export function secretPaths(
  params: Readonly<Record<string, unknown>>,
  catalogue: readonly DetectorDefinition[],
): readonly FindingPath[] {
  const provider = params['guardrail'];
  const definition = catalogue.find(({ ids }) => typeof provider === 'string' && ids.includes(provider));
  const declared = definition === undefined ? new Set<string>() : declaredSecrets(definition.configSchema);
  const found: FindingPath[] = [];
  const visit = (value: unknown, path: FindingPath, secret: boolean): void => {
    if (Array.isArray(value)) {
      value.forEach((item: unknown, index) => visit(item, [...path, index], secret));
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        visit(item, [...path, key], secret || isSecretName(key) || (path.length === 0 && declared.has(key)));
      }
    } else if (typeof value === 'string') {
      if (secret || ADDRESS_WITH_LOGIN.test(value)) found.push(path);
    } else if (typeof value === 'number' && secret) {
      found.push(path);
    }
  };
  visit(params, [], false);
  return found;
}

/** The settings that a detector's own schema marks as secret. */
function declaredSecrets(schema: z.ZodType): ReadonlySet<string> {
  const names = Object.entries(fieldsOf(schema)).flatMap(([name, field]) =>
    field.meta()?.['secret'] === true ? [name] : [],
  );
  return new Set(names);
}

/** The fields of a schema that is an object; none for another kind. */
export function fieldsOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return 'shape' in schema && typeof schema.shape === 'object' && schema.shape !== null
    ? (schema.shape as Record<string, z.ZodType>)
    : {};
}
