import { ApiError, type Call, createClient } from '@portcullis/contract';

/** What every write carries to say that it comes from this page; set by the session. */
let writeHeaders: Readonly<Record<string, string>> = {};
let onRefused: () => void = () => undefined;

/** @param refused called when the gateway does not know the caller any more. */
export function setCredentials(headers: Readonly<Record<string, string>>, refused: () => void): void {
  writeHeaders = headers;
  onRefused = refused;
}

const SIGN_IN = new Set(['/login', '/session', '/onboarding/claim_token']);

async function send(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, {
    ...init,
    credentials: 'same-origin',
    headers: { ...(init.headers as Record<string, string>), ...writeHeaders },
  });
  if (answer.status === 401 && !SIGN_IN.has(url)) onRefused();
  return answer;
}

/** Calls one management route by its name, for example `call('GET /policies/list')`. @throws ApiError */
export const call: Call = createClient({ fetch: send });

/** Reads something of the data plane, which has no table of routes. @throws ApiError */
export async function read(url: string, signal: AbortSignal): Promise<unknown> {
  const answer = await send(url, { method: 'GET', signal });
  const body: unknown = await answer.json();
  if (answer.ok) return body;
  throw new ApiError(`GET ${url} was refused with ${answer.status}.`, {
    code: 'not_understood',
    status: answer.status,
    nextStep: 'Load the page again.',
  });
}

/** The message of a problem at one field of the body, for showing it beside the field. */
export function problemAt(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const own = error.problems.filter(({ loc }) => isAt(placeOf(loc), field));
  if (own.length > 0) return [...new Set(own.map(({ msg }) => msg))].join('; ');
  return error.problems.length === 0 && error.param === field ? error.message : undefined;
}

/** Whether every problem is shown beside one of these fields. */
export function isToldAt(error: unknown, fields: readonly string[]): boolean {
  if (!(error instanceof ApiError)) return false;
  if (error.problems.length === 0) return error.param !== null && fields.includes(error.param);
  return error.problems.every(({ loc }) => fields.some((field) => isAt(placeOf(loc), field)));
}

function placeOf(loc: readonly (string | number)[]): string {
  return (loc[0] === 'body' ? loc.slice(1) : loc).join('.');
}

function isAt(place: string, field: string): boolean {
  return place === field || place.startsWith(`${field}.`);
}
