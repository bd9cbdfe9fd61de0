import { readFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector/promises';

/**
 * Preloaded into every measured process (`--import`): answers its parent with the CPU time and memory of the whole
 * process, so that targets need no code of their own for being measured.
 */
export interface Cpu {
  /** User and system time of all threads, in microseconds. */
  readonly allUs: number;
  /** Of it the main thread, where the system tells. */
  readonly mainUs: number | null;
}

export interface Memory {
  readonly rssBytes: number;
  /** Live heap after a collection, when the process runs with --expose-gc. */
  readonly heapBytes: number;
}

/** What the parent may ask for. Profiles are of the main thread. */
export type Question = 'cpu' | 'memory' | 'profile' | 'profiled';

const session = new Session();

process.on('message', (message) => {
  void answer(message as Question).then((reply) => process.send?.(reply));
});

async function answer(question: Question): Promise<Cpu | Memory | Profiler.Profile | null> {
  switch (question) {
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return { allUs: user + system, mainUs: mainThreadUs() };
    }
    case 'memory': {
      (globalThis as { gc?: () => void }).gc?.();
      const { rss, heapUsed } = process.memoryUsage();
      return { rssBytes: rss, heapBytes: heapUsed };
    }
    case 'profile':
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: 200 });
      await session.post('Profiler.start');
      return null;
    case 'profiled': {
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      return profile;
    }
  }
}

function mainThreadUs(): number | null {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1_000;
  } catch {
    return null;
  }
}

// The channel to the parent must not keep a target alive that wants to end.
process.channel?.unref();
