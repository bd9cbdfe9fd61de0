import {
  type ComparePoliciesQuery,
  comparePoliciesQuerySchema,
  type PolicyListQuery,
  policyListQuerySchema,
  PortcullisError,
  type RevisionQuery,
  revisionQuerySchema,
} from '@portcullis/contract';
import { comparePolicies, type Policy, resolvedGuardrails, type Snapshot } from '@portcullis/policy';
import type { StoredPolicy } from '../../ports/policy-store.ts';
import { configuredOf, type StoredObjects } from '../changes/documents.ts';
import { configPolicyRow } from '../changes/rows.ts';
import { changeEntry, type ChangeMaker, revisionHeader } from '../changes/transact.ts';
import type { ControlContext } from '../context.ts';
import { pageOf } from '../pages.ts';
import type { Route } from '../route.ts';
import { policyNotFound, versionRow } from './access.ts';

type Row = Readonly<Record<string, unknown>>;

const CHANGES_TOLD = 1_000;

/** `GET /policies/list`: every version of the database, newest first, then the policies of the configuration file. */
export function listPoliciesRoute(context: ControlContext): Route<unknown, PolicyListQuery> {
  const { database, engine } = context;
  return {
    method: 'GET',
    path: '/policies/list',
    permission: 'admin_viewer',
    query: policyListQuerySchema,
    async handler({ query }) {
      const { policies: store } = database.stores;
      const { version_status: status } = query;
      const filter = status === undefined ? {} : { status };
      const config = configuredOf(engine);
      const hidden = await productionIds(context);
      const isListed = status === undefined || status === 'production';
      // A production version of the database hides its twin of the file; it is shown as standing before it (S7).
      const configured = isListed
        ? config.policies.filter(({ policy_name }) => !hidden.has(policy_name))
        : [];
      const page = await pageOf<StoredPolicy, Row | StoredPolicy>(query, {
        stored: (limit, after) =>
          store.policies({
            ...filter,
            ...(limit === undefined ? {} : { limit }),
            ...(after === undefined ? {} : { after }),
          }),
        placeOf: ({ createdAtMs, policy }) => ({ createdAtMs, id: policy.policy_id }),
        storedRow: (stored) => stored,
        configRows: configured.map((policy) => configPolicyRow(policy, null)),
      });
      const total = (await store.countPolicies(filter)) + configured.length;
      const stored = page.rows.filter(isStored);
      const rows = await versionRows(context, stored);
      const listed = [...rows, ...page.rows.filter((row) => !isStored(row))];
      return { body: { policies: listed, total_count: total, next: page.next } };
    },
  };
}

function isStored(row: Row | StoredPolicy): row is StoredPolicy {
  return 'policy' in row;
}

/** Names that the database has in production, with the version. */
async function productionIds({ database, engine }: ControlContext): Promise<ReadonlyMap<string, string>> {
  if (configuredOf(engine).policies.length === 0) return new Map();
  const production = await database.stores.policies.policies({ status: 'production' });
  return new Map(production.map(({ policy }) => [policy.policy_name, policy.policy_id]));
}

async function versionRows(
  { database, engine }: ControlContext,
  versions: readonly StoredPolicy[],
): Promise<readonly Row[]> {
  const names = versions.map(({ policy }) => policy.policy_name);
  const latest = await database.stores.policies.latestVersions(names);
  const configured = new Set(configuredOf(engine).policies.map(({ policy_name }) => policy_name));
  return versions.map((stored) => {
    const { policy_name, version_number } = stored.policy;
    return versionRow(stored, {
      isLatest: latest.get(policy_name) === version_number,
      isConfigured: configured.has(policy_name),
    });
  });
}

/** `GET /policies/name/{policy_name}/versions`: newest first; an unknown name is 404 (D-58). */
export function listVersionsRoute(context: ControlContext): Route {
  const { database, engine } = context;
  return {
    method: 'GET',
    path: '/policies/name/:policy_name/versions',
    permission: 'admin_viewer',
    async handler({ params }) {
      const name = params['policy_name'] ?? '';
      const stored = await database.stores.policies.policies({ name });
      const config = configuredOf(engine).policies.filter(({ policy_name }) => policy_name === name);
      if (stored.length + config.length === 0) {
        throw new PortcullisError('not_found', `Policy '${name}' not found`, { param: 'policy_name' });
      }
      const production = stored.find(({ policy }) => policy.version_status === 'production');
      const versions = [
        ...(await versionRows(context, stored)),
        ...config.map((policy) => configPolicyRow(policy, production?.policy.policy_id ?? null)),
      ];
      return { body: { policy_name: name, versions, total_count: versions.length } };
    },
  };
}

