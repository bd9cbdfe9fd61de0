import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../../../e2e/support/needs.ts';
import { type RunningServer, startServer } from '../../src/compose.ts';
import { readEnvironment } from '../../src/config/index.ts';
import { Cable } from '../storage/cable.ts';
import { preparedDirectory, temporaryDatabase, temporaryDirectory } from '../storage/kit.ts';

const ADMIN = 'sk-propagation-admin-key';

const config = (more = ''): string => `
general_settings: { master_key: ${ADMIN} }
policy_engine: { sync_interval: 200ms }
model_list:
  - { model_name: gpt, litellm_params: { model: mock/m } }
guardrails:
  - guardrail_name: words-a
    litellm_params: { guardrail: litellm_content_filter, mode: pre_call, blocked_words: [{ keyword: alpha, action: BLOCK }] }
  - guardrail_name: words-b
    litellm_params: { guardrail: litellm_content_filter, mode: pre_call, blocked_words: [{ keyword: beta, action: BLOCK }] }
${more}`;

interface PolicyReadiness {
  readonly state: string;
  readonly revision: number | null;
  readonly origin: string | null;
  readonly rejected_revision: number | null;
  readonly problem: string | null;
  readonly problem_since: string | null;
  readonly last_known_good_problem: string | null;
}

/** One replica with a data directory of its own, in this process. */
class Replica {
  readonly #server: RunningServer;
  readonly #file: string;
  #stopped: Promise<void> | null = null;

  private constructor(server: RunningServer, file: string) {
    this.#server = server;
    this.#file = file;
  }

