import { email, ipv4, ipv6, mac, urlLength } from '../validators/network.ts';
import { padded } from './fixtures.ts';
import { NETWORK, type PatternSpec } from './spec.ts';

const HEX = (code: number): boolean =>
  (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 102);

/** Local part of a mailbox (RFC 5321 dot-string) and letters of European languages. */
const LOCAL = (code: number): boolean =>
  (code >= 48 && code <= 57) ||
  ((code | 32) >= 97 && (code | 32) <= 122) ||
  "._%+-'".includes(String.fromCharCode(code)) ||
  (code >= 0xc0 && code <= 0x52f && code !== 0xd7 && code !== 0xf7);

const LOCAL_FIRST = (code: number): boolean => LOCAL(code) && code !== 39 && code !== 45 && code !== 46;

const VERSION_WORDS =
  'version versions ver v firmware release build section chapter revision rev upgrade driver sdk assembly changelog openssl kernel'.split(
    ' ',
  );

const SPECS: readonly PatternSpec[] = [
  {
    name: 'email',
    entity: 'EMAIL_ADDRESS',
    display_name: 'E-mail address',
    group: 'PII',
    description: 'mailbox@domain.tld, with well-formed labels',
    example: 'jane.doe@mail.test',
    regex: [
      "[0-9A-Za-z\\u00c0-\\u052f_%+](?:[0-9A-Za-z\\u00c0-\\u052f._%+'-]{0,63})@(?:[0-9A-Za-z\\u00c0-\\u052f](?:[0-9A-Za-z\\u00c0-\\u052f-]{0,61}[0-9A-Za-z\\u00c0-\\u052f])?\\.){1,8}(?:[A-Za-z\\u00c0-\\u052f]{2,24}|xn--[0-9A-Za-z-]{2,40})(?![@\\w-]|:[\\w.-]{1,40}/)",
    ],
    anchor: { kind: 'literal', literals: ['@'], back: { accepts: LOCAL, first: LOCAL_FIRST, max: 65 } },
    validate: email,
    action: 'MASK',
    severity: 'medium',
    positives: [
      'mail jane.doe@example.org now',
      'a@b.co',
      'x_y%z+tag@sub.mail.example.co.uk',
      '<info@xn--mnchen-3ya.de>',
      'mailto:first.last@firma.de?subject=x',
      'to=MAX@EXAMPLE.COM;',
      'ｍａｘ＠ｅｘａｍｐｌｅ．ｏｒｇ',
      "o'neil@pub.ie,",
      '电邮jose@correo.mx。',
      'j\u200bane@exa\u200bmple.org',
      'müller@bücher.example.de',
    ],
    negatives: [
      'user@host',
      'git@github.com:org/repo.git@',
      'icon@2x.png',
      'a..b@example.org@',
      'x@-bad.com',
      'pkg@1.2.3',
      '@handle',
      'foo@bar.c',
      'name@domain.jpg',
      'a@b@c',
      'user@host:~$',
    ],
  },
  {
    name: 'url',
    entity: 'URL',
    display_name: 'URL',
    group: NETWORK,
    description: 'http, https and ftp addresses, without the punctuation of the sentence',
    example: 'https://intranet.test/wiki',
    regex: ['(?:https?|ftp)://[^\\s<>"\\x00-\\x20\\\\^`{|}]{1,2000}'],
    ignoreCase: true,
    anchor: { kind: 'literal', literals: ['http://', 'https://', 'ftp://'] },
    boundary: 'start',
    trim: urlLength,
    validate: (text) => (/:\/\/[^\s/?#]{0,300}?[0-9A-Za-z\u00c0-\uffff]/.test(text) ? 'pass' : 'fail'),
    action: 'MASK',
    severity: 'low',
    positives: [
      'see https://example.org/a?b=c#d.',
      'http://localhost:8080/x',
      'HTTPS://EXAMPLE.ORG',
      '(https://en.wikipedia.org/wiki/Foo_(bar))',
      '![x](https://evil.test/p.png?d=1)',
      'ftp://files.example.org/pub',
      'https://xn--mnchen-3ya.de/ü',
      'url:http://10.0.0.1/',
      '"https://a.b/c"',
      'https://user:pw@host.test/',
    ],
    negatives: [
      'https://',
      'http:/ example',
      'example.org',
      'www.example.org',
      'xhttps://example.org',
      'https ://example.org',
      'file:///etc/hosts',
      'http://...',
      'mailto:a@b.co',
      'javascript:void(0)',
    ],
  },
  {
    name: 'ipv4',
    entity: 'IP_ADDRESS',
    display_name: 'IPv4 address',
    group: NETWORK,
    description:
      'dotted quad without leading zeros, optionally with a prefix length; version numbers are left out',
    example: '203.0.113.7',
    regex: [
      '(?<!\\d[.,])(?<![A-Za-z]/)(?:\\d{1,3}\\.){3}\\d{1,3}(?!\\.\\d)(?!-\\d)(?:/(?:3[0-2]|[12]?\\d)(?!\\d))?',
    ],
    anchor: { kind: 'digit', runs: [1, 2, 3], next: '.' },
    minDigits: 4,
    validate: ipv4,
    avoid: { words: VERSION_WORDS, before: 14, after: 12 },
    action: 'MASK',
    severity: 'low',
    positives: [
      'from 192.168.0.1 port',
      'http://10.0.0.1/',
      '8.8.8.8,',
      '172.16.254.3/12',
      'ip=203.0.113.9;',
      '[198.51.100.77]',
      '10.255.255.1',
      '１０.０.０.１',
      '203.0.113.1:8080',
      'x-forwarded-for: 1.2.3.4',
      '10.0.0.1_',
    ],
    negatives: [
      '256.1.1.1',
      '1.2.3',
      '1.2.3.4.5',
      'version 1.2.3.4',
      'v1.2.3.4',
      '01.2.3.4',
      '0.1.2.3',
      'a1.2.3.4b',
      '1.2.3.4x',
      '12.34.56.789',
      'firmware 65.15.93.19',
      'Chrome/30.29.4.43',
      'localhost is 127.0.0.1',
      'mask 255.255.255.0',
      '2.79.80.76 changelog',
    ],
  },
  {
    name: 'ipv6',
    entity: 'IP_ADDRESS',
    display_name: 'IPv6 address',
    group: NETWORK,
    description:
      'full and compressed, with zone, prefix length or embedded IPv4; clock times and code are left out',
    example: '2001:db8::8a2e:370:7334',
    regex: [
      '(?<![:.])(?:[0-9A-Fa-f]{1,4}:){1,6}(?:\\d{1,3}\\.){3}\\d{1,3}(?![:\\w])',
      '(?<![:.])(?:(?:[0-9A-Fa-f]{1,4}:){1,7}:|:)?(?::?[0-9A-Fa-f]{1,4}){1,8}(?:(?::\\d{1,3}(?:\\.\\d{1,3}){3}))?(?:%[0-9A-Za-z]{1,15})?(?:/\\d{1,3})?(?![:\\w])',
      '(?<![:.\\w])(?:[0-9A-Fa-f]{1,4}:){1,7}:(?![:\\w])',
    ],
    anchor: {
      kind: 'literal',
      literals: [':', '::'],
      back: {
        accepts: HEX,
        max: 5,
        fits: (run, _literal, length, before) =>
          (length === 2 || run > 0) && run < 5 && before !== 58 && before !== 46,
      },
    },
    validate: ipv6,
    action: 'MASK',
    severity: 'low',
    positives: [
      '2001:0db8:85a3:0000:0000:8a2e:0370:7334',
      'host 2001:db8::1 up',
      '::1',
      'fe80::1%eth0',
      '::ffff:192.0.2.128',
      '[2600:9eda:f2d3:e5f3::e9f6]',
      '2001:DB8::/32',
      'fe80::',
      'addr=fd00:1234:5678::9abc,',
      '64:ff9b::192.0.2.33',
    ],
    negatives: [
      '12:30:45',
      'std::vector',
      'add::bee',
      '::',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      'a:b',
      '00:1A:2B:3C:4D:5E',
      '12345::1',
      'Foo::Bar::baz',
      'ratio 3:4',
      'l[::2]',
    ],
  },
  {
    name: 'mac_address',
    entity: 'MAC_ADDRESS',
    display_name: 'MAC address',
    group: NETWORK,
    description: 'six pairs of hexadecimal digits, or three groups of four with dots',
    example: '02:1a:2b:3c:4d:5e',
    regex: [
      '(?<![:-])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![:-])',
      '(?<![:-])(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}(?![:-])',
      '(?<!\\.)[0-9A-Fa-f]{4}\\.[0-9A-Fa-f]{4}\\.[0-9A-Fa-f]{4}(?!\\.[0-9A-Za-z])',
    ],
    anchor: {
      kind: 'literal',
      literals: [':', '-', '.'],
      back: {
        accepts: HEX,
        max: 5,
        fits: (run, literal, _length, before) =>
          run === (literal === 46 ? 4 : 2) && before !== 58 && before !== 45 && before !== 46,
      },
    },
    validate: mac,
    action: 'MASK',
    severity: 'low',
    positives: [
      '00:1A:2B:3C:4D:5E',
      'mac=aa:bb:cc:dd:ee:01;',
      '(02:42:ac:11:00:02)',
      '18-1D-E0-05-83-A3',
      'mac is f855.eda9.1906',
    ],
    negatives: [
      '00:00:00:00:00:00',
      'ff:ff:ff:ff:ff:ff',
      '00:1A:2B:3C:4D',
      '00:1A:2B:3C:4D:5E:6F',
      '12:30:45',
      '0:1A:2B:3C:4D:5E',
    ],
  },
];

export const NETWORK_PATTERNS: readonly PatternSpec[] = SPECS.map(padded);
