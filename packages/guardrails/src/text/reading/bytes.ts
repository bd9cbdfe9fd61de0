import { isUtf8 } from 'node:buffer';
/** Reading encoded runs back to text. Everything here is linear and answers null for what is no text. */

/** At most this share of control characters makes bytes a text. */
const CONTROLS = 0.1;

const BASE64 = new Int8Array(128).fill(-1);
Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').forEach((char, value) => {
  BASE64[char.charCodeAt(0)] = value;
});
BASE64[45] = 62;
BASE64[95] = 63;

const BASE32 = new Int8Array(128).fill(-1);
Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567').forEach((char, value) => {
  BASE32[char.charCodeAt(0)] = value;
});

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text of a run in base 64, plain or URL-safe, without its padding. A run of a length that no bytes have loses its rest. */
export function fromBase64(run: string): string | null {
  if (run.length % 4 === 1) return null;
  return fromSextets(run, BASE64, 6);
}

/** Text of a run in base 32 without its padding. */
export function fromBase32(run: string): string | null {
  return fromSextets(run, BASE32, 5);
}

/** Text of pairs of hexadecimal digits. */
export function fromHex(run: string): string | null {
  const bytes = new Uint8Array(run.length >> 1);
  let controls = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = (hexValue(run.charCodeAt(2 * i)) << 4) | hexValue(run.charCodeAt(2 * i + 1));
    if (isControl(byte) && ++controls > bytes.length * CONTROLS) return null;
    bytes[i] = byte;
  }
  return textOf(bytes);
}

/** Text of bytes, when they are valid UTF-8 and few of them control characters. */
export function textOf(bytes: Uint8Array): string | null {
  let controls = 0;
  let wide = false;
  for (const byte of bytes) {
    if (byte >= 0x80) wide = true;
    else if (isControl(byte)) controls += 1;
  }
  if (bytes.length === 0 || controls > bytes.length * CONTROLS) return null;
  if (!wide) return latin1(bytes);
  return isUtf8(bytes) ? utf8.decode(bytes) : null;
}

function fromSextets(run: string, values: Int8Array, width: number): string | null {
  const bytes = new Uint8Array(Math.floor((run.length * width) / 8));
  const most = bytes.length * CONTROLS;
  let bits = 0;
  let held = 0;
  let at = 0;
  let controls = 0;
  for (let i = 0; i < run.length; i++) {
    const value = values[run.charCodeAt(i)] ?? -1;
    if (value < 0) return null;
    held = (held << width) | value;
    bits += width;
    if (bits < 8) continue;
    bits -= 8;
    const byte = (held >> bits) & 255;
    held &= (1 << bits) - 1;
    // Most runs are words or keys, and give themselves away after a few bytes.
    if ((isControl(byte) && ++controls > most) || byte === 0xc0 || byte === 0xc1 || byte > 0xf4) return null;
    bytes[at] = byte;
    at += 1;
  }
  return textOf(bytes);
}

function isControl(byte: number): boolean {
  return (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13) || byte === 127;
}

function hexValue(code: number): number {
  return code < 58 ? code - 48 : (code | 32) - 87;
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 4_096) text += String.fromCharCode(...bytes.subarray(i, i + 4_096));
  return text;
}
