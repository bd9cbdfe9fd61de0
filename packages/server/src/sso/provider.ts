import { HttpFailure, type HttpPort } from '@portcullis/guardrails';
import * as oidc from 'openid-client';
import { z } from 'zod';
import type { Clock } from '../ports/clock.ts';
import {
  MEMORY_MS,
  SignOnProblem,
  type SignOnSettings,
  type SingleSignOn,
  type TextSealer,
} from '../ports/sso.ts';
import { personOf } from './claims.ts';

export interface SignOnParts {
  readonly settings: SignOnSettings;
  /** Follows no redirect, and calls no address inside that the settings do not name. */
  readonly http: HttpPort;
  readonly sealer: TextSealer;
  readonly clock: Clock;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;
const PURPOSE = 'sso';
const STATUS_WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

const memorySchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  untilMs: z.number(),
});

/**
 * The authorization code flow of OpenID Connect, with PKCE, state and nonce, with the provider that discovery describes.
 * What must be remembered between the two halves is sealed in a cookie, so that any replica can end what another began.
 */
export function createSingleSignOn({ settings, http, sealer, clock }: SignOnParts): SingleSignOn {
  let known: Promise<oidc.Configuration> | null = null;
  const redirectUri = `${settings.baseUrl}/sso/callback`;

  function provider(): Promise<oidc.Configuration> {
    known ??= discover(settings, http).catch((cause: unknown) => {
      known = null;
      throw new SignOnProblem('away', 'The identity provider does not describe itself.', { cause });
    });
    return known;
  }

  return {
    settings,

    async begin(returnTo) {
      const config = await provider();
      const verifier = oidc.randomPKCECodeVerifier();
      const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: settings.scope,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
      const untilMs = clock.now() + MEMORY_MS;
      const memory = JSON.stringify({ state, nonce, verifier, returnTo, untilMs });
      return { url: url.href, memory: sealer.seal(PURPOSE, memory) };
    },

    async finish(search, sealed) {
      const memory = remembered(sealed === null ? null : sealer.open(PURPOSE, sealed));
      if (memory === null || memory.untilMs <= clock.now()) {
        throw new SignOnProblem('invalid', 'This sign-in was not begun in this browser, or too long ago.');
      }
      const config = await provider();
      const claims = await claimsOf(config, new URL(redirectUri + search), memory);
      return { person: personOf(claims, settings), returnTo: memory.returnTo };
    },
  };
}

type Memory = z.infer<typeof memorySchema>;

function remembered(text: string | null): Memory | null {
  return text === null ? null : memorySchema.parse(JSON.parse(text));
}

async function discover(settings: SignOnSettings, http: HttpPort): Promise<oidc.Configuration> {
  const issuer = new URL(settings.issuer);
  const insecure = issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
  return oidc.discovery(
    issuer,
    settings.clientId,
    undefined,
    clientAuth(settings.clientSecret),
    // Signatures are checked although the tokens come straight from the provider.
    { [oidc.customFetch]: fetchWith(http), execute: [oidc.enableNonRepudiationChecks, ...insecure] },
  );
}

/** The secret goes in the header, unless the provider takes it in the body alone. */
function clientAuth(secret: string | null): oidc.ClientAuth {
  if (secret === null) return oidc.None();
  const [inHeader, inBody] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (methods.includes('client_secret_basic') ? inHeader : inBody)(server, ...rest);
  };
}

function fetchWith(http: HttpPort): oidc.CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    if (method !== 'GET' && method !== 'POST')
      throw new TypeError(`no ${method} is sent to identity providers`);
    const answer = await http.send({
      method,
      url,
      headers,
      body: body === null || body === undefined ? null : textOf(body),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      signal: signal ?? new AbortController().signal,
    });
    const empty = STATUS_WITHOUT_BODY.has(answer.status);
    return new Response(empty ? null : answer.body, { status: answer.status, headers: answer.headers });
  };
}

function textOf(body: Exclude<oidc.FetchBody, null | undefined>): string {
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('only texts are sent to identity providers');
}

/** The claims of the ID token, and what the provider says besides when it is asked. */
async function claimsOf(
  config: oidc.Configuration,
  callback: URL,
  { state, nonce, verifier }: Memory,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const tokens = await oidc.authorizationCodeGrant(config, callback, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new SignOnProblem('invalid', 'The identity provider sent no ID token.');
    const more =
      config.serverMetadata().userinfo_endpoint === undefined
        ? {}
        : await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
    return { ...more, ...claims };
  } catch (error) {
    throw problemOf(error);
  }
}

function problemOf(error: unknown): SignOnProblem {
  if (error instanceof SignOnProblem) return error;
  if (error instanceof oidc.AuthorizationResponseError) {
    // The provider's own words come by way of the browser, so anybody may have written them.
    return new SignOnProblem('denied', 'The identity provider has refused the sign-in.', { cause: error });
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof HttpFailure
    ? new SignOnProblem('away', 'The identity provider does not answer.', { cause: error })
    : new SignOnProblem(
        'invalid',
        `The answer of the identity provider is not what it should be${code === '' ? '' : ` (${code})`}.`,
        { cause: error },
      );
}
