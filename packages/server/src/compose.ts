import { createHttp, type HttpClient, type HttpPort, secretPaths } from '@portcullis/guardrails';
import { createHmac, createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  adminKey,
  ConfigRefused,
  detectorsFor,
  type Environment,
  loadConfig,
  type LoadedConfig,
  type LogLevel,
  parseYaml,
  type PlacedFinding,
  readStoredModel,
  saltKeys,
  watchConfig,
} from './config/index.ts';
import { controlRoutes } from './control/routes.ts';
import { guardrailModels, modelCaller } from './gateway/ask.ts';
import type { Gateway } from './gateway/gateway.ts';
import { StoredResponses } from './gateway/stored-responses.ts';
import { modelInfo } from './gateway/models.ts';
import { HttpUpstreams } from './gateway/upstreams/http.ts';
import { createHttpServer, type Readiness } from './http/server.ts';
import { createAttempts } from './limits/attempts.ts';
import { createLimits, type CountedLimits } from './limits/limits.ts';
import { systemClock } from './ports/clock.ts';
import type { Catalogue } from './ports/catalogue.ts';
import { DatabaseError } from './ports/database.ts';
import type { ModelReader, ReadModel, WrittenModel } from './ports/model-reader.ts';
import type { KnownNames } from './ports/names.ts';
import type { ConfiguredObjects } from './ports/policy-engine.ts';
import type { SnapshotStatus } from './ports/snapshot.ts';
import { createPolicyEngine } from './snapshot/engine.ts';
import { createSingleSignOn } from './sso/provider.ts';
import { guardrailTools } from './snapshot/guardrail-tools.ts';
import { ActiveSnapshots } from './snapshot/holder.ts';
import { SnapshotLoader } from './snapshot/loader.ts';
import { FleetMember } from './snapshot/fleet.ts';
import { follow, type Following } from './snapshot/follow.ts';
import { PrincipalFollower } from './snapshot/principals.ts';
import { revisionTaker } from './snapshot/take-revision.ts';
import { mayHoldDatabase } from './storage/embedded/embedded.ts';
import { lastGoodStore } from './storage/last-good.ts';
import { openDatabase } from './storage/database.ts';
import { createIdentities } from './storage/identity/identities.ts';
import { principalOf } from './storage/identity/principal.ts';
import { createSessions } from './storage/identity/sessions.ts';
import { LateDatabase } from './storage/late-database.ts';
import { startRetention } from './storage/logs/retention.ts';
import { LogWriter } from './storage/logs/writer.ts';
import { keyringOf } from './storage/secrets/keyring.ts';
import { modelSeal } from './storage/secrets/model-seal.ts';
import { textSealer } from './storage/secrets/text-sealer.ts';
import { guardrailSecrets } from './storage/secrets/vault.ts';
import { ServerTelemetry } from './telemetry/telemetry.ts';

const VERSION = '0.1.0';
/** How long a stop waits for running requests before it cuts them. */
const DRAIN_MS = 10_000;
/** The longest time that a guardrail may be given (`timeout`). */
const OLD_CALLS_MS = 600_000;
const PING_MS = 1_000;
/** How long the answer to a change waits for the change to be enforced here. */
const REACH_MS = 10_000;
/** Only this process writes to the embedded database, and it forgets what it changes at once. */
const FRESH_EMBEDDED_MS = 60_000;
const FRESH_SHARED_MS = 5_000;

export interface StartOptions {
  readonly configFile: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly host: string;
  /** Where the embedded database and a generated admin key live. */
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly env: Environment;
  /** Processes of this command that share its port and its data; 1 when not given. */
  readonly workers?: number;
  /** A file descriptor or path for the log; standard output when not given. */
  readonly logDestination?: number | string;
}

/** What is worth telling a person at the start. */
export interface StartBanner {
  readonly version: string;
  /** The admin key, only when this start or an earlier one made it because none is configured. */
  readonly adminKey: string | null;
  readonly dataLocation: string;
  readonly ignoredSettings: readonly string[];
  readonly warnings: readonly PlacedFinding[];
}

export interface RunningServer {
  readonly url: string;
  readonly banner: StartBanner;
  /** Reads the configuration again, as SIGHUP does. */
  reload(): Promise<void>;
  /** Lets running requests end, at most ten seconds, then lets go of everything. */
  close(): Promise<void>;
}

