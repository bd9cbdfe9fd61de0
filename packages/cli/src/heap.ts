import { setFlagsFromString } from 'node:v8';

/**
 * V8 doubles the young generation whenever much in it survives, as everything does while modules are loaded, and never
 * gives it back: 32 MB that a gateway at rest has no use for. So it stays small until the start is over.
 */
export function startSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** From now on it grows as the load needs it. */
export function growAsNeeded(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
