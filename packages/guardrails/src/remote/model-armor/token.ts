import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { z } from 'zod';
import { ConfigProblem, HttpFailure, type Ports } from '../../guardrail.ts';
import { type Line, readJson } from '../service/line.ts';

/** The JSON key of a Google service account, as far as it is needed. */
export const serviceAccountSchema = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(3),
  private_key: z.string().min(1),
  private_key_id: z.string().nullish(),
  token_uri: z.url({ protocol: /^https?$/u }).default('https://oauth2.googleapis.com/token'),
});
type ServiceAccount = z.infer<typeof serviceAccountSchema>;

const answerSchema = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const LIFETIME_SECONDS = 3_600;
/** A token is renewed this long before it ends. */
const EARLY_MS = 60_000;

/** Access tokens of a service account (RFC 7523), kept until shortly before they end. */
export class AccessTokens {
  readonly #account: ServiceAccount;
  readonly #key: KeyObject;
  readonly #clock: Ports['clock'];
  readonly #line: Line;
  #token: { readonly value: string; readonly endsAtMs: number } | null = null;
  #asking: Promise<string> | null = null;

  /** @throws ConfigProblem for a key that is none */
  constructor(account: ServiceAccount, clock: Ports['clock'], line: Line) {
    this.#account = account;
    this.#key = privateKeyOf(account);
    this.#clock = clock;
    this.#line = line;
  }

  /** @throws HttpFailure when no token can be got */
  async get(signal: AbortSignal): Promise<string> {
    if (this.#token !== null && this.#clock.monotonic() < this.#token.endsAtMs) return this.#token.value;
    // All who wait share one question; it is not ended by the first of them that goes.
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    const asking = this.#asking;
    return new Promise((resolve, reject) => {
      const gone = () => reject(new HttpFailure('unreachable', 'stopped'));
      signal.addEventListener('abort', gone, { once: true });
      asking.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
    });
  }

  async #ask(): Promise<string> {
    const account = this.#account;
    const assertion = signed(account, this.#key, Math.floor(this.#clock.now() / 1000));
    const askedAtMs = this.#clock.monotonic();
    const { body } = await this.#line.ask(
      {
        url: account.token_uri,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ grant_type: GRANT, assertion }).toString(),
      },
      new AbortController().signal,
    );
    const { access_token: value, expires_in: seconds } = readJson(body, answerSchema);
    this.#token = { value, endsAtMs: askedAtMs + Math.max(seconds * 1_000 - EARLY_MS, 0) };
    return value;
  }
}

function signed(account: ServiceAccount, key: KeyObject, nowSeconds: number): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = encode({
    alg: 'RS256',
    typ: 'JWT',
    ...(account.private_key_id == null ? {} : { kid: account.private_key_id }),
  });
  const claims = encode({
    iss: account.client_email,
    scope: SCOPE,
    aud: account.token_uri,
    iat: nowSeconds,
    exp: nowSeconds + LIFETIME_SECONDS,
  });
  const text = `${header}.${claims}`;
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
}

function privateKeyOf(account: Pick<ServiceAccount, 'private_key'>): KeyObject {
  try {
    return createPrivateKey(account.private_key);
  } catch {
    throw new ConfigProblem(['credentials', 'private_key'], 'this is no private key in PEM form');
  }
}
