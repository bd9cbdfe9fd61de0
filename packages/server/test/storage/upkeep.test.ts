import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startUpkeep, type Upkeep } from '../../src/storage/embedded/upkeep.ts';
import { recorder, stillClock } from './kit.ts';

const MIB = 1024 * 1024;
const MINUTE = 60_000;

let clock: ReturnType<typeof stillClock>;
let heard: ReturnType<typeof recorder>;
let upkeep: Upkeep;
let bytes: number;
let done: string[];
let failure: Error | null;
let gate: Promise<void> | null;

beforeEach(() => {
  clock = stillClock();
  heard = recorder();
  bytes = 0;
  done = [];
  failure = null;
  gate = null;
  const task = (name: string) => async () => {
    done.push(name);
  };
  upkeep = startUpkeep(
    {
      async written() {
        await gate;
        if (failure !== null) throw failure;
        return bytes;
      },
      checkpoint: task('checkpoint'),
      vacuum: task('vacuum'),
      mark: () => undefined,
      hangs: () => done.push('hangs'),
    },
    clock,
    heard.onEvent,
  );
});
afterEach(() => upkeep.stop());

describe('the upkeep of the embedded database', () => {
  test('writes a checkpoint after 16 MiB, so that the log of changes stays small', async () => {
    await upkeep.round();
    bytes = 16 * MIB - 1;
    await upkeep.round();
    expect(done).toEqual([]);
    bytes = 16 * MIB;
    await upkeep.round();
    expect(done).toEqual(['checkpoint']);
    await upkeep.round();
    expect(done).toEqual(['checkpoint']);
  });

  test('writes a checkpoint after five minutes, unless nothing was written', async () => {
    await upkeep.round();
    clock.advance(5 * MINUTE);
    await upkeep.round();
    expect(done).toEqual([]);
    bytes = 1;
    await upkeep.round();
    expect(done).toEqual(['checkpoint']);
  });

  test('vacuums after 128 MiB and after an hour', async () => {
    await upkeep.round();
    bytes = 128 * MIB;
    await upkeep.round();
    expect(done).toEqual(['vacuum', 'checkpoint']);
    bytes += 1;
    clock.advance(60 * MINUTE);
    await upkeep.round();
    expect(done).toEqual(['vacuum', 'checkpoint', 'vacuum', 'checkpoint']);
  });

  test('tells of a failure and goes on', async () => {
    failure = new Error('away');
    await upkeep.round();
    expect(heard.events).toEqual([{ kind: 'upkeep_failed', reason: 'away' }]);
    failure = null;
    await upkeep.round();
    bytes = 16 * MIB;
    await upkeep.round();
    expect(done).toEqual(['checkpoint']);
  });

  test('calls for a new thread when there is no answer for a minute', async () => {
    let open: () => void = () => undefined;
    gate = new Promise((resolve) => {
      open = resolve;
    });
    void upkeep.round();
    clock.advance(MINUTE);
    await upkeep.round();
    expect(done).toEqual([]);
    clock.advance(1);
    await upkeep.round();
    expect(done).toEqual(['hangs']);
    open();
  });
});
