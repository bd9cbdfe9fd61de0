import type { TextSealer } from '../../ports/sso.ts';
import { ENVELOPE, openValue, sealValue } from './envelope.ts';
import type { Keyring } from './keyring.ts';

/** Seals texts with the first key of a keyring, and opens those of all its keys. */
export function textSealer({ first, byId }: Keyring): TextSealer {
  return {
    seal: (purpose, text) => sealValue(first, purpose, [], text),

    open(purpose, sealed) {
      const [, keyId = '', nonce = '', bytes = ''] = ENVELOPE.exec(sealed) ?? [];
      const key = byId.get(keyId);
      if (key === undefined) return null;
      try {
        const text = openValue(key, purpose, [], nonce, bytes);
        return typeof text === 'string' ? text : null;
      } catch {
        // Changed, or sealed for something else: the same as never sealed.
        return null;
      }
    },
  };
}