/** Among workers, how long the database may take to open before this one answers without it, in milliseconds. */
const LISTEN_ANYWAY_MS = 10_000;

/**
 * Starts the gateway. Listens before the database is open, unless other workers answer meanwhile: until then requests are judged by the policies that were in
 * force last, virtual keys get 503 `identity_unavailable`, and the admin key works. Resolves when everything is open.
 * @throws ConfigRefused for a configuration with errors; the system's error for a port in use; DatabaseError for a data
 *   directory that cannot be used.
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const clock = systemClock;
  const loaded = await loadConfig(options.configFile, options.env);
  if (!loaded.ok) throw new ConfigRefused(options.configFile, loaded.findings);
  const { config } = loaded;
  const { settings } = config;
  const { workers = 1 } = options;
  if (workers > 1 && settings.databaseUrl === null) {
    throw new ConfigRefused(options.configFile, [unplaced(NEEDS_POSTGRES)]);
  }

  const telemetry = new ServerTelemetry({
    level: options.logLevel,
    clock,
    ...(options.logDestination === undefined ? {} : { destination: options.logDestination }),
  });
  const admin = adminKey(options.dataDir, [settings.masterKey]);

  const guardrailHttp = new GuardrailHttp(settings.allowedPrivateHosts);
  const hashKey = createSecretKey(randomBytes(32));

  const database = new LateDatabase(settings.databaseUrl === null ? 'embedded' : 'postgres');
  const identities = createIdentities({
    masterKey: admin.key,
    keys: database.stores.keys,
    clock,
    onEvent: (event) => telemetry.storage(event),
    freshMs: settings.databaseUrl === null ? FRESH_EMBEDDED_MS : FRESH_SHARED_MS,
    maxStaleMs: settings.principalMaxStaleMs,
  });
  database.onPrincipalChange((change) => identities.forget(change));
  const principals = new PrincipalFollower({
    feed: database.principals,
    forget: (change) => identities.forget(change),
    forgetAll: () => identities.forgetAll(),
  });
  const limits = await createLimits({
    spend: database.stores.spend,
    clock,
    onEvent: (event) => telemetry.limits(event),
    redisUrl: settings.redisUrl,
    whenAway: settings.limitsUnavailable,
    freshMs: settings.databaseUrl === null ? Infinity : FRESH_SHARED_MS,
  });

  const attempts = createAttempts({ clock, redisUrl: settings.redisUrl });
  const sessions = createSessions({ masterKey: admin.key, sessions: database.stores.sessions, clock });

  const snapshots = new ActiveSnapshots();
  const upstreams = new HttpUpstreams();
  const models = modelCaller({ snapshots, upstreams, limits, clock });
  const ports = {
    clock,
    http: guardrailHttp,
    models: guardrailModels(models),
    hash: (text: string): string => createHmac('sha256', hashKey).update(text).digest('hex').slice(0, 16),
  };
  const tools = { catalogue: detectorsFor(options.configFile), ports, clock };
  const keyring = keyringOf(saltsOf(options, settings));
  const sealer = textSealer(keyring);
  const sso =
    settings.sso === null
      ? null
      : createSingleSignOn({
          settings: settings.sso,
          http: guardrailHttp,
          sealer,
          clock,
        });
  const modelReader: ModelReader = {
    ...modelSeal(sealer),
    read: (model) => readStoredModel(model, (loader.inForce ?? config).modelDefaults),
  };
  const secrets = guardrailSecrets({
    keyring,
    secretPaths: (params) => secretPaths(params, tools.catalogue),
  });
  const fleet = new FleetMember({
    database,
    self: {
      replicaId: randomUUID(),
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      startedAtMs: clock.now(),
    },
    status: () => loader.status,
  });
  const loader: SnapshotLoader<LoadedConfig> = new SnapshotLoader({
    holder: snapshots,
    tools,
    events: telemetry,
    documents: database.documents,
    lastGood: lastGoodStore(options.dataDir, database.kind),
    openGuardrail: (guardrail) => secrets.open(guardrail),
    openModel: (model, { modelDefaults }) => opened(modelReader.open(model), modelDefaults),
    takeRevision: revisionTaker({
      database,
      fleet,
      clock,
      by: `configuration file on ${hostname()}`,
    }),
    isOrphaned: async (digest) => database.kind === 'embedded' || (await fleet.isOrphaned(digest)),
  });
  const engine = createPolicyEngine({
    holder: snapshots,
    tools,
    configured: () => (loader.inForce === null ? null : configuredObjects(loader.inForce)),
    reach: async (revision) => {
      await loader.ensureRevision(revision, REACH_MS);
    },
    openGuardrail: (guardrail) => secrets.open(guardrail),
  });
  const knownNames: KnownNames = {
    isPolicy: (name) => snapshots.current()?.policy.production.has(name) ?? false,
    isGuardrail: (name) => snapshots.current()?.policy.guardrails.has(name) ?? false,
    attachedToKey: (tokenHash) =>
      (snapshots.current()?.policy.documents.attachments ?? [])
        .filter(({ keys }) => keys.includes(tokenHash))
        .map(({ policy_name }) => policy_name),
  };

  const logWriter = new LogWriter({ database, clock, onEvent: (event) => telemetry.logStore(event) });
  telemetry.keepRequestsIn(settings.storeRequests ? logWriter : null);
  let logSettings = { keepMs: settings.logRetentionMs, everyMs: settings.logRetentionEveryMs };
  const logRetention = startRetention({
    database,
    clock,
    settings: () => logSettings,
    onEvent: (event) => telemetry.logStore(event),
  });

  let applied = config;
  loader.onChange(() => {
    const next = loader.inForce;
    if (next === null || next === applied) return;
    applied = next;
    guardrailHttp.allow(next.settings.allowedPrivateHosts);
    telemetry.keepRequestsIn(next.settings.storeRequests ? logWriter : null);
    logSettings = { keepMs: next.settings.logRetentionMs, everyMs: next.settings.logRetentionEveryMs };
  });

  const responses = new StoredResponses();
  const gateway: Gateway = {
    snapshots,
    identities,
    limits,
    upstreams,
    responses,
    telemetry,
    clock,
    version: VERSION,
  };
  telemetry.metrics.observe(() => ({
    snapshot: loader.status,
    logs: logWriter.status,
    limits: limits.status(),
    nowMs: clock.now(),
  }));
  const http = createHttpServer({
    gateway,
    controlRoutes: controlRoutes({
      database,
      clock,
      knownNames,
      spending: limits,
      models,
      engine,
      principalOf,
      guardrails: { tools: guardrailTools({ ...tools, snapshots, parseYaml }), secrets },
      catalogue: catalogueOf(snapshots),
      modelReader,
      signIn: { sessions, attempts, sso },
    }),
    sessions,
    readiness: () => readinessOf(loader, database, logWriter, limits),
    metrics: async () => ({ type: telemetry.metrics.contentType, text: await telemetry.metrics.text() }),
    storedRecord: async (callId) => (await database.stores.logs.find(callId, null))?.record ?? null,
  });

  const close = async (): Promise<void> => {
    clearTimeout(listenAnyway);
    await watch?.close();
    await http.close(DRAIN_MS);
    for (const one of following) await one.stop();
    await fleet.leave();
    await upstreams.close();
    await logRetention.stop();
    await logWriter.close();
    await guardrailHttp.close();
    await limits.close();
    await attempts.close();
    await database.close();
    snapshots.close();
    await telemetry.close();
  };
  let watch: ReturnType<typeof watchConfig> | null = null;
  let listenAnyway: NodeJS.Timeout | undefined;
  const following: Following[] = [];
  let listening: Promise<string> | null = null;
  const listen = (): Promise<string> => (listening ??= http.listen(options.port, options.host));
  const failedToListen = (error: unknown): void => telemetry.fault('listen', error);

  try {
    if (workers === 1) await listen();
    else listenAnyway = setTimeout(() => void listen().catch(failedToListen), LISTEN_ANYWAY_MS);
    // A database that is only being made holds no policies; any other one has to be asked, or remembered.
    const isNew = settings.databaseUrl === null && !mayHoldDatabase(options.dataDir);
    if ((await loader.restore(config)) === 'none' && isNew) {
      const alone = await loader.loadAlone(config);
      if (!alone.ok) throw new ConfigRefused(options.configFile, [unplaced(alone.problem)]);
    }
    watch = watchConfig({
      file: options.configFile,
      load: () => loadConfig(options.configFile, options.env),
      onResult: async (result) => {
        if (!result.ok) {
          loader.refuseConfiguration(result.findings.map(({ message }) => message).join('; '));
          return;
        }
        const next = result.config.settings;
        const fixed = ['masterKey', 'databaseUrl', 'redisUrl', 'limitsUnavailable'] as const;
        const isOther = JSON.stringify(next.sso) !== JSON.stringify(settings.sso);
        if (isOther || fixed.some((name) => next[name] !== settings[name])) {
          telemetry.warn('restart_needed', {
            reason: 'master_key, database_url, redis_url, limits_unavailable and sso are read at start only',
          });
        }
        await loader.configure(result.config);
      },
      onProblem: (problem) => telemetry.fault('config_watch', problem),
    });
    await database.open(
      openDatabase({
        dataDir: options.dataDir,
        url: settings.databaseUrl,
        clock,
        onEvent: (event) => telemetry.storage(event),
      }),
    );
    const everyMs = (): number => (loader.inForce ?? config).settings.syncEveryMs;
    following.push(
      follow({
        look: loader.sync,
        listen: () =>
          database.documents.listen((revision) => {
            if (revision > (snapshots.current()?.revision ?? -1)) void loader.sync();
          }),
        everyMs,
      }),
    );
    if (database.kind === 'postgres') {
      const look = principals.look;
      following.push(follow({ look, listen: () => database.principals.listen(() => void look()), everyMs }));
    }
    snapshots.onAwaited = () => loader.nudge();
    loader.onChange(() => fleet.changed());
    await Promise.all(following.map(({ first }) => first));
    await fleet.start();
    clearTimeout(listenAnyway);
    return {
      url: await listen(),
      banner: {
        version: VERSION,
        // A configured key is the operator's own; only one that was made here has to be told.
        adminKey: admin.file === null ? null : admin.key,
        dataLocation: settings.databaseUrl === null ? options.dataDir : 'PostgreSQL',
        ignoredSettings: config.ignoredSettings,
        warnings: [
          ...config.warnings,
          ...(workers > 1 && settings.redisUrl === null ? [countsApart(workers)] : []),
        ],
      },
      reload: () => watch?.reload() ?? Promise.resolve(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface MigrateOptions {
  /** Where the embedded database lives; made when it is not there. */
  readonly dataDir: string;
  /** A PostgreSQL instead, or null. */
  readonly url: string | null;
}

