import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { FindingPath } from '@portcullis/policy';
import type { SealingKey } from './keyring.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** `v1:<key id>:<nonce>:<ciphertext and tag>`, the last two in base 64 for addresses. */
export const ENVELOPE = /^v1:([0-9a-f]{8}):([\w-]{16}):([\w-]{22,})$/u;

/** Encrypts with AES-256-GCM, bound to the object and the place that the value belongs to. */
export function sealValue(
  { id: keyId, key }: SealingKey,
  id: string,
  path: FindingPath,
  value: unknown,
): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(placeBytes(id, path));
  // As JSON, so that a number comes back as a number.
  const sealed = [cipher.update(JSON.stringify(value), 'utf8'), cipher.final(), cipher.getAuthTag()];
  return `v1:${keyId}:${nonce.toString('base64url')}:${Buffer.concat(sealed).toString('base64url')}`;
}

/** The value of an envelope. @throws when it was changed, or belongs elsewhere. */
export function openValue(
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
  return Buffer.from(JSON.stringify([id, ...path]), 'utf8');
}
