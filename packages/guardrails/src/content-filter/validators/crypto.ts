import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { BIP39_WORDS } from '../data/bip39-english.ts';
import { passIf, type Verdict } from './verdict.ts';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** The same characters in the order that the XRP Ledger uses. */
const BASE58_XRP = 'rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz';

/** Bytes of a base 58 text, or null for a character outside the alphabet. Big-endian; leading zeros are one character each. */
function base58(text: string, alphabet = BASE58): Uint8Array | null {
  const bytes: number[] = [];
  for (const char of text) {
    let carry = alphabet.indexOf(char);
    if (carry < 0) return null;
    for (let i = 0; i < bytes.length; i++) {
      carry += (bytes[i] ?? 0) * 58;
      bytes[i] = carry & 255;
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) bytes.push(carry & 255);
  }
  for (const char of text) {
    if (char !== alphabet[0]) break;
    bytes.push(0);
  }
  return Uint8Array.from(bytes.reverse());
}

/** Base58Check: the last four bytes are the beginning of the double SHA-256 of the others. Returns the payload. */
function base58Check(text: string, alphabet = BASE58): Uint8Array | null {
  const bytes = base58(text, alphabet);
  if (bytes === null || bytes.length < 5) return null;
  const payload = bytes.subarray(0, -4);
  const check = sha256(sha256(payload));
  return bytes.subarray(-4).every((byte, i) => byte === check[i]) ? payload : null;
}

/** Bitcoin address of the first kinds: version 0 or 5 (111 and 196 on the test network) and 20 bytes. */
export function bitcoinBase58(text: string): Verdict {
  const payload = base58Check(text);
  return passIf(payload?.length === 21 && [0, 5, 111, 196].includes(payload[0] ?? -1));
}

/** Version bytes of other coins: Litecoin, Dogecoin, TRON, Dash, Zcash. */
const VERSIONS = new Set([0, 5, 22, 30, 48, 50, 65, 76]);

/** An address of another coin with Base58Check, of the XRP Ledger, or of Monero (whose layout alone is looked at). */
export function otherWallet(text: string): Verdict {
  if (/^[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}$/.test(text)) return 'unknown';
  if (text.startsWith('r')) return passIf(base58Check(text, BASE58_XRP)?.length === 21);
  const payload = base58Check(text);
  return passIf(payload?.length === 21 && VERSIONS.has(payload[0] ?? -1));
}

/** Solana address: 32 bytes in base 58. There is no checksum. */
export function solana(text: string): Verdict {
  const mixed = /\d/.test(text) && /[A-Z]/.test(text) && /[a-z]/.test(text);
  return mixed && base58(text)?.length === 32 ? 'unknown' : 'fail';
}

/** Private key in wallet import format: version 0x80, 32 bytes, and a mark for compressed public keys. */
export function walletImportKey(text: string): Verdict {
  const payload = base58Check(text);
  return passIf(
    payload !== null && [128, 239].includes(payload[0] ?? 0) && [33, 34].includes(payload.length),
  );
}

/** Extended private key (BIP-32): 78 bytes. */
export function extendedKey(text: string): Verdict {
  return passIf(base58Check(text)?.length === 78);
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

function polymod(values: readonly number[]): number {
  let check = 1;
  for (const value of values) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    for (let i = 0; i < 5; i++) if ((top >>> i) & 1) check ^= GENERATOR[i] ?? 0;
  }
  return check >>> 0;
}

/** Bech32 (BIP-173, check constant 1) or bech32m (BIP-350, 0x2bc830a3); segwit version 0 takes the first, later ones the second. */
export function bech32(text: string): Verdict {
  if (text !== text.toLowerCase() && text !== text.toUpperCase()) return 'fail';
  const lower = text.toLowerCase();
  const split = lower.lastIndexOf('1');
  const prefix = lower.slice(0, split);
  const data = Array.from(lower.slice(split + 1), (char) => BECH32.indexOf(char));
  if (data.length < 8 || data.includes(-1)) return 'fail';
  const expanded = Array.from(prefix, (char) => char.charCodeAt(0) >> 5);
  const low = Array.from(prefix, (char) => char.charCodeAt(0) & 31);
  const check = polymod([...expanded, 0, ...low, ...data]);
  if (prefix === 'bc' || prefix === 'tb' || prefix === 'ltc' || prefix === 'bcrt') {
    const bits = (data.length - 7) * 5;
    if ((data[0] ?? 0) > 16 || Math.floor(bits / 8) < 2 || Math.floor(bits / 8) > 40 || bits % 8 > 4)
      return 'fail';
    return passIf(check === (data[0] === 0 ? 1 : 0x2bc830a3));
  }
  return passIf(check === 1 || check === 0x2bc830a3);
}

/** Ethereum address: the case of the letters is the Keccak-256 hash of the lower-case text (EIP-55); one case alone says nothing. */
export function ethereum(text: string): Verdict {
  const hex = text.slice(2);
  if (/^(.)\1*$/.test(hex)) return 'fail';
  if (hex === hex.toLowerCase() || hex === hex.toUpperCase()) return 'unknown';
  const hash = bytesToHex(keccak_256(utf8ToBytes(hex.toLowerCase())));
  for (let i = 0; i < 40; i++) {
    const char = hex[i] ?? '';
    const upper = Number.parseInt(hash[i] ?? '0', 16) >= 8;
    if (/[a-f]/i.test(char) && (upper ? char.toUpperCase() : char.toLowerCase()) !== char) return 'fail';
  }
  return 'pass';
}

let indexes: ReadonlyMap<string, number> | null = null;

/** BIP-39: eleven bits a word; after the entropy come as many bits of its SHA-256 as it has 32-bit words. */
function isSeedPhrase(words: readonly string[]): boolean {
  indexes ??= new Map(BIP39_WORDS.map((word, index) => [word, index]));
  let bits = '';
  for (const word of words) {
    const index = indexes.get(word);
    if (index === undefined) return false;
    bits += index.toString(2).padStart(11, '0');
  }
  const checkBits = bits.length / 33;
  const entropy = bits.slice(0, -checkBits);
  const bytes = Uint8Array.from(entropy.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
  const hash = [...sha256(bytes)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return hash.startsWith(bits.slice(-checkBits));
}

/** Length of the seed phrase of 24, 21, 18, 15 or 12 words at the beginning of a text of words, or 0. */
export function seedPhraseLength(text: string): number {
  const ends: number[] = [];
  const words: string[] = [];
  for (const word of text.matchAll(/[a-z]+/gi)) {
    words.push(word[0].toLowerCase());
    ends.push(word.index + word[0].length);
  }
  for (const count of [24, 21, 18, 15, 12])
    if (words.length >= count && isSeedPhrase(words.slice(0, count))) return ends[count - 1] ?? 0;
  return 0;
}
