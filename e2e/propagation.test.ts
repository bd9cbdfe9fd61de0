// Two replicas, each a process of its own, on one PostgreSQL: how soon a change is enforced everywhere, and that no
// request is ever judged by something in between (S1, S5, D-30).
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenForCommits } from '../packages/server/test/propagation/commits.ts';
import { temporaryDatabase } from '../packages/server/test/storage/kit.ts';
import { describeWith } from './support/needs.ts';
import { isBuilt, ServerProcess } from './support/process.ts';

const isFull = process.env['PORTCULLIS_TEST_STRICT'] === '1';
const PROMOTIONS = isFull ? 200 : 30;
/** The promise of S5, from the commit to the enforcement on every replica. */
const LIMIT_MS = 1_000;

const CONFIG = `
model_list:
  - { model_name: gpt, litellm_params: { model: mock/m } }
guardrails:
  - guardrail_name: words-a
    litellm_params: { guardrail: litellm_content_filter, mode: pre_call, blocked_words: [{ keyword: alpha, action: BLOCK }] }
  - guardrail_name: words-b
    litellm_params: { guardrail: litellm_content_filter, mode: pre_call, blocked_words: [{ keyword: beta, action: BLOCK }] }
`;

interface Judged {
  readonly replica: number;
  readonly at: number;
  readonly status: number;
  readonly revision: number;
  readonly guardrail: string | undefined;
}

