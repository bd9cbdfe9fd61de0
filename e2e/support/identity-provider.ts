import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

/** What the provider says of somebody, besides `sub`. */
export type Claims = Readonly<Record<string, unknown>>;

export const CLIENT_ID = 'portcullis';
export const CLIENT_SECRET = randomBytes(24).toString('base64url');

/** A real OpenID Connect provider on the loopback interface. Whoever is `next` is who signs in. */
export class IdentityProvider {
  readonly issuer: string;
  /** Requests that came in, by path. */
  readonly asked: string[] = [];
  /** The person in front of the browser; null refuses the sign-in. */
  next: string | null = null;
  readonly #server: Server;
  readonly #people = new Map<string, Claims>();

  private constructor(server: Server, issuer: string) {
    this.#server = server;
    this.issuer = issuer;
  }

  /** @param redirectUri the only address that it sends browsers back to */
  static async start(redirectUri: string): Promise<IdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const self = new IdentityProvider(server, issuer);
    const provider = self.#provider(redirectUri);
    const serve = provider.callback();
    server.on('request', (request, response) => {
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      self.asked.push(path);
      if (path.startsWith('/interaction/')) void self.#interact(provider, request, response);
      else void serve(request, response);
    });
    return self;
  }

  /** Makes somebody known, or known anew. */
  person(sub: string, claims: Claims): void {
    this.#people.set(sub, claims);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #provider(redirectUri: string): Provider {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const provider: Provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: [redirectUri],
          response_types: ['code'],
          grant_types: ['authorization_code'],
        },
      ],
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }] },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      scopes: ['openid', 'email', 'profile', 'groups'],
      claims: {
        openid: ['sub'],
        email: ['email', 'email_verified'],
        profile: ['name'],
        groups: ['groups'],
      },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      pkce: { required: () => true },
      // Nobody is asked to consent.
      loadExistingGrant: async ({ oidc }) => {
        const grant = new provider.Grant({
          clientId: oidc.client?.clientId ?? '',
          accountId: oidc.session?.accountId ?? '',
        });
        grant.addOIDCScope('openid email profile groups');
        await grant.save();
        return grant;
      },
      findAccount: (_context, sub) => ({
        accountId: sub,
        claims: () => Promise.resolve({ sub, ...this.#people.get(sub) }),
      }),
    });
    return provider;
  }

  async #interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const result =
      this.next === null
        ? { error: 'access_denied', error_description: '<script>alert(1)</script>' }
        : { login: { accountId: this.next } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
}
