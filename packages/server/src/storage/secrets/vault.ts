import type { FindingPath, Guardrail } from '@portcullis/policy';
import { type GuardrailSecrets, SecretProblem } from '../../ports/guardrail-secrets.ts';
import { ENVELOPE, openValue, sealValue } from './envelope.ts';
import type { Keyring } from './keyring.ts';

export interface VaultOptions {
  readonly keyring: Keyring;
  /** Where the secrets of a guardrail are, by its kind and the names of its settings. */
  readonly secretPaths: GuardrailSecrets['paths'];
}

/** Seals and opens the secrets of guardrails with AES-256-GCM, bound to the guardrail and the place they belong to. */
export function guardrailSecrets({ keyring, secretPaths }: VaultOptions): GuardrailSecrets {
  return {
    paths: secretPaths,

    seal(guardrail) {
      const { guardrail_id: id, litellm_params: params } = guardrail;
      const secret = new Set(secretPaths(params).map(keyOf));
      const sealed = mapLeaves(params, (value, path) => {
        // A text that only looks like an envelope is sealed too, or it could not be opened again.
        const isSealed = secret.has(keyOf(path)) || (typeof value === 'string' && ENVELOPE.test(value));
        return isSealed ? sealValue(keyring.first, id, path, value) : value;
      });
      return { ...guardrail, litellm_params: sealed as Guardrail['litellm_params'] };
    },

    open(guardrail) {
      const { guardrail_id: id, guardrail_name: name, litellm_params: params } = guardrail;
      // Every envelope is opened, wherever it is: what counts as a secret may have changed since it was sealed.
      const opened = mapLeaves(params, (value, path) => {
        const parts = typeof value === 'string' ? ENVELOPE.exec(value) : null;
        if (parts === null) return value;
        const place = `The secret ${path.join('.')} of guardrail "${name}" (${id})`;
        const key = keyring.byId.get(parts[1] ?? '');
        if (key === undefined) {
          throw new SecretProblem(
            `${place} was encrypted with the key ${parts[1] ?? ''}, which this process does not have: give that key in PORTCULLIS_OLD_SALT_KEYS, or enter the secret again.`,
          );
        }
        try {
          return openValue(key, id, path, parts[2] ?? '', parts[3] ?? '');
        } catch (cause) {
          throw new SecretProblem(
            `${place} was changed outside this product or belongs to another place: enter the secret again.`,
            { cause },
          );
        }
      });
      return { ...guardrail, litellm_params: opened as Guardrail['litellm_params'] };
    },
  };
}

const keyOf = (path: FindingPath): string => JSON.stringify(path);

function mapLeaves(
  value: unknown,
  change: (leaf: unknown, path: FindingPath) => unknown,
  path: FindingPath = [],
): unknown {
  if (Array.isArray(value))
    return value.map((item: unknown, index) => mapLeaves(item, change, [...path, index]));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, mapLeaves(item, change, [...path, key])]),
    );
  }
  return change(value, path);
}