describeWith('DATABASE_URL_TEST', 'two replicas on one PostgreSQL', (url) => {
  let database: Awaited<ReturnType<typeof temporaryDatabase>>;
  let replicas: ServerProcess[] = [];

  beforeAll(async () => {
    if (!isBuilt) return;
    database = await temporaryDatabase(url);
    replicas = await Promise.all([1, 2].map(() => ServerProcess.start(CONFIG, database.url)));
  });
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    if (isBuilt) await database.remove();
  });

  const replica = (index: number): ServerProcess => {
    const found = replicas[index];
    if (found === undefined) throw new Error(`there is no replica ${index}`);
    return found;
  };

  /** A management call that must succeed; gives the body and the revision. */
  async function manage(index: number, method: string, path: string, body?: unknown) {
    const answer = await replica(index).send(method, path, body);
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return {
      body: JSON.parse(text) as Record<string, unknown>,
      revision: Number(answer.headers.get('x-portcullis-revision')),
    };
  }

  /** Both words in one request: exactly one guardrail stands against them at any time. */
  async function ask(index: number, headers: Readonly<Record<string, string>> = {}): Promise<Judged> {
    const messages = [{ role: 'user', content: 'alpha and beta' }];
    const answer = await replica(index).send(
      'POST',
      '/v1/chat/completions',
      { model: 'gpt', messages },
      headers,
    );
    const text = await answer.text();
    return {
      replica: index,
      at: performance.now(),
      status: answer.status,
      revision: Number(answer.headers.get('x-portcullis-revision')),
      guardrail: /"guardrail_name":"([^"]+)"/u.exec(text)?.[1],
    };
  }

  test.skipIf(!isBuilt)(
    'every promotion is enforced everywhere within a second, and no answer under load is mixed',
    async () => {
      const made = await manage(0, 'POST', '/policies', { policy_name: 'p', guardrails_add: ['words-a'] });
      const attached = await manage(0, 'POST', '/policies/attachments', { policy_name: 'p', scope: '*' });
      const draft = await manage(0, 'POST', '/policies/name/p/versions', {});
      const first = String(made.body['policy_id']);
      const second = String(draft.body['policy_id']);
      await manage(0, 'PUT', `/policies/${second}`, { guardrails_add: ['words-b'] });
      const { revision: begin } = await manage(0, 'PUT', `/policies/${second}/status`, {
        version_status: 'published',
      });
      expect(attached.revision).toBeLessThan(begin);
      for (const index of [0, 1]) await ask(index, { 'x-portcullis-min-revision': String(begin) });

      const committed = new Map<number, number>();
      const stopListening = await listenForCommits(database.url, (revision) => {
        committed.set(revision, performance.now());
      });

      const guardrailAt = new Map([[begin, 'words-a']]);
      const judged: Judged[] = [];
      let isOver = false;
      const over = (): boolean => isOver;
      const load = [0, 1].map(async (index) => {
        while (!over()) judged.push(await ask(index));
      });

      const sent: { readonly revision: number; readonly at: number }[] = [];
      for (let count = 0; count < PROMOTIONS; count += 1) {
        // Through both replicas in turn, so that each of them also learns of changes by the other.
        const by = count % 2;
        const isSecond = count % 2 === 0;
        const at = performance.now();
        const { revision } = await manage(by, 'PUT', `/policies/${isSecond ? second : first}/status`, {
          version_status: 'production',
        });
        sent.push({ revision, at });
        guardrailAt.set(revision, isSecond ? 'words-b' : 'words-a');
        // Never older than what was asked for (S6), on either replica.
        for (const index of [0, 1]) {
          const waited = await ask(index, { 'x-portcullis-min-revision': String(revision) });
          expect(waited.status).toBe(400);
          expect(waited.revision).toBeGreaterThanOrEqual(revision);
          judged.push(waited);
        }
      }
      isOver = true;
      await Promise.all(load);

      const mixed = judged.filter(
        ({ status, revision, guardrail }) => status !== 400 || guardrail !== guardrailAt.get(revision),
      );
      await stopListening();
      const whole = delays(judged, sent, ({ at }) => at);
      const enforced = delays(judged, sent, ({ revision }) => committed.get(revision) ?? Number.NaN);
      console.log(
        `${PROMOTIONS} promotions under load of ${judged.length} requests: enforced on both replicas ${summary(enforced)} after the commit, ${summary(whole)} after the promotion was sent; mixed answers: ${mixed.length}`,
      );
      expect(mixed).toEqual([]);
      expect(quantile(enforced, 0.99)).toBeLessThanOrEqual(LIMIT_MS);
    },
    300_000,
  );

  test.skipIf(!isBuilt)('a key that is revoked through one replica is refused by the other', async () => {
    const { body } = await manage(0, 'POST', '/key/generate', {});
    const key = String(body['key']);
    const use = async (index: number): Promise<number> => {
      const answer = await replica(index).send('GET', '/v1/models', undefined, {
        authorization: `Bearer ${key}`,
      });
      await answer.arrayBuffer();
      return answer.status;
    };
    expect([await use(0), await use(1)]).toEqual([200, 200]);
    const start = performance.now();
    await manage(0, 'POST', '/key/delete', { keys: [key] });
    expect(await use(0)).toBe(401);
    await expect.poll(() => use(1), { timeout: 10_000, interval: 5 }).toBe(401);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test.skipIf(!isBuilt)('the fleet view shows both, in force at the newest revision', async () => {
    await expect
      .poll(
        async () => {
          const { body } = await manage(1, 'GET', '/policies/fleet');
          return (body['replicas'] as Record<string, unknown>[]).map(({ alive, state, lag, problem }) => ({
            alive,
            state,
            lag,
            problem,
          }));
        },
        { timeout: 10_000 },
      )
      .toEqual([
        { alive: true, state: 'in_force', lag: 0, problem: null },
        { alive: true, state: 'in_force', lag: 0, problem: null },
      ]);
  });
});

/** Milliseconds from each promotion until the slower replica had answered by it, or by a later one. */
function delays<Sent extends { readonly revision: number }>(
  judged: readonly Judged[],
  sent: readonly Sent[],
  from: (promotion: Sent) => number,
): readonly number[] {
  return sent.map((promotion) => {
    const seen = [0, 1].map((index) =>
      Math.min(
        ...judged
          .filter(({ replica, revision }) => replica === index && revision >= promotion.revision)
          .map(({ at }) => at),
      ),
    );
    return Math.max(0, Math.max(...seen) - from(promotion));
  });
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

function summary(values: readonly number[]): string {
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(values, q).toFixed(0));
  return `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`;
}
