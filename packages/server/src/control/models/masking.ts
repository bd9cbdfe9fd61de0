import type { FieldProblem } from '@portcullis/contract';
import type { FindingPath } from '@portcullis/policy';
import { masked } from '../guardrails/masking.ts';

type Params = Readonly<Record<string, unknown>>;

/** Settings whose value opens something, by their names. */
const SECRET =
  /(?:^|_)(?:api_key|secret|secret_key|password|passphrase|credentials?|access_key|access_key_id|ad_token|auth_token|session_token|private_key|client_secret)$/iu;
/** Every value in these may be one. */
const ALL_SECRET: ReadonlySet<string> = new Set(['headers', 'extra_headers']);

/** The places of the secrets among the settings of a model. */
export function modelSecretPaths(params: Params): readonly FindingPath[] {
  const found: (string | number)[][] = [];
  const visit = (value: unknown, path: (string | number)[], inSecret: boolean): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        const isSecret = inSecret || SECRET.test(key) || (path.length === 0 && ALL_SECRET.has(key));
        visit(inner, [...path, Array.isArray(value) ? Number(key) : key], isSecret);
      }
    } else if (inSecret && value !== null) found.push(path);
  };
  visit(params, [], false);
  return found;
}

/** The settings as everybody who may see them sees them. */
export function maskedModelParams(params: Params): Params {
  return masked(params, modelSecretPaths(params));
}

/**
 * With another address, every secret has to be entered again: else whoever may change the address could have secrets sent
 * there that nobody is shown.
 */
export function movedSecrets(before: Params, after: Params): readonly FieldProblem[] {
  if (addressOf(before) === addressOf(after)) return [];
  return modelSecretPaths(after)
    .filter((path) => isSame(valueAt(before, path), valueAt(after, path)))
    .map((path) => ({
      loc: ['body', 'litellm_params', ...path],
      msg: 'has to be entered again, because the address has changed that it is sent to',
      type: 'masked_secret',
    }));
}

/** Whatever decides where calls go. */
function addressOf({ api_base, base_url, model, custom_llm_provider }: Params): string {
  const provider = typeof model === 'string' ? (model.split('/', 1)[0] ?? '') : '';
  return JSON.stringify([api_base ?? base_url ?? null, custom_llm_provider ?? null, provider]);
}

function isSame(one: unknown, other: unknown): boolean {
  return one !== undefined && JSON.stringify(one) === JSON.stringify(other);
}

function valueAt(value: unknown, path: FindingPath): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, step)
        ? (at as Readonly<Record<string | number, unknown>>)[step]
        : undefined,
    value,
  );
}
