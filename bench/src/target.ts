import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Profiler } from 'node:inspector';
import type { Cpu, Memory, Question } from './probe.ts';

const probe = new URL('./probe.js', import.meta.url).href;

/** A free port of the loopback interface. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** A measured process: started with the probe, stopped by {@link Target.stop}. */
export class Target {
  readonly name: string;
  readonly origin: string;
  readonly #child: ChildProcess;

  private constructor(name: string, origin: string, child: ChildProcess) {
    this.name = name;
    this.origin = origin;
    this.#child = child;
  }

  /**
   * Starts `script` and waits until `ready` resolves.
   * @throws Error when the process ends before that, with the last lines it printed.
   */
  static async start(
    name: string,
    script: URL,
    args: readonly string[],
    port: number,
    ready: (child: ChildProcess) => Promise<void>,
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<Target> {
    const child = fork(fileURLToPath(script), [...args], {
      execArgv: ['--import', probe, '--expose-gc'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env,
    });
    let output = '';
    const keep = (part: Buffer): void => {
      output = (output + part.toString()).slice(-4_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const died = new Promise<never>((_, reject) => {
      child.once('exit', (code) => reject(new Error(`${name} ended with code ${code} at start:\n${output}`)));
    });
    await Promise.race([ready(child), died]);
    died.catch(() => undefined); // Its end is expected from here on.
    return new Target(name, `http://127.0.0.1:${port}`, child);
  }

  cpu(): Promise<Cpu> {
    return this.#ask('cpu');
  }

  /** Collects garbage first, so it is not for the time between two readings of the CPU. */
  memory(): Promise<Memory> {
    return this.#ask('memory');
  }

  /** A profile of the target's main thread while `work` is done. */
  async profile(work: () => Promise<unknown>): Promise<Profiler.Profile> {
    await this.#ask('profile');
    await work();
    return this.#ask('profiled');
  }

  #ask<Answer>(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) reject(new Error(`${this.name} is gone`));
      this.#child.once('message', (answer) => resolve(answer as Answer));
      this.#child.send(question);
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const forced = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(forced);
  }
}

/** Resolves with the first message of a child that says when it listens. */
export function saysListening(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('message', () => resolve()));
}
