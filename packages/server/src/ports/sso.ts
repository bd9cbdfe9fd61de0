import type { Role } from './identity.ts';

/** How this gateway asks an identity provider, and what it makes of the answer. */
export interface SignOnSettings {
  /** The provider, by the address under which it describes itself. */
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client, which proves itself by PKCE alone. */
  readonly clientSecret: string | null;
  readonly scope: string;
  /** Where browsers reach this gateway, without a slash at the end. */
  readonly baseUrl: string;
  /** What the button says. */
  readonly label: string;
  readonly userIdClaim: string;
  readonly emailClaim: string;
  readonly nameClaim: string;
  /** Null: roles are given here, not by the provider. */
  readonly roleClaim: string | null;
  /** Values of the role claim, and what they make of somebody. */
  readonly roles: Readonly<Record<string, Role>>;
  /** Null: teams are given here, not by the provider. */
  readonly teamClaim: string | null;
  /** Values of the team claim, and the ids of the teams they mean. Without any, the values are the ids. */
  readonly teams: Readonly<Record<string, string>>;
  readonly defaultRole: Role;
  /** Whoever the provider lets through becomes a user. */
  readonly createUsers: boolean;
  /** Domains in lower case; with any, only verified addresses in them get in. */
  readonly allowedEmailDomains: readonly string[];
}

/** As long as signing in at the provider may take. */
export const MEMORY_MS = 600_000;

/** Whom the provider has sent. */
export interface SignedOn {
  /** The issuer and what it calls the person for ever. */
  readonly subject: string;
  readonly userId: string;
  /** In lower case, and only when the provider says that it is the person's own. */
  readonly email: string | null;
  readonly name: string | null;
  /** Null when the provider gives no roles. */
  readonly role: Role | null;
  /** Ids of teams; null when the provider gives none. */
  readonly teamIds: readonly string[] | null;
}

/** Why nobody got in. `denied`: the provider or the settings said no; `invalid`: the answer is none; `away`: no answer. */
export class SignOnProblem extends Error {
  override readonly name = 'SignOnProblem';
  readonly kind: 'denied' | 'invalid' | 'away';

  constructor(kind: SignOnProblem['kind'], message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}

/** Signing in with an identity provider. */
export interface SingleSignOn {
  readonly settings: SignOnSettings;
  /**
   * Begins: where to send the browser, and what it has to bring back.
   * @param returnTo a path of this gateway
   * @throws SignOnProblem `away`.
   */
  begin(returnTo: string): Promise<{ readonly url: string; readonly memory: string }>;
  /**
   * Ends: who came back.
   * @param search of the address that the provider has sent the browser to, with its `?`
   * @param memory what {@link begin} gave
   * @throws SignOnProblem
   */
  finish(
    search: string,
    memory: string | null,
  ): Promise<{ readonly person: SignedOn; readonly returnTo: string }>;
}

/** Seals small texts that browsers keep for us: nobody else can read or make them. */
export interface TextSealer {
  seal(purpose: string, text: string): string;
  /** Null for what was not sealed here, or for another purpose. */
  open(purpose: string, sealed: string): string | null;
}