/** `GET /policies/{policy_id}`: one version, of the database or, by its name, of the configuration file. */
export function getPolicyRoute(context: ControlContext): Route {
  const { database, engine } = context;
  return {
    method: 'GET',
    path: '/policies/:policy_id',
    permission: 'admin_viewer',
    async handler({ params }) {
      const id = params['policy_id'] ?? '';
      const stored = await database.stores.policies.policy(id);
      if (stored !== null) return { body: (await versionRows(context, [stored]))[0] };
      const configured = configuredOf(engine).policies.find(({ policy_id }) => policy_id === id);
      if (configured === undefined) throw policyNotFound(id);
      const shadowedBy = (await productionIds(context)).get(configured.policy_name) ?? null;
      return { body: configPolicyRow(configured, shadowedBy) };
    },
  };
}

/** `GET /policies/{policy_id}/resolved-guardrails`: of exactly this version (V8, D-55). */
export function resolvedGuardrailsRoute(context: ControlContext, changes: ChangeMaker): Route {
  return {
    method: 'GET',
    path: '/policies/:policy_id/resolved-guardrails',
    permission: 'admin_viewer',
    async handler({ params }) {
      const id = params['policy_id'] ?? '';
      const { snapshot, revision, objects } = await newestSnapshot(context, changes);
      const policy = versionOf(context, objects, id);
      const resolved = resolvedGuardrails(snapshot, id);
      if (resolved === null) throw isShadowed(id);
      const { policy_name, version_number } = policy;
      return {
        body: { policy_id: id, policy_name, resolved_guardrails: resolved, version_number },
        headers: revisionHeader(revision),
      };
    },
  };
}

/** `GET /policies/compare`: fields, and guardrails after inheritance (Q3, D-90). */
export function comparePoliciesRoute(
  context: ControlContext,
  changes: ChangeMaker,
): Route<unknown, ComparePoliciesQuery> {
  return {
    method: 'GET',
    path: '/policies/compare',
    permission: 'admin_viewer',
    query: comparePoliciesQuerySchema,
    async handler({ query }) {
      const { snapshot, revision, objects } = await newestSnapshot(context, changes);
      const rows = async (id: string): Promise<readonly [Policy, Row]> => {
        const stored = objects.policies.get(id);
        if (stored !== undefined) return [stored.policy, (await versionRows(context, [stored]))[0] ?? {}];
        const policy = versionOf(context, objects, id, 'Policy ');
        return [policy, configPolicyRow(policy, null)];
      };
      const [a, rowA] = await rows(query.version_a);
      const [b, rowB] = await rows(query.version_b);
      return {
        body: { version_a: rowA, version_b: rowB, ...comparePolicies(snapshot, a, b) },
        headers: revisionHeader(revision),
      };
    },
  };
}

function versionOf(
  { engine }: ControlContext,
  objects: StoredObjects,
  id: string,
  text = 'Policy with ID ',
): Policy {
  const found =
    objects.policies.get(id)?.policy ??
    configuredOf(engine).policies.find(({ policy_id }) => policy_id === id);
  if (found !== undefined) return found;
  throw new PortcullisError('not_found', `${text}${id} not found`, { param: 'policy_id' });
}

function isShadowed(id: string): PortcullisError {
  return new PortcullisError(
    'not_found',
    `Policy '${id}' of config.yaml is not in force: a production version of the database stands before it.`,
    { param: 'policy_id' },
  );
}

/** The newest committed documents, compiled: also a draft that no snapshot has loaded yet is there. */
async function newestSnapshot(
  { engine }: ControlContext,
  changes: ChangeMaker,
): Promise<{ snapshot: Snapshot; revision: number; objects: StoredObjects }> {
  const { compiled, revision, objects } = await changes.newest.compiled(engine);
  if (compiled.ok) return { snapshot: compiled.snapshot, revision, objects };
  const reasons = compiled.findings.slice(0, 5).map(({ path, message }) => [...path, message].join(': '));
  throw new PortcullisError(
    'policy_not_ready',
    `The stored policies and the configuration do not go together: ${reasons.join('; ')}`,
  );
}

/** `GET /policies/revision`: the newest revision, and with `since` what was changed after that one (V7). */
export function revisionRoute({ database, engine }: ControlContext): Route<unknown, RevisionQuery> {
  return {
    method: 'GET',
    path: '/policies/revision',
    permission: 'admin_viewer',
    query: revisionQuerySchema,
    async handler({ query }) {
      const { policies } = database.stores;
      const { revision, configDigest } = await policies.head();
      const changes =
        query.since === undefined ? null : await policies.changesSince(query.since, CHANGES_TOLD);
      return {
        body: {
          revision,
          config_digest: configDigest,
          in_force: engine.current()?.revision ?? null,
          ...(changes === null ? {} : { changes: changes.map(changeEntry) }),
        },
        headers: revisionHeader(revision),
      };
    },
  };
}
