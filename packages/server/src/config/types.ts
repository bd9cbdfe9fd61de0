import type { Attachment, Finding, Guardrail, ModelGroup, Policy, Unscanned } from '@portcullis/policy';
import type { DeployedGroup } from '../ports/models.ts';
import type { ModelDefaults } from './models.ts';
import type { SignOnSettings } from '../ports/sso.ts';

/** A place in the configuration file, 1-based. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A finding with its place, as `portcullis validate` prints it. */
export interface PlacedFinding extends Finding {
  readonly place: SourcePlace | null;
}

/** A configuration file, read, checked and with every `os.environ/NAME` filled in. Nothing in it is optional any more. */
export interface LoadedConfig {
  readonly file: string;
  /** SHA-256 of the file's bytes and of the environment values it uses, hexadecimal (S9). */
  readonly digest: string;
  readonly policies: readonly Policy[];
  readonly attachments: readonly Attachment[];
  readonly guardrails: readonly Guardrail[];
  readonly modelGroups: readonly ModelGroup[];
  readonly deployedGroups: readonly DeployedGroup[];
  readonly modelAliases: Readonly<Record<string, string>>;
  /** For models that do not say, those of the API included. */
  readonly modelDefaults: ModelDefaults;
  readonly settings: {
    readonly masterKey: string | null;
    readonly databaseUrl: string | null;
    readonly keyHeaderName: string | null;
    readonly useForwardedFor: boolean;
    /** Signing in with an identity provider; null without one. */
    readonly sso: SignOnSettings | null;
    readonly maxRequestBytes: number;
    readonly addUserAgentTags: boolean;
    readonly guardrailBudgetMs: number;
    readonly streamBufferCharacters: number;
    /** Finished requests go to the log store; their log lines are written in any case (`disable_spend_logs`). */
    readonly storeRequests: boolean;
    readonly storePrompts: boolean;
    /** How long requests are kept in the log store, in milliseconds; null for ever. */
    readonly logRetentionMs: number | null;
    readonly logRetentionEveryMs: number;
    readonly unscanned: Unscanned | null;
    /** What `POST /policies` makes when the body does not say (V3). */
    readonly createAs: 'production' | 'draft';
    readonly principalMaxStaleMs: number;
    /** Time between two looks at the database for changes that no message told of, in milliseconds (S5). */
    readonly syncEveryMs: number;
    /** The Redis or Valkey that replicas count limits in; null to count in memory. */
    readonly redisUrl: string | null;
    /** What happens to calls with limits while it is away. */
    readonly limitsUnavailable: 'local' | 'block';
    /** Host names or addresses of guardrail services that may be private. */
    readonly allowedPrivateHosts: readonly string[];
  };
  /** Settings of LiteLLM that this product does not have, by dotted path: listed once at start. */
  readonly ignoredSettings: readonly string[];
  readonly warnings: readonly PlacedFinding[];
}

export type ConfigResult =
  | { readonly ok: true; readonly config: LoadedConfig }
  | { readonly ok: false; readonly findings: readonly PlacedFinding[] };
