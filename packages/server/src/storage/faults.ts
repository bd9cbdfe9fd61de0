import { DrizzleError, DrizzleQueryError } from 'drizzle-orm';
import postgres from 'postgres';
import { DatabaseError } from '../ports/database.ts';

/** What postgres.js calls a connection that is not there. */
const AWAY = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** SQLSTATE by class or code: connection exceptions, too many connections, server going down or starting. */
const AWAY_STATES = ['08', '53', '57P'];
const TIMEOUT_STATES = new Set(['57014', '25P03', '55P03']);
/** Unique and foreign keys, deadlock, serialisation. */
const CONFLICT_STATES = new Set(['23505', '23503', '40P01', '40001']);

/** The same, except that what is not the database's failure (a refusal thrown inside a transaction) stays what it is. */
export function withoutDriver(error: unknown): unknown {
  const told = driverError(error);
  const isDriver =
    told instanceof postgres.PostgresError ||
    error instanceof DrizzleError ||
    error instanceof DrizzleQueryError ||
    (told instanceof Error && 'code' in told && AWAY.has(String(told.code)));
  return isDriver ? databaseError(error) : error;
}

/** Translates whatever a driver throws, once. */
export function databaseError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const told = driverError(error);
  const code = typeof told === 'object' && told !== null && 'code' in told ? String(told.code) : '';
  // Drivers hang the statement and its values on their errors; only the text goes further, into the log.
  const cause = new Error(told instanceof Error ? told.message : 'unknown');
  if (TIMEOUT_STATES.has(code))
    return new DatabaseError('timeout', `the database gave up (${code})`, { cause });
  if (CONFLICT_STATES.has(code)) {
    const constraint = constraintOf(told);
    return new DatabaseError('conflict', `another row or writer is in the way (${constraint ?? code})`, {
      cause,
      constraint,
    });
  }
  if (AWAY.has(code) || AWAY_STATES.some((state) => code.startsWith(state))) {
    return new DatabaseError('unavailable', `the database cannot be reached (${code})`, { cause });
  }
  return new DatabaseError('fault', `the database refused a statement (${code || 'no code'})`, { cause });
}

/** Drizzle wraps what the driver says. */
function driverError(error: unknown): unknown {
  let current = error;
  for (let depth = 0; depth < 5; depth += 1) {
    if (!(current instanceof Error) || 'code' in current || current.cause === undefined) return current;
    current = current.cause;
  }
  return current;
}

function constraintOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('constraint_name' in error)) return undefined;
  return typeof error.constraint_name === 'string' ? error.constraint_name : undefined;
}
