import { type Dialect, PortcullisError } from '@portcullis/contract';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ActiveSnapshot } from '../ports/snapshot.ts';
import { accept, type Accepted, type Arrival } from './accept.ts';
import { acceptStored, storedResponseDialect } from './accept-stored.ts';
import { sendBlock, sendError, sendRespond } from './answers.ts';
import { Client } from './client.ts';
import { dispatch, type Dispatched } from './dispatch.ts';
import type { Gateway } from './gateway.ts';
import { guardInput, type GuardedInput } from './guard-input.ts';
import { guardOutput } from './guard-output.ts';
import { answerHeaders } from './headers.ts';
import { identify, type Identified } from './identify.ts';
import { blocked, type Delivered, type Ending, responded } from './output/delivered.ts';
import { plan, type PlannedRequest } from './plan.ts';
import { earlyEnding, record } from './record.ts';
import { checkOwner, type StoredCall } from './stored-responses.ts';

/**
 * The life of a call of a model, whole or streamed, in one dialect: seven stages in this order. Each takes a value and gives a new one;
 * a promise is waited for only where there is one. Never throws, never rejects.
 */
export function serveModel(
  gateway: Gateway,
  dialect: Dialect,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  return serve(gateway, dialect, message, response, (arrival, { settings }) =>
    accept(arrival, dialect, message, settings),
  );
}

/** The same for a response that a provider keeps: read, cancelled or deleted by its id. */
export function serveStored(
  gateway: Gateway,
  call: Pick<StoredCall, 'id' | 'method' | 'action'>,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, query = ''] = (message.url ?? '').split('?', 2);
  return serve(gateway, storedResponseDialect, message, response, (arrival, { settings }) =>
    acceptStored(arrival, { ...call, query }, gateway.responses, settings),
  );
}

async function serve(
  gateway: Gateway,
  dialect: Dialect,
  message: IncomingMessage,
  response: ServerResponse,
  read: (arrival: Arrival, active: ActiveSnapshot) => Accepted | Promise<Accepted>,
): Promise<void> {
  const { clock } = gateway;
  const client = new Client(response);
  const arrival = arrive(gateway, message);
  let snapshot = gateway.snapshots.acquire();
  const timings: Record<string, number> = {};
  let lapStart = arrival.start;
  const lap = (stage: string): void => {
    const now = clock.monotonic();
    timings[stage] = now - lapStart;
    lapStart = now;
  };

  // How far the request came: for the headers of an early answer, and for the record.
  let accepted: Accepted | null = null;
  let identified: Identified | null = null;
  let planned: PlannedRequest | null = null;
  let input: GuardedInput | null = null;
  let dispatched: Dispatched | null = null;
  let delivered: Delivered | null = null;
  let ending: Ending;

  try {
    if (arrival.headers[MIN_REVISION] !== undefined) snapshot = await newEnough(gateway, arrival, snapshot);
    const active = ready(snapshot);

    const understood = read(arrival, active);
    accepted = understood instanceof Promise ? await understood : understood;
    lap('accept');

    const found = identify(accepted, gateway, active);
    identified = found instanceof Promise ? await found : found;
    checkOwner(accepted, identified.identity);
    lap('identify');

    planned = plan(identified, active);
    lap('plan');

    const judged = guardInput(planned, client);
    const verdict = judged instanceof Promise ? await judged : judged;
    input = verdict.guarded;
    lap('guard_input');

    if (verdict.kind === 'pass') {
      dispatched = dispatch(input, gateway, client);
      lap('dispatch');

      delivered = await guardOutput(dispatched, gateway, client, { arrival, snapshot, planned, dispatched });
      gateway.responses.note(dispatched, delivered);
      lap('guard_output');
      ending = delivered;
    } else {
      const headers = answerHeaders(
        gateway,
        { arrival, snapshot, planned, dispatched },
        input.pre?.applied ?? [],
        null,
      );
      if (verdict.kind === 'block') {
        sendBlock(client, headers, verdict.block, accepted);
        ending = blocked(verdict.block, 400);
      } else {
        const sent = sendRespond(client, headers, verdict.respond, accepted, null);
        ending = responded(verdict.respond, sent);
      }
    }
  } catch (error) {
    dispatched?.exchange.abort();
    const told = asError(error);
    if (told.code === 'internal') gateway.telemetry.fault('pipeline', error);
    if (client.started) client.destroy();
    else
      sendError(client, answerHeaders(gateway, { arrival, snapshot, planned, dispatched }, [], null), told, {
        dialect,
        arrival,
      });
    ending = earlyEnding(told);
  }

  record(gateway, {
    arrival,
    snapshot,
    accepted,
    identified,
    planned,
    input,
    dispatched,
    delivered,
    ending,
    timings,
  });
}

/** What every request has before anything of it was read. */
function arrive(gateway: Gateway, message: IncomingMessage): Arrival {
  const path = message.url ?? '/';
  const query = path.indexOf('?');
  return {
    callId: randomUUID(),
    time: gateway.clock.now(),
    start: gateway.clock.monotonic(),
    method: message.method ?? 'GET',
    // A query may hold a secret, and no route of the data plane reads one.
    path: query < 0 ? path : path.slice(0, query),
    headers: message.headers,
  };
}

/** The header of a caller that has changed something and must not be judged by what was before (S6). */
const MIN_REVISION = 'x-portcullis-min-revision';
const MIN_REVISION_WAIT_MS = 2_000;

/** A snapshot of the revision asked for, or a later one; never an older one (S6). */
async function newEnough(
  gateway: Gateway,
  arrival: Arrival,
  snapshot: ActiveSnapshot | null,
): Promise<ActiveSnapshot | null> {
  const wanted = Number(arrival.headers[MIN_REVISION]);
  if (!Number.isSafeInteger(wanted) || wanted < 0) {
    throw new PortcullisError('invalid_request', `The header ${MIN_REVISION} must be a revision number.`, {
      param: MIN_REVISION,
    });
  }
  if (snapshot !== null && snapshot.revision >= wanted) return snapshot;
  if (!(await gateway.snapshots.reached(wanted, MIN_REVISION_WAIT_MS))) {
    const current = gateway.snapshots.current()?.revision ?? 'none';
    throw new PortcullisError(
      'revision_not_reached',
      `Revision ${wanted} is not in force here yet; ${current} is.`,
    );
  }
  if (snapshot !== null) gateway.snapshots.release(snapshot);
  return gateway.snapshots.acquire();
}

function ready(snapshot: ActiveSnapshot | null): ActiveSnapshot {
  if (snapshot !== null) return snapshot;
  throw new PortcullisError(
    'policy_not_ready',
    'No policy snapshot is loaded yet, so no request can be judged.',
  );
}

function asError(error: unknown): PortcullisError {
  if (error instanceof PortcullisError) return error;
  return new PortcullisError('internal', 'The gateway failed to process the request.', { cause: error });
}
