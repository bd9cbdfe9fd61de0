import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { FindingPath, Guardrail } from '@portcullis/policy';
import { type GuardrailSecrets, SecretProblem } from '../../ports/guardrail-secrets.ts';
import type { Keyring, SealingKey } from './keyring.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** `v1:<key id>:<nonce>:<ciphertext and tag>`, the last two in base 64 for addresses. */
const ENVELOPE = /^v1:([0-9a-f]{8}):([\w-]{16}):([\w-]{22,})$/u;

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

function sealValue({ id: keyId, key }: SealingKey, id: string, path: FindingPath, value: unknown): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(placeBytes(id, path));
  // As JSON, so that a number comes back as a number.
  const sealed = [cipher.update(JSON.stringify(value), 'utf8'), cipher.final(), cipher.getAuthTag()];
  return `v1:${keyId}:${nonce.toString('base64url')}:${Buffer.concat(sealed).toString('base64url')}`;
}

function openValue(
  { key }: SealingKey,
  id: string,
  path: FindingPath,
  nonce: string,
  sealed: string,
): unknown {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, 'base64url'), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(placeBytes(id, path));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const text = Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
  return JSON.parse(text.toString('utf8')) as unknown;
}

/** An envelope moved to another guardrail or field does not open there. */
function placeBytes(id: string, path: FindingPath): Buffer {
  return Buffer.from(keyOf([id, ...path]), 'utf8');
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
