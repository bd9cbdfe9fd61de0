// The thread that holds the embedded database, so that a slow query never stops the event loop of the server.
// Plain JavaScript, because it is started both from the sources and from what the build made of them.
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { parentPort, workerData } from 'node:worker_threads';

const { dataDir, socketPath } = /** @type {{ dataDir: string, socketPath: string }} */ (workerData);
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);

try {
  const db = await PGlite.create({
    dataDir,
    // Without these the log of changes keeps the size it once had.
    startParams: [...PGlite.defaultStartParams, '-c', 'max_wal_size=64MB', '-c', 'min_wal_size=32MB'],
  });
  const server = new PGLiteSocketServer({ db, path: socketPath, maxConnections: 8 });
  await server.start();

  port.on('message', (message) => {
    if (message === 'close') void close(db, server);
  });
  port.postMessage({ kind: 'ready' });
} catch (error) {
  port.postMessage({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  port.close();
}

/**
 * @param {PGlite} db
 * @param {PGLiteSocketServer} server
 */
async function close(db, server) {
  try {
    await server.stop();
    await db.exec('checkpoint');
    await db.close();
    port.postMessage({ kind: 'closed' });
  } catch (error) {
    port.postMessage({ kind: 'failed', message: String(error) });
  }
  port.close();
}
