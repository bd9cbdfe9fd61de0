import { PortcullisError } from '../errors.ts';
import type { JsonObject } from './segments.ts';

export type FieldType = 'number' | 'integer' | 'boolean';

/** A field of a request that does not have the form its dialect gives it. */
export function invalid(param: string, what: string): PortcullisError {
  return new PortcullisError('invalid_request', `"${param}" must be ${what}.`, { param });
}

function hasType(value: unknown, type: FieldType): boolean {
  if (type === 'boolean') return typeof value === 'boolean';
  if (typeof value !== 'number') return false;
  return type === 'integer' ? Number.isInteger(value) : Number.isFinite(value);
}

const TYPE_NAMES: Readonly<Record<FieldType, string>> = {
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
};

/**
 * Checks the fields that are no content because of their type: of any other type they would pass unscanned.
 * @throws PortcullisError `invalid_request`.
 */
export function checkTypes(body: JsonObject, types: Readonly<Record<string, FieldType>>): void {
  for (const key in body) {
    const type = types[key];
    const value = body[key];
    if (type !== undefined && value !== null && value !== undefined && !hasType(value, type)) {
      throw invalid(key, TYPE_NAMES[type]);
    }
  }
}

/** @throws PortcullisError `invalid_request` when no model is named. */
export function requiredModel(body: JsonObject): string {
  const { model } = body;
  if (typeof model !== 'string' || model.length === 0) throw invalid('model', 'a non-empty string');
  return model;
}

const MAX_CHOICES = 128;

/** The number of answers asked for by `n`. @throws PortcullisError `invalid_request`. */
export function choicesOf(body: JsonObject): number {
  const { n } = body;
  if (n === undefined || n === null) return 1;
  if (typeof n === 'number' && Number.isInteger(n) && n >= 1 && n <= MAX_CHOICES) return n;
  throw invalid('n', `an integer from 1 to ${MAX_CHOICES}`);
}

/** Ids that tie a call to its result. What has the form of one carries nothing; anything else is scanned. */
const CALL_ID = /^[A-Za-z0-9_.:-]{1,64}$/;
export function protocolId(value: unknown): unknown {
  return (typeof value === 'string' && CALL_ID.test(value)) || Number.isSafeInteger(value) ? null : value;
}
/** Bytes that only the provider can read or make: signatures and encrypted reasoning. Null when it has their form. */
const OPAQUE = /^[A-Za-z0-9+/_-]{64,}={0,2}$/;
export function opaque(value: unknown): unknown {
  return typeof value === 'string' && (value === '' || OPAQUE.test(value)) ? null : value;
}