export interface Migrated {
  readonly database: 'embedded' | 'postgres';
  /** The steps that were missing, in order. */
  readonly applied: readonly string[];
}

/**
 * Brings a database to this version: all missing steps or none.
 * @throws DatabaseError when it is held by another process, cannot be worked with, or is away.
 */
export async function migrateDatabase({ dataDir, url }: MigrateOptions): Promise<Migrated> {
  const applied: string[] = [];
  let away: string | null = null;
  const database = await openDatabase({
    dataDir,
    url,
    clock: systemClock,
    onEvent: (event) => {
      if (event.kind === 'migrated') applied.push(event.name);
      if (event.kind === 'unavailable') away = event.reason;
    },
  });
  const { kind } = database;
  await database.close();
  // The gateway would wait for it; somebody who asks for this now wants to know.
  if (away !== null) throw new DatabaseError('unavailable', away);
  return { database: kind, applied };
}

/** The outbound HTTP of guardrails, made anew when the configuration changes which private hosts may be called. */
class GuardrailHttp implements HttpPort {
  #hosts: readonly string[];
  #client: HttpClient;

  constructor(hosts: readonly string[]) {
    this.#hosts = hosts;
    this.#client = createHttp({ allowHosts: hosts });
  }

  send(request: Parameters<HttpPort['send']>[0]): ReturnType<HttpPort['send']> {
    return this.#client.send(request);
  }

