// Reads the configuration file again when it changes or when the process is told to.
import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConfigResult } from './types.ts';

export interface WatchOptions {
  readonly file: string;
  /** Reads and checks the file. */
  readonly load: () => Promise<ConfigResult>;
  /**
   * Gets every new reading. The caller swaps a good one in, and keeps what it has when it is told of findings.
   */
  readonly onResult: (result: ConfigResult) => void | Promise<void>;
  /** Something that does not stop the process: the file system cannot be watched, or `onResult` threw. */
  readonly onProblem: (problem: Error) => void;
  /** Time without a further change before the file is read: editors write in several steps. */
  readonly quietMs?: number;
  /** Where SIGHUP arrives; the process by default. */
  readonly signals?: {
    on(name: 'SIGHUP', listener: () => void): unknown;
    off(name: 'SIGHUP', listener: () => void): unknown;
  };
}

export interface ConfigWatch {
  /** Resolves when the first look at the file is done; later changes are noticed. */
  readonly ready: Promise<void>;
  /** Reads the file now, as SIGHUP does. Resolves when the result was handed over. */
  reload(): Promise<void>;
  /** Stops watching, and waits for a reading under way. */
  close(): Promise<void>;
}

/**
 * Watches the file's folder rather than the file, because editors and mounted volumes replace the file by renaming.
 * SIGHUP always reads again, as other files that the configuration names may have changed; a change in the folder only
 * when the bytes of the file differ.
 */
export function watchConfig(options: WatchOptions): ConfigWatch {
  const { file, load, onResult, onProblem, quietMs = 200, signals = process } = options;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  let mark: string | null = null;
  let bytes: Buffer | null = null;
  // One reading at a time, in order: an older one must never overtake a newer one.
  let queue: Promise<void> = Promise.resolve();

  const enqueue = (work: () => Promise<void>): Promise<void> => {
    queue = queue.then(work).catch((error: unknown) => {
      onProblem(error instanceof Error ? error : new Error(String(error)));
    });
    return queue;
  };
  const read = async (): Promise<void> => {
    if (!closed) await onResult(await load());
  };
  const remember = async (): Promise<boolean> => {
    const now = await fileMark(file);
    if (now === mark) return false;
    mark = now;
    const before = bytes;
    bytes = now === null ? null : await readFile(file).catch(() => null);
    // A file that is gone for a moment is being replaced; one that stays away is no new configuration either.
    return bytes !== null && before?.equals(bytes) !== true;
  };
  const onChange = (): void => {
    if (closed) return;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      void enqueue(async () => {
        if (await remember()) await read();
      });
    }, quietMs);
    timer.unref();
  };
  const onSignal = (): void => {
    void reload();
  };
  const reload = (): Promise<void> =>
    enqueue(async () => {
      await remember();
      await read();
    });

  const ready = enqueue(async () => {
    await remember();
  });
  const watcher = watchFolder(dirname(file), onChange, onProblem);
  signals.on('SIGHUP', onSignal);
  return {
    ready,
    reload,
    async close() {
      closed = true;
      signals.off('SIGHUP', onSignal);
      if (timer !== null) clearTimeout(timer);
      watcher?.close();
      await queue;
    },
  };
}

function watchFolder(
  folder: string,
  onChange: () => void,
  onProblem: (problem: Error) => void,
): FSWatcher | null {
  const explain = (error: unknown): Error =>
    new Error(
      `${folder} cannot be watched for changes (${error instanceof Error ? error.message : String(error)}); send SIGHUP to reload`,
      { cause: error },
    );
  try {
    const watcher = watch(folder, { persistent: false }, onChange);
    watcher.on('error', (error) => {
      watcher.close();
      onProblem(explain(error));
    });
    return watcher;
  } catch (error) {
    onProblem(explain(error));
    return null;
  }
}

/** Changes whenever the file may have: follows links, so that a swapped folder below a link counts. */
async function fileMark(file: string): Promise<string | null> {
  try {
    const { dev, ino, mtimeMs, ctimeMs, size } = await stat(file);
    return [dev, ino, mtimeMs, ctimeMs, size].join(' ');
  } catch {
    return null;
  }
}