  static async start(directory: string, databaseUrl: string | null, text = config()): Promise<Replica> {
    const file = join(directory, 'config.yaml');
    writeFileSync(file, text);
    const server = await startServer({
      configFile: file,
      port: 0,
      host: '127.0.0.1',
      dataDir: directory,
      logLevel: 'silent',
      env: readEnvironment(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
    });
    return new Replica(server, file);
  }

  async reload(text: string): Promise<void> {
    writeFileSync(this.#file, text);
    await this.#server.reload();
  }

  /** Once is enough. */
  stop(): Promise<void> {
    this.#stopped ??= this.#server.close();
    return this.#stopped;
  }

  send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, key = ADMIN) {
    return fetch(this.#server.url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** A management call that must succeed. */
  async ok(method: string, path: string, body?: unknown): Promise<Record<string, string>> {
    const answer = await this.send(method, path, body);
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as Record<string, string>;
  }

  /** The status of a request with a word, and the revision that judged it. */
  async ask(word: string, headers: Record<string, string> = {}, key = ADMIN) {
    const body = { model: 'gpt', messages: [{ role: 'user', content: `about ${word}` }] };
    const answer = await this.send('POST', '/v1/chat/completions', body, headers, key);
    const text = await answer.text();
    return { status: answer.status, revision: Number(answer.headers.get('x-portcullis-revision')), text };
  }

  async readiness(): Promise<{ readonly http: number; readonly policy: PolicyReadiness }> {
    const answer = await this.send('GET', '/health/readiness');
    const { policy } = (await answer.json()) as { policy: PolicyReadiness };
    return { http: answer.status, policy };
  }

  state = async (): Promise<string> => (await this.readiness()).policy.state;
}

/** A policy of the database for everybody that refuses a word. */
async function demand(replica: Replica, name: string, guardrail: string): Promise<void> {
  await replica.ok('POST', '/policies', { policy_name: name, guardrails_add: [guardrail] });
  await replica.ok('POST', '/policies/attachments', { policy_name: name, scope: '*' });
}

const within = { timeout: 10_000, interval: 20 };

describe('with the embedded database', () => {
  let directory: Awaited<ReturnType<typeof preparedDirectory>>;
  let replica: Replica;

  beforeAll(async () => {
    directory = await preparedDirectory();
    replica = await Replica.start(directory.path, null);
  });
  afterAll(async () => {
    await replica.stop();
    directory.remove();
  });

  test('a policy is enforced when the answer to its making is there (S5)', async () => {
    expect((await replica.ask('alpha')).status).toBe(200);
    const made = await replica.send('POST', '/policies', {
      policy_name: 'stored',
      guardrails_add: ['words-a'],
    });
    const attached = await replica.send('POST', '/policies/attachments', {
      policy_name: 'stored',
      scope: '*',
    });
    expect([made.status, attached.status]).toEqual([200, 200]);
    const revision = Number(attached.headers.get('x-portcullis-revision'));
    expect(await replica.ask('alpha')).toMatchObject({ status: 400, revision });
  });

  test('D-78: a new configuration file takes a revision and leaves what is stored alone', async () => {
    const before = (await replica.readiness()).policy.revision ?? 0;
    await replica.reload(config('router_settings: { model_group_alias: { fast: gpt } }'));
    expect((await replica.readiness()).policy).toMatchObject({ revision: before + 1, state: 'in_force' });
    expect((await replica.ask('alpha')).status).toBe(400);
    await replica.reload(config());
    expect((await replica.ask('alpha')).status).toBe(400);
  });

  test('a restart serves what was in force before the database is open, never less', async () => {
    await replica.stop();
    const seen = new Set<number>();
    // What is answered while it starts: nothing at all, or with the stored policy.
    replica = await Replica.start(directory.path, null);
    for (let count = 0; count < 5; count += 1) seen.add((await replica.ask('alpha')).status);
    expect([...seen]).toEqual([400]);
    expect((await replica.readiness()).policy).toMatchObject({ state: 'in_force', origin: 'database' });
  });

  test('a file on the disk that was edited is refused with its reason, and replaced', async () => {
    await replica.stop();
    const file = join(directory.path, 'last-known-good.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('words-a', 'words-x'));
    replica = await Replica.start(directory.path, null);
    expect((await replica.ask('alpha')).status).toBe(400);
    expect(readFileSync(file, 'utf8')).toContain('words-a');
  });

  test('without the file on the disk the database is waited for', async () => {
    await replica.stop();
    rmSync(join(directory.path, 'last-known-good.jsonl'));
    replica = await Replica.start(directory.path, null);
    expect((await replica.ask('alpha')).status).toBe(400);
  });

  test('every replica of the fleet is one, and stands where the head is', async () => {
    const { replicas } = (await replica.ok('GET', '/policies/fleet')) as unknown as {
      replicas: Record<string, unknown>[];
    };
    expect(replicas).toHaveLength(1);
    expect(replicas[0]).toMatchObject({
      pid: process.pid,
      alive: true,
      state: 'in_force',
      lag: 0,
      rejected_revision: null,
      problem: null,
    });
  });
});

describeWith('DATABASE_URL_TEST', 'with PostgreSQL', (url) => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function database() {
    const own = await temporaryDatabase(url);
    cleanups.push(() => own.remove());
    return own.url;
  }

  async function start(databaseUrl: string, text?: string, path?: string): Promise<Replica> {
    let directory = path;
    if (directory === undefined) {
      const made = temporaryDirectory();
      cleanups.push(() => made.remove());
      directory = made.path;
    }
    const replica = await Replica.start(directory, databaseUrl, text);
    cleanups.push(() => replica.stop());
    return replica;
  }

  test('replicas with the same file share one revision, and see each other (S9)', async () => {
    const own = await database();
    const [one, two] = await Promise.all([start(own), start(own)]);
    expect(await one.ok('GET', '/policies/revision')).toMatchObject({ revision: 1, in_force: 1 });
    const fleet = (await two.ok('GET', '/policies/fleet')) as unknown as {
      replicas: { alive: boolean; lag: number; state: string }[];
    };
    expect(fleet.replicas.map(({ alive, lag, state }) => [alive, lag, state])).toEqual([
      [true, 0, 'in_force'],
      [true, 0, 'in_force'],
    ]);
  });

  test('D-30: a change through one replica is enforced by the other, and can be waited for (S6)', async () => {
    const own = await database();
    const [one, two] = [await start(own), await start(own)];
    await demand(one, 'stored', 'words-a');
    const { revision } = (await one.readiness()).policy;
    const judged = await two.ask('alpha', { 'x-portcullis-min-revision': String(revision) });
    expect(judged).toMatchObject({ status: 400, revision });
    const never = await two.ask('alpha', { 'x-portcullis-min-revision': '999' });
    expect(never.status).toBe(503);
    expect(never.text).toContain('"portcullis_code":"revision_not_reached"');
  });

  test('D-30: a message that was lost is made up for by polling', async () => {
    const own = await database();
    const [one, two] = [await start(own), await start(own)];
    // As a message that never came: a change that does not notify.
    const sql = postgres(own, { max: 1, onnotice: () => undefined });
    cleanups.push(() => sql.end());
    await demand(one, 'stored', 'words-a');
    await expect.poll(async () => (await two.ask('alpha')).status, within).toBe(400);
    const before = (await two.readiness()).policy.revision ?? 0;
    await sql.unsafe(`
      insert into portcullis.policy_revisions (revision, at, actor, call_id, config_digest)
        select revision + 1, now(), 'nobody', '', config_digest from portcullis.policy_head;
      update portcullis.policy_history set to_revision = ${before + 1} where object_type = 'attachment';
      update portcullis.policy_head set revision = revision + 1;`);
    await expect
      .poll(() => two.ask('alpha'), within)
      .toMatchObject({
        status: 200,
        revision: before + 1,
      });
  });

  test('D-01, D-74: a poisoned row keeps the last good revision and is named, until it is repaired', async () => {
    const own = await database();
    const [one, two] = [await start(own), await start(own)];
    await demand(one, 'stored', 'words-a');
    await expect.poll(async () => (await two.ask('alpha')).status, within).toBe(400);
    const good = (await two.readiness()).policy.revision ?? 0;
    const sql = postgres(own, { max: 1, onnotice: () => undefined });
    cleanups.push(() => sql.end());
    await sql.unsafe(`
      insert into portcullis.policy_revisions (revision, at, actor, call_id, config_digest)
        select revision + 1, now(), 'nobody', '', config_digest from portcullis.policy_head;
      insert into portcullis.policy_history (object_type, object_id, from_revision, document)
        values ('policy', 'poisoned-1', ${good + 1}, '{"policy": {"policy_name": "x", "gaurdrails_add": []}}');
      update portcullis.policy_head set revision = revision + 1;`);
    await expect.poll(() => two.state(), within).toBe('rejected');
    const { http, policy } = await two.readiness();
    expect([http, policy.revision, policy.rejected_revision]).toEqual([200, good, good + 1]);
    expect(policy.problem).toContain('policy poisoned-1');
    expect(policy.problem_since).not.toBeNull();
    expect(await two.ask('alpha')).toMatchObject({ status: 400, revision: good });
    await expect
      .poll(async () => {
        const fleet = (await one.ok('GET', '/policies/fleet')) as unknown as { replicas: object[] };
        return fleet.replicas;
      }, within)
      .toEqual([
        expect.objectContaining({ state: 'rejected', rejected_revision: good + 1, lag: 1 }),
        expect.objectContaining({ state: 'rejected', rejected_revision: good + 1, lag: 1 }),
      ]);
    await sql`delete from portcullis.policy_history where object_id = 'poisoned-1'`;
    await expect.poll(() => two.state(), within).toBe('in_force');
    expect(await two.ask('alpha')).toMatchObject({ status: 400, revision: good + 1 });
  });

  test('S10: a key that one replica blocks, another one refuses at once; the same for its team', async () => {
    const own = await database();
    const slow = config().replace('200ms', '30s');
    const [one, two] = [await start(own, slow), await start(own, slow)];
    await one.ok('POST', '/team/new', { team_id: 'team-1' });
    const { key = '' } = await one.ok('POST', '/key/generate', { team_id: 'team-1' });
    expect((await two.ask('nothing', {}, key)).status).toBe(200);
    const begin = performance.now();
    await one.ok('POST', '/key/block', { key });
    await expect.poll(async () => (await two.ask('nothing', {}, key)).status, within).toBe(401);
    // Without the message a copy would be used for five seconds.
    expect(performance.now() - begin).toBeLessThan(2_500);
    await one.ok('POST', '/key/unblock', { key });
    await expect.poll(async () => (await two.ask('nothing', {}, key)).status, within).toBe(200);
    await one.ok('POST', '/team/block', { team_id: 'team-1' });
    await expect.poll(async () => (await two.ask('nothing', {}, key)).status, within).toBe(401);
    await one.ok('POST', '/key/delete', { keys: [key] });
    await expect
      .poll(async () => (await two.ask('nothing', {}, key)).text, within)
      .toContain('key_not_found');
  });

  test('a database that goes away and comes back needs no restart', async () => {
    const own = await database();
    const cable = new Cable(own);
    await cable.plug();
    cleanups.push(() => cable.pull());
    const near = await start(own);
    const far = await start(cable.url);
    await demand(near, 'stored', 'words-a');
    await expect.poll(async () => (await far.ask('alpha')).status, within).toBe(400);
    await cable.pull();
    await expect.poll(() => far.state(), within).toBe('database_away');
    await demand(near, 'another', 'words-b');
    expect((await far.ask('alpha')).status).toBe(400);
    expect((await far.ask('beta')).status).toBe(200);
    expect((await far.readiness()).http).toBe(200);
    await cable.plug();
    await expect.poll(async () => (await far.ask('beta')).status, within).toBe(400);
    await expect.poll(() => far.state(), within).toBe('in_force');
  });

  test('S3: a restart while the database is away serves the last known good, and follows when it is back', async () => {
    const own = await database();
    const cable = new Cable(own);
    await cable.plug();
    cleanups.push(() => cable.pull());
    const directory = temporaryDirectory();
    cleanups.push(() => directory.remove());
    const near = await start(own);
    const first = await start(cable.url, undefined, directory.path);
    await demand(near, 'stored', 'words-a');
    await expect.poll(async () => (await first.ask('alpha')).status, within).toBe(400);
    await first.stop();
    await cable.pull();

    const second = await start(cable.url, undefined, directory.path);
    expect((await second.ask('alpha')).status).toBe(400);
    const { http, policy } = await second.readiness();
    expect(http).toBe(200);
    expect(policy).toMatchObject({ origin: 'last_known_good', state: 'database_away' });
    await demand(near, 'another', 'words-b');
    await cable.plug();
    await expect.poll(async () => (await second.ask('beta')).status, within).toBe(400);
    expect((await second.readiness()).policy).toMatchObject({ origin: 'database', state: 'in_force' });
  });

  test('D-02: a replica that never saw its database answers 503, and begins when it is there', async () => {
    const own = await database();
    const cable = new Cable(own);
    await cable.reserve();
    cleanups.push(() => cable.pull());
    const near = await start(own);
    await demand(near, 'stored', 'words-a');
    const late = await start(cable.url);
    const refused = await late.ask('alpha');
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining('policy_not_ready')]);
    expect((await late.readiness()).http).toBe(503);
    await cable.plug();
    await expect.poll(async () => (await late.ask('alpha')).status, within).toBe(400);
  });

  test('S9: a replica with another file keeps what it has, until it has the newest file', async () => {
    const own = await database();
    const one = await start(own);
    const two = await start(own);
    const newer = config('router_settings: { model_group_alias: { fast: gpt } }');
    await one.reload(newer);
    await expect.poll(() => two.state(), within).toBe('config_mismatch');
    expect((await two.readiness()).policy.revision).toBe(1);
    const refused = await two.send('POST', '/policies', { policy_name: 'x', guardrails_add: ['words-a'] });
    expect(refused.status).toBe(503);
    await refused.arrayBuffer();
    await demand(one, 'stored', 'words-a');
    expect((await two.ask('alpha')).status).toBe(200);
    await two.reload(newer);
    expect(await two.state()).toBe('in_force');
    expect((await two.ask('alpha')).status).toBe(400);
    expect(await one.ok('GET', '/policies/revision')).toMatchObject({ revision: 4 });
  });

  test('D-01, D-02: no request during 100 swaps is judged by no snapshot, or by parts of two', async () => {
    const own = await database();
    const [one, two] = [await start(own), await start(own)];
    await demand(one, 'stored', 'words-a');
    const v1 = (await one.ok('GET', '/policies/name/stored/versions')) as unknown as {
      versions: { policy_id: string }[];
    };
    const first = v1.versions[0]?.policy_id ?? '';
    const draft = await one.ok('POST', '/policies/name/stored/versions', {});
    const second = draft['policy_id'] ?? '';
    await one.ok('PUT', `/policies/${second}`, { guardrails_add: ['words-b'] });
    await one.ok('PUT', `/policies/${second}/status`, { version_status: 'published' });
    const expected = new Map<number, string>();
    const judged: { revision: number; status: number; by: string | undefined }[] = [];
    let done = false;
    const isDone = (): boolean => done;
    const loads = [one, two].map(async (replica) => {
      while (!isDone()) {
        const { status, revision, text } = await replica.ask('alpha and beta');
        judged.push({ status, revision, by: /words-[ab]/u.exec(text)?.[0] });
      }
    });
    const begin = (await one.readiness()).policy.revision ?? 0;
    for (let swap = 0; swap < 100; swap += 1) {
      const id = swap % 2 === 0 ? second : first;
      const answer = await one.send('PUT', `/policies/${id}/status`, { version_status: 'production' });
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
      const revision = Number(answer.headers.get('x-portcullis-revision'));
      expected.set(revision, swap % 2 === 0 ? 'words-b' : 'words-a');
      // The replica that made the change has swapped before it answers (S5).
      expect((await one.readiness()).policy.revision).toBe(revision);
    }
    done = true;
    await Promise.all(loads);
    expect(judged.length).toBeGreaterThan(100);
    const wrong = judged.filter(
      ({ status, revision, by }) => status !== 400 || (revision > begin && by !== expected.get(revision)),
    );
    expect(wrong).toEqual([]);
  }, 300_000);
});
