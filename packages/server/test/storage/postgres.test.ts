import { describe, expect, test } from 'vitest';
import { describeWith } from '../../../../e2e/support/needs.ts';
import type { Database } from '../../src/ports/database.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { readMigrations } from '../../src/storage/migrations.ts';
import { connectionOptions } from '../../src/storage/url.ts';
import { Cable } from './cable.ts';
import { hashLike, newKey, realClock, recorder, temporaryDatabase } from './kit.ts';

const open = (url: string, heard = recorder()): Promise<Database> =>
  openDatabase({ dataDir: '/nowhere', url, clock: realClock, onEvent: heard.onEvent });

describeWith('DATABASE_URL_TEST', 'a PostgreSQL that goes away', (url) => {
  test('is no reason not to start; its tables are prepared when it is back', async () => {
    const own = await temporaryDatabase(url);
    const cable = new Cable(own.url);
    await cable.reserve();
    const heard = recorder();
    const database = await open(cable.url, heard);
    expect(heard.events.map(({ kind }) => kind)).toEqual(['unavailable', 'opened']);
    await expect(database.stores.keys.find(hashLike('x'))).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(database.ping()).rejects.toMatchObject({ kind: 'unavailable' });

    await cable.plug();
    await expect
      .poll(
        () =>
          database.ping().then(
            () => 'there',
            () => 'away',
          ),
        { timeout: 10_000 },
      )
      .toBe('there');
    await database.transaction(({ keys }) => keys.insert(newKey('x')));
    expect(await database.stores.keys.find(hashLike('x'))).not.toBeNull();

    await cable.pull();
    await expect(database.stores.keys.find(hashLike('x'))).rejects.toMatchObject({ kind: 'unavailable' });
    await cable.plug();
    await expect
      .poll(() => database.stores.keys.find(hashLike('x')).catch(() => null), { timeout: 10_000 })
      .not.toBeNull();

    await database.close();
    await cable.pull();
    await own.remove();
  });

  test('is prepared by one of several replicas that start together', async () => {
    const own = await temporaryDatabase(url);
    const heard = recorder();
    const replicas = await Promise.all([1, 2, 3, 4].map(() => open(own.url, heard)));
    const steps = heard.events.flatMap((event) => (event.kind === 'migrated' ? [event.name] : []));
    expect(steps).toEqual(readMigrations().map(({ name }) => name));
    await Promise.all(replicas.map((replica) => replica.close()));
    await own.remove();
  });
});

describe('DATABASE_URL', () => {
  test('may carry the settings of Prisma, as the reference needs them', () => {
    const { url, options } = connectionOptions(
      'postgresql://u:p%40ss@db:5432/litellm?schema=public&connection_limit=3&pgbouncer=true&sslmode=require&pool_timeout=60',
    );
    expect(url).toBe('postgresql://u:p%40ss@db:5432/litellm?sslmode=require');
    expect(options).toMatchObject({ max: 3, prepare: false });
  });

  test.each(['mysql://h/d', 'no url at all'])('%j is refused without being repeated', async (text) => {
    const refused = open(text.replace('h/d', 'user:secret@h/d'));
    await expect(refused).rejects.toMatchObject({ kind: 'incompatible' });
    await expect(refused).rejects.not.toThrow(/secret/u);
  });
});
