import { passIf, type Verdict } from './verdict.ts';

/** Shannon entropy of a text in bits per character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Placeholders that documentation and templates use where a secret would stand. */
const PLACEHOLDER =
  /example|sample|dummy|placeholder|changeme|change_me|your[-_]?(?:api|key|token|secret|own)|xxxx|\*{3}|\.{3}|<[^>]*>|\$\{|\{\{|0{8}|1234567890(?:abc|$)|abcdefgh|redacted/i;

/** Whether a text is a stand-in for a secret. */
export function isPlaceholder(text: string): boolean {
  return PLACEHOLDER.test(text) || /^(.)\1+$/.test(text);
}

/** A random-looking secret: no placeholder, and at least `bits` of entropy per character. */
export function randomSecret(bits: number): (text: string) => Verdict {
  return (text) => passIf(!isPlaceholder(text) && entropy(text) >= bits);
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** CRC-32 (ISO 3309, reflected polynomial EDB88320) of ASCII text, as an unsigned number. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) {
    crc ^= text.charCodeAt(i);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * GitHub and npm tokens: after the prefix, 30 characters and the CRC-32 of them in six base-62 digits. A token whose
 * checksum fails may be a newer form, so only placeholders and too regular texts are refused.
 */
export function checksummedToken(text: string): Verdict {
  const body = text.slice(text.indexOf('_') + 1);
  if (base62(crc32(body.slice(0, -6))).padStart(6, '0') === body.slice(-6)) return 'pass';
  return !isPlaceholder(text) && entropy(body) >= 3 ? 'unknown' : 'fail';
}

function base62(value: number): string {
  let rest = value;
  let text = '';
  do {
    text = (BASE62[rest % 62] ?? '') + text;
    rest = Math.floor(rest / 62);
  } while (rest > 0);
  return text;
}

/** AWS access key ids end in `EXAMPLE` in the vendor's documentation. */
export function awsAccessKey(text: string): Verdict {
  return passIf(!text.endsWith('EXAMPLE') && entropy(text.slice(4)) >= 2.5);
}

/** 40 characters of base 64: not a git SHA, mixed case and digits, high entropy. */
export function awsSecretKey(text: string): Verdict {
  if (/^[0-9a-f]+$/i.test(text) || /EXAMPLE/.test(text)) return 'fail';
  const mixed = /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
  return passIf(mixed && entropy(text) >= 4);
}

/** A JWT: the first part decodes to a JSON object with `alg` or `typ`. */
export function jwt(text: string): Verdict {
  const head = text.slice(0, text.indexOf('.'));
  const json = Buffer.from(head, 'base64url').toString('latin1');
  return passIf(json.startsWith('{') && /"(?:alg|typ|kid|enc)"/.test(json));
}

/** A private key block with key text in it, as PEM or in base 64; no template with a placeholder. */
export function pemPrivateKey(text: string): Verdict {
  if (!text.startsWith('LS0t'))
    return passIf(/[0-9A-Za-z+/=]{24}/.test(text) && !isPlaceholder(text.slice(0, 120)));
  return passIf(/PRIVATE KEY/.test(Buffer.from(text.slice(0, 100), 'base64').toString('latin1')));
}
