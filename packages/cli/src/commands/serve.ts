import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { RunningServer } from '@portcullis/server';
import { printBanner } from '../banner.ts';
import { DEMO_CONFIG } from '../files.ts';
import { growAsNeeded } from '../heap.ts';
import type { Output } from '../output.ts';
import { printFindings } from '../render.ts';
import { isFirstWorker, isWorker, superviseWorkers } from './workers.ts';

export interface ServeOptions {
  readonly config?: string;
  readonly port?: number;
  readonly host?: string;
  readonly dataDir?: string;
  readonly logLevel?: string;
  readonly workers?: number;
}

const DEFAULT_PORT = 4000;
/** This machine only: what listens on every network should be a decision (--host 0.0.0.0). */
const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_DATA_DIR = '.portcullis';
/** A request under way may take this long to end after the first signal. */
const GRACE_MS = 15_000;

/** Starts the gateway and resolves when a signal has stopped it. Gives the exit code. */
export async function serve(options: ServeOptions, output: Output): Promise<number> {
  const server = await import('@portcullis/server');
  const env = server.readEnvironment();
  const logLevel = options.logLevel ?? env.logLevel ?? 'info';
  if (!server.isLogLevel(logLevel)) {
    output.note(
      `portcullis: --log-level ${logLevel} is none of trace, debug, info, warn, error, fatal, silent`,
    );
    return 1;
  }
  const config = options.config ?? env.configFile;
  const configFile = config ?? DEMO_CONFIG;
  const port = options.port ?? env.port ?? DEFAULT_PORT;
  const givenHost = options.host ?? env.host;
  const host = givenHost ?? DEFAULT_HOST;
  const dataDir = resolve(options.dataDir ?? env.dataDir ?? DEFAULT_DATA_DIR);
  const workers = options.workers ?? 1;
  if (workers > 1 && !isWorker()) return superviseWorkers(workers, output);

  let started: RunningServer;
  try {
    started = await server.startServer({ configFile, port, host, dataDir, logLevel, env, workers });
  } catch (error) {
    if (error instanceof server.ConfigRefused) {
      const source = await readFile(configFile, 'utf8').catch(() => '');
      printFindings(configFile, error.findings, server.excerptsOf(source), output);
      return 1;
    }
    output.note(`portcullis: ${startProblem(error, host, port)}`);
    return 1;
  }
  growAsNeeded();
  // What the others have to tell a person, the first one has told.
  if (isWorker() && !isFirstWorker()) return untilStopped(started, output);
  const { url, banner } = started;
  for (const { place, message } of banner.warnings) {
    const at = place === null ? configFile : `${place.file}:${place.line}:${place.column}`;
    output.note(`${at}  warning  ${message}`);
  }
  printBanner({ ...banner, url, config, localByDefault: givenHost === null }, output);
  return untilStopped(started, output);
}

/** The first signal lets requests under way end; the second one, or too long a wait, does not. */
function untilStopped(started: RunningServer, output: Output): Promise<number> {
  return new Promise((finish) => {
    let stopping = false;
    const end = (code: number): void => {
      process.off('SIGINT', isWorker() ? ignore : stop);
      process.off('SIGTERM', stop);
      finish(code);
    };
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) {
        end(130);
        return;
      }
      stopping = true;
      output.note(`Stopping (${signal}); once more stops at once.`);
      const patience = setTimeout(() => {
        output.note('Some requests did not end in time and were cut.');
        end(1);
      }, GRACE_MS);
      started
        .close()
        .then(() => end(0))
        .catch((error: unknown) => {
          output.note(`portcullis: it did not stop cleanly: ${messageOf(error)}`);
          end(1);
        })
        .finally(() => clearTimeout(patience));
    };
    // Ctrl+C reaches every process of a terminal; among workers it is their supervisor's business.
    process.on('SIGINT', isWorker() ? ignore : stop);
    process.on('SIGTERM', stop);
  });
}

const ignore = (): void => {};

function startProblem(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is in use: stop what uses it, or choose another with --port`;
    case 'EACCES':
      return `port ${port} of ${host} may not be used by this user: choose one above 1023 with --port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: choose another with --host`;
    default:
      return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
