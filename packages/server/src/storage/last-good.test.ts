import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  attachmentDefinitionSchema,
  attachmentFromDefinition,
  guardrailSchema,
  policyDefinitionSchema,
  policyFromDefinition,
} from '@portcullis/policy';
import { afterAll, expect, test } from 'vitest';
import type { StoredDocuments } from '../ports/policy-store.ts';
import { lastGoodStore } from './last-good.ts';
import { keyringOf } from './secrets/keyring.ts';
import { guardrailSecrets } from './secrets/vault.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-last-good-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let directories = 0;
function fresh() {
  const dataDir = join(folder, String((directories += 1)));
  return { dataDir, file: join(dataDir, 'last-known-good.jsonl'), store: lastGoodStore(dataDir, 'postgres') };
}

const secrets = guardrailSecrets({
  keyring: keyringOf(['salt']),
  secretPaths: () => [['api_key']],
});
const written = { createdAtMs: 1, createdBy: null, updatedAtMs: 2, updatedBy: 'alice' };
const guardrail = guardrailSchema.parse({
  guardrail_id: 'g-1',
  guardrail_name: 'remote',
  litellm_params: {
    guardrail: 'generic_guardrail_api',
    mode: 'pre_call',
    api_base: 'https://guard.example',
    api_key: 'canary-secret',
  },
});
const documents: StoredDocuments = {
  revision: 7,
  configDigest: 'digest',
  policies: [
    {
      policy: {
        ...policyFromDefinition('p', policyDefinitionSchema.parse({ guardrails: ['remote'] })),
        policy_id: 'p-1',
        definition_location: 'db',
      },
      parentVersionId: null,
      note: 'Zeile\n\u2028 zwei',
      publishedAtMs: null,
      productionAtMs: 3,
      ...written,
    },
  ],
  attachments: Array.from({ length: 200 }, (_, index) => ({
    attachment: {
      ...attachmentFromDefinition(index, attachmentDefinitionSchema.parse({ policy: 'p', scope: '*' })),
      attachment_id: `a-${index}`,
      definition_location: 'db' as const,
    },
    ...written,
  })),
  models: [
    {
      model: {
        model_id: 'm-1',
        model_name: 'gpt',
        provider_model: 'openai/gpt-5',
        guardrails: [],
        sealed_params: 'v1:sealed',
        model_info: {},
      },
      ...written,
    },
  ],
  guardrails: [{ guardrail: { ...secrets.seal(guardrail), definition_location: 'db' as const }, ...written }],
};

test('what was written is read again, whole', async () => {
  const { store } = fresh();
  expect(await store.read()).toEqual({ kind: 'none' });
  await store.write(documents);
  expect(await store.read()).toEqual({ kind: 'found', documents });
  await store.write({ ...documents, revision: 8, attachments: [] });
  expect(await store.read()).toMatchObject({ kind: 'found', documents: { revision: 8, attachments: [] } });
});

test('secrets stay sealed on the disk, and only this user may read the file', async () => {
  const { store, file } = fresh();
  await store.write(documents);
  expect(readFileSync(file, 'utf8')).not.toContain('canary-secret');
  expect(readFileSync(file, 'utf8')).toContain('"api_key":"v1:');
  expect(statSync(file).mode & 0o077).toBe(0);
});

test('a file that is torn at any place is refused with its reason', async () => {
  const { store, file } = fresh();
  await store.write(documents);
  const whole = readFileSync(file);
  for (let length = 0; length < whole.length; length += 499) {
    writeFileSync(file, whole.subarray(0, length));
    const found = await store.read();
    expect(found.kind).toBe('refused');
    expect(found).toMatchObject({ reason: expect.stringContaining(file) as string });
  }
});

test('a file that was edited is refused', async () => {
  const { store, file } = fresh();
  await store.write(documents);
  const text = readFileSync(file, 'utf8');
  for (const edited of [
    text.replace('"revision":7', '"revision":9'),
    text.replace('"a-17"', '"a-18"'),
    text.split('\n').toSpliced(3, 1).join('\n'),
  ]) {
    writeFileSync(file, edited);
    expect(await store.read()).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('changed after it was written') as string,
    });
  }
  writeFileSync(file, text);
  appendFileSync(file, 'x');
  expect(await store.read()).toMatchObject({ kind: 'refused' });
});

test('the file of another kind of database is refused', async () => {
  const { store, dataDir } = fresh();
  await store.write(documents);
  expect(await lastGoodStore(dataDir, 'embedded').read()).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('other kind') as string,
  });
});

test('what cannot be written leaves nothing that would be too old', async () => {
  const { store, file } = fresh();
  await store.write(documents);
  const unwritable: StoredDocuments = {
    ...documents,
    get policies(): never {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    },
  };
  await expect(store.write(unwritable)).rejects.toThrow(/ENOSPC/u);
  expect(existsSync(file)).toBe(false);
  expect(await store.read()).toEqual({ kind: 'none' });
});
