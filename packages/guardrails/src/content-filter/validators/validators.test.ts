import { describe, expect, test } from 'vitest';
import { checksummedToken, crc32, entropy, isPlaceholder } from './credentials.ts';
import {
  aeEmiratesId,
  auAbn,
  auMedicare,
  auTfn,
  brCnpj,
  brCpf,
  caSin,
  euVat,
  frNir,
  inGstin,
  nlBsn,
  sgNric,
  usSsn,
} from './national.ts';
import { email, ipv6, urlLength } from './network.ts';
import { card, cardBrand, iban, ibanPrefix, luhn } from './payment.ts';
import type { Validator } from './verdict.ts';

const CHECKED: readonly (readonly [string, Validator, string])[] = [
  ['card', card, '4012888888881881'],
  ['IBAN', iban, 'DE89370400440532013000'],
  ['BSN', nlBsn, '111222333'],
  ['TFN', auTfn, '123456782'],
  ['ABN', auAbn, '51824753556'],
  ['Medicare', auMedicare, '2123456701'],
  ['CPF', brCpf, '52998224725'],
  ['CNPJ', brCnpj, '11222333000181'],
  ['CNPJ with letters', brCnpj, '12ABC34501DE35'],
  ['NIR', frNir, '255081416802538'],
  ['NIR of Corsica', frNir, '185052A00400379'],
  ['NRIC', sgNric, 'S1234567D'],
  ['FIN', sgNric, 'F1234567N'],
  ['SIN', caSin, '130692544'],
  ['Emirates id', aeEmiratesId, '784199012345676'],
  ['GSTIN', inGstin, '27AAPFU0939F1ZV'],
  ['VAT of France', euVat, 'FR40303265045'],
  ['VAT of Italy', euVat, 'IT00743110157'],
];

describe.each(CHECKED)('the check of %s', (_name, validate, value) => {
  test('passes a known number', () => {
    expect(validate(value)).toBe('pass');
  });

  test('fails every change of its last character', () => {
    const last = value.at(-1) ?? '';
    const others = /\d/.test(last) ? '0123456789' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
    // The ninth digit of a Medicare number is the check digit; the last one counts reissues.
    const at = validate === auMedicare ? value.length - 2 : value.length - 1;
    const wrong = others.split('').filter((char) => char !== value[at]);
    expect(
      wrong.filter((char) => validate(value.slice(0, at) + char + value.slice(at + 1)) !== 'fail'),
    ).toEqual([]);
  });
});

test('SSN: areas, groups, serials and samples that were never given out', () => {
  expect(
    ['000-12-3456', '666-12-3456', '900-12-3456', '123-00-4567', '123-45-0000', '078-05-1120'].map(usSsn),
  ).toEqual(Array(6).fill('fail'));
  expect(usSsn('536-22-8719')).toBe('unknown');
});

test('card brands by issuer range', () => {
  const brands = [
    '4111111111111111',
    '2221000000000009',
    '378282246310005',
    '6011000990139424',
    '36227206271667',
    '3530111333300000',
    '2200000000000004',
    '1234567890123456',
  ];
  expect(brands.map(cardBrand)).toEqual([
    'visa',
    'mastercard',
    'amex',
    'discover',
    'diners',
    'jcb',
    'mir',
    null,
  ]);
  expect(luhn('')).toBe(false);
});

test('an IBAN ends where its country says, whatever follows', () => {
  expect(ibanPrefix('NO93 8601 1117 947 ok')).toBe(18);
  expect(ibanPrefix('NO93 8601 1117 947ok')).toBe(0);
  expect(ibanPrefix('XX93 8601 1117 947')).toBe(0);
});

test('tokens with a checksum', () => {
  expect(crc32('123456789')).toBe(0xcbf43926);
  const body = 'A'.repeat(10) + 'b1'.repeat(10);
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let check = '';
  for (let rest = crc32(body), i = 0; i < 6; i++, rest = Math.floor(rest / 62))
    check = (alphabet[rest % 62] ?? '') + check;
  expect(checksummedToken(`ghp_${body}${check}`)).toBe('pass');
  expect(checksummedToken(`ghp_${'x'.repeat(36)}`)).toBe('fail');
  expect(entropy('aabb')).toBe(1);
  expect(['your_api_key_here', 'xxxxxxxx', '${TOKEN}', 'EXAMPLE'].every(isPlaceholder)).toBe(true);
});

test('network values', () => {
  expect(['1:2:3:4:5:6:7:8', '::1', 'fe80::', '2001:db8::1'].map(ipv6)).toEqual(Array(4).fill('pass'));
  expect(['1::2', 'add::bee', '::', '1:2'].map(ipv6)).toEqual(Array(4).fill('fail'));
  expect(['a..b@c.de', 'a@-b.de', 'icon@x.png'].map(email)).toEqual(Array(3).fill('fail'));
  expect(urlLength('https://a.b/c).')).toBe(13);
  expect(urlLength('https://a.b/c_(d)')).toBe(17);
});