  allow(hosts: readonly string[]): void {
    if (hosts.length === this.#hosts.length && hosts.every((host) => this.#hosts.includes(host))) return;
    const old = this.#client;
    this.#hosts = hosts;
    this.#client = createHttp({ allowHosts: hosts });
    // Calls under way may end; no guardrail may take longer than this.
    setTimeout(() => void old.close(), OLD_CALLS_MS).unref();
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

const NEEDS_POSTGRES =
  'several workers need a database that processes can share: set DATABASE_URL to a PostgreSQL, or start without --workers. The built-in database belongs to one process';

const countsApart = (workers: number): PlacedFinding => ({
  ...unplaced(
    `each of the ${workers} workers counts limits for itself, so that together they let ${workers} times as much through: set REDIS_URL to a Redis or Valkey in which they count together`,
  ),
  severity: 'warning',
});

const unplaced = (message: string): PlacedFinding => ({
  severity: 'error',
  code: 'load_failed',
  message,
  path: [],
  place: null,
});

/** What the management routes see of a configuration. */
function configuredObjects({ settings, ...config }: LoadedConfig): ConfiguredObjects {
  const ids = config.deployedGroups.flatMap(({ deployments }) => deployments.map(({ id }) => id));
  return {
    ...config,
    modelIds: new Set(ids),
    unscanned: settings.unscanned,
    createAs: settings.createAs,
  };
}

/**
 * What encrypts stored secrets. Replicas share a PostgreSQL but no data directory, so without a key of its own the admin
 * key is taken there, as in the reference; and what it has encrypted stays readable.
 */
function saltsOf(
  { env, dataDir }: StartOptions,
  { databaseUrl, masterKey }: LoadedConfig['settings'],
): readonly string[] {
  const shared = databaseUrl === null || masterKey === null ? [] : [masterKey];
  const given = env.saltKeys.length > 0 ? env.saltKeys : shared;
  return saltKeys(dataDir, given, [...env.oldSaltKeys, ...shared]);
}

/** A model of the database, ready to be called. @throws when this version cannot read what an earlier one has taken. */
function opened(model: WrittenModel, defaults: LoadedConfig['modelDefaults']): ReadModel {
  const read = readStoredModel(model, defaults);
  if (read.ok) return read.model;
  const [first] = read.problems;
  throw new Error(
    `the model "${model.modelName}" (${model.modelId}) of the database cannot be read: ${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`,
  );
}

/** What the active snapshot holds, for lists. */
function catalogueOf(snapshots: ActiveSnapshots): Catalogue {
  return {
    guardrails: () =>
      [...(snapshots.current()?.policy.guardrails.values() ?? [])].map(({ name, configurations }) => {
        const [first] = configurations;
        const description = first?.guardrail_info['description'];
        return {
          name,
          ids: configurations.map(({ guardrail_id }) => guardrail_id),
          provider: first?.litellm_params.guardrail ?? 'unknown',
          mode: first?.litellm_params.mode ?? null,
          description: typeof description === 'string' ? description : null,
        };
      }),
    models: (identity) => {
      const snapshot = snapshots.current();
      return snapshot === null ? null : modelInfo(snapshot, identity);
    },
    policies: () =>
      (snapshots.current()?.policy.documents.policies ?? []).map((policy) => ({
        policyId: policy.policy_id,
        name: policy.policy_name,
        version: policy.version_number,
        description: policy.description,
      })),
  };
}

/** Ready with a snapshot, and with a database that was open once: without it every virtual key would be refused. */
async function readinessOf(
  loader: SnapshotLoader<LoadedConfig>,
  database: LateDatabase,
  logWriter: LogWriter,
  limits: CountedLimits,
): Promise<Readiness> {
  const { revision, loadedAtMs } = loader.status;
  const connected = await database.answersWithin(PING_MS);
  const ready = revision !== null && database.wasOpen;
  return {
    status: ready ? 200 : 503,
    body: {
      status: ready ? 'healthy' : 'starting',
      db: connected ? 'connected' : 'Not connected',
      cache: null,
      limits: limits.status(),
      litellm_version: VERSION,
      success_callbacks: [],
      last_updated: loadedAtMs === null ? null : new Date(loadedAtMs).toISOString(),
      policy: policyStatus(loader.status),
      logs: logWriter.status,
    },
  };
}

/** What readiness says of the snapshot (S2). */
function policyStatus(status: SnapshotStatus): Readonly<Record<string, unknown>> {
  return {
    state: status.state,
    revision: status.revision,
    digest: status.digest,
    origin: status.origin,
    head_revision: status.headRevision,
    rejected_revision: status.rejectedRevision,
    problem: status.problem,
    problem_since: isoOf(status.problemSinceMs),
    last_known_good_problem: status.lastGoodProblem,
  };
}

const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
