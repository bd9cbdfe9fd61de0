import {
  azureSignature,
  dockerAuth,
  jwkPrivate,
  passwordValue,
  puttyKey,
  tokenValue,
} from '../../validators/secrets.ts';
import type { Validator } from '../../validators/verdict.ts';
import { CREDENTIALS, type PatternSpec } from '../spec.ts';

/** Secrets in the files of tools, some of many lines. Keys in PEM form are in `credentials.ts`. */

const PASSWORD = ['Qv7', '#tLm', '92xR'].join('');
const TOKEN = ['8rK2mQx7Lw4T', 'zBn6Ym1JhC8s', 'Fg3ReUaWi5oK'].join('');
const AUTH = Buffer.from(`ci:${PASSWORD}`).toString('base64');
const HEX64 = ['578bc5e565dea947aea9dde4587137', '140b0e39f8aeb368c766e6c43e2b41813e'].join('');
const BODY = 'AAAAgQDMXnYvS0lqQ8rK2mQx7Lw4TzBn6Ym1JhC8sFg3ReUaWi5oKkX9dR2pQv7L';
const SIGNATURE = 'L6vVoFVYe690VJOsCyU98C5rwU5PbIJHozgk8q5WD2k';

interface FileEntry {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly regex: readonly string[];
  readonly literals: readonly string[];
  readonly validate: Validator;
  readonly ignoreCase?: boolean;
  /** Texts around a value in which it is found. */
  readonly positives: readonly string[];
  readonly negatives: readonly string[];
}

function entry(e: FileEntry): PatternSpec {
  const positives = [
    ...e.positives,
    ...e.positives.map((text) => `\n${text}\n`),
    ...e.positives.map((text) => `see: ${text}`),
  ];
  return {
    name: e.name,
    display_name: e.title,
    group: CREDENTIALS,
    description: `${e.description}; the value is masked`,
    example: e.positives[0] ?? '',
    regex: e.regex,
    ...(e.ignoreCase === true ? { ignoreCase: true } : {}),
    anchor: { kind: 'literal', literals: e.literals },
    boundary: 'none',
    validate: e.validate,
    action: 'BLOCK',
    severity: 'high',
    positives: positives.slice(0, Math.max(10, e.positives.length)),
    negatives: e.negatives,
  };
}

const putty = (body: string) =>
  `PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nComment: a\nPublic-Lines: 1\nAAAAB3NzaC1yc2E\nPrivate-Lines: 2\n${body}\n${body}\nPrivate-MAC: 0badc0de`;

export const FILE_SECRETS: readonly PatternSpec[] = [
  entry({
    name: 'putty_private_key',
    title: 'PuTTY private key',
    description: 'the private lines of a .ppk file',
    regex: [
      'PuTTY-User-Key-File-[0-9]:[\\s\\S]{20,6000}?Private-Lines: ?\\d{1,3}(?:\\r?\\n|\\\\n)([0-9A-Za-z+/=\\s\\\\]{40,6000})(?=Private-(?:MAC|Hash))',
    ],
    literals: ['putty-user-key-file-'],
    validate: puttyKey,
    positives: [
      putty(BODY),
      putty(BODY).replaceAll('\n', '\r\n'),
      putty(BODY.slice(0, 64)),
      `key: |\n${putty(BODY)}`,
    ],
    negatives: [
      'PuTTY-User-Key-File-3: ssh-rsa',
      putty('...'),
      putty('<private lines here>'),
      putty(BODY).replace('Private-Lines', 'Public-Lines'),
      putty(BODY).replace('PuTTY-User', 'User'),
      putty('A'.repeat(64)),
      'Private-Lines: 14',
      'Private-MAC: 0badc0de',
      putty('short'),
      'PuTTY-User-Key-File-2 is the header of a .ppk file',
    ],
  }),
  entry({
    name: 'jwk_private_key',
    title: 'Private JSON Web Key',
    description: 'the member "d" (or "k") of a JSON Web Key',
    regex: [
      '"kty"\\s{0,3}:\\s{0,3}"[A-Za-z]{2,4}"[^{}]{0,3000}?"[dk]"\\s{0,3}:\\s{0,3}"([0-9A-Za-z_-]{22,1400})"',
      '\\\\"kty\\\\"\\s{0,3}:\\s{0,3}\\\\"[A-Za-z]{2,4}\\\\"[^{}]{0,3000}?\\\\"[dk]\\\\"\\s{0,3}:\\s{0,3}\\\\"([0-9A-Za-z_-]{22,1400})\\\\"',
    ],
    literals: ['"kty"', '\\"kty\\"'],
    validate: jwkPrivate,
    positives: [
      `{"kty":"EC","crv":"P-256","x":"abc","d":"${TOKEN}"}`,
      `{"kty": "oct", "k": "${TOKEN}"}`,
      `{"kty":"RSA","n":"${TOKEN}","e":"AQAB","d":"${TOKEN}${TOKEN}"}`,
      `"{\\"kty\\":\\"OKP\\",\\"d\\":\\"${TOKEN}\\"}"`,
    ],
    negatives: [
      `{"kty":"EC","crv":"P-256","x":"${TOKEN}"}`,
      '{"kty":"EC","d":"short"}',
      `{"d":"${TOKEN}"}`,
      '{"kty":"EC","d":"xxxxxxxxxxxxxxxxxxxxxxxxxxxx"}',
      '"kty" names the key type',
      `{"kty":"EC"} {"d":"${TOKEN}"}`,
      '{"kty":"oct","k":"<base64url of the key>"}',
      '{"kty":"oct","k":"0000000000000000000000000000"}',
      '{"kty":"oct","alg":"HS256"}',
      `{"key":"oct","k":"${TOKEN}"}`,
    ],
  }),
  entry({
    name: 'docker_auth',
    title: 'Docker registry credentials',
    description:
      'the member "auth" of a docker configuration, or _auth in .npmrc: a name and a password in base 64',
    regex: [
      '"auth"\\s{0,3}:\\s{0,3}"([0-9A-Za-z+/]{8,800}={0,2})"',
      '\\\\"auth\\\\"\\s{0,3}:\\s{0,3}\\\\"([0-9A-Za-z+/]{8,800}={0,2})\\\\"',
      ':?_auth\\s{0,2}=\\s{0,2}"?([0-9A-Za-z+/]{8,800}={0,2})(?![0-9A-Za-z+/=])',
    ],
    literals: ['"auth"', '\\"auth\\"', '_auth'],
    validate: dockerAuth,
    positives: [
      `{"auths":{"registry.example.test":{"auth":"${AUTH}"}}}`,
      `"auth": "${AUTH}"`,
      `//registry.example.test/:_auth=${AUTH}`,
      `"{\\"auths\\":{\\"a\\":{\\"auth\\":\\"${AUTH}\\"}}}"`,
    ],
    negatives: [
      '"auth": "none"',
      '"auth": "required1"',
      '{"auth":{"user":"root"}}',
      '"auth": "<base64>"',
      '_auth=${NPM_AUTH}',
      '"auth": "aGVsbG8gd29ybGQsIG5vIGNvbG9u"',
      '_authorize = true',
      '"auth": "bearer"',
      '"auth": "xxxxxxxxxxxxxxxx"',
      'the "auth" member holds a name and a password',
    ],
  }),
  entry({
    name: 'kubernetes_secret_value',
    title: 'Value of a Kubernetes secret',
    description: 'a value in base 64 under data of a manifest of kind Secret, and tokens of a kubeconfig',
    regex: [
      'kind: Secret\\s[\\s\\S]{0,800}?\\ndata:\\s{1,8}[A-Za-z0-9_.-]{1,60}:\\s{1,3}["\']?([0-9A-Za-z+/]{8,4000}={0,2})["\']?(?![0-9A-Za-z+/=])',
      'client-key-data:\\s{1,3}["\']?([0-9A-Za-z+/]{40,6000}={0,2})',
    ],
    literals: ['kind: secret', 'client-key-data:'],
    validate: (value) =>
      value.length > 600 || tokenValue(value) === 'pass' || dockerAuth(value) === 'pass'
        ? 'pass'
        : passwordValue(value),
    positives: [
      `kind: Secret\nmetadata:\n  name: db\ndata:\n  password: ${AUTH}`,
      `kind: Secret\ntype: Opaque\ndata:\n  token: "${Buffer.from(TOKEN).toString('base64')}"`,
      `    client-key-data: ${Buffer.from(TOKEN).toString('base64')}`,
      `users:\n- user:\n    client-key-data: ${Buffer.from(TOKEN + TOKEN).toString('base64')}`,
    ],
    negatives: [
      'kind: SecretStore\nmetadata:\n  name: db',
      'kind: Secret\nmetadata:\n  name: db\nstringData: {}',
      'kind: ConfigMap\ndata:\n  password: cGFzc3dvcmQ5OTk5',
      'client-key-data: <base64>',
      'client-key-data: ${KEY}',
      'client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURQ',
      'kind: Secret of the vault',
      'a manifest of kind: Secret holds data in base 64',
      'kind: Secret\ndata: {}',
      'client-key-data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    ],
  }),
  entry({
    name: 'pgpass_password',
    title: 'Password in .pgpass',
    description: 'host:port:database:user:password',
    regex: [':(?:5432|5433|6432|3306|1433):[\\w*.-]{1,60}:[\\w*.@-]{1,60}:([^\\s:"\']{6,100})(?=\\s|$)'],
    literals: [':5432:', ':5433:', ':6432:', ':3306:', ':1433:'],
    validate: passwordValue,
    positives: [
      `db.example.test:5432:shop:app:${PASSWORD}`,
      `*:5432:*:postgres:${PASSWORD}`,
      `10.0.0.1:6432:a:b:${PASSWORD}`,
      `h:3306:d:u:${PASSWORD}`,
    ],
    negatives: [
      'db.example.test:5432:shop:app:password',
      'db.example.test:5432/shop',
      'localhost:5432:5432',
      '- "5432:5432"',
      'a:5432:b:c:********',
      'a:5432:b:c:${PASSWORD1}',
      'a:5432:b:c:<password1>',
      'a:5432:b:c',
      ':5432:',
      `a:5431:b:c:${PASSWORD}`,
    ],
  }),
  entry({
    name: 'azure_sas_signature',
    title: 'Signature of an Azure shared access link',
    description: 'sig= and 32 bytes in base 64, also percent-encoded',
    regex: ['sig=([0-9A-Za-z+/%]{43,70}(?:%3[Dd]|=))(?![0-9A-Za-z%])'],
    literals: ['sig='],
    validate: azureSignature,
    positives: [
      `?sv=2024-11-04&ss=b&sp=rwdl&sig=${SIGNATURE}%3D`,
      `SharedAccessSignature=sv=2024-11-04&sig=${SIGNATURE}=`,
      `&sig=${SIGNATURE.slice(0, 20)}%2F${SIGNATURE.slice(21)}%3D&se=2027`,
      `sig=${SIGNATURE}%3d`,
    ],
    negatives: [
      'sig=',
      'sig=short%3D',
      `sig=${'x'.repeat(43)}%3D`,
      'sig=<signature>',
      'config=1',
      `sig=${SIGNATURE}`,
      `sig=${'0'.repeat(43)}%3D`,
      'sig=${SIGNATURE}',
      'design=modern',
      `sign=${SIGNATURE}%3D`,
    ],
  }),
  entry({
    name: 'hex_private_key',
    title: 'Private key in hexadecimal',
    description: '32 bytes in hexadecimal after "private key", as wallets and tools print them',
    regex: ['priv(?:ate)?[-_ ]?key[^\\n]{0,30}?[\\s"\'=:]((?:0x)?[0-9a-f]{64})(?![0-9a-z])'],
    literals: ['private key', 'private_key', 'private-key', 'privatekey', 'priv key', 'priv_key', 'privkey'],
    ignoreCase: true,
    validate: tokenValue,
    positives: [
      `eth private key 0x${HEX64} imported but balance is 0`,
      `PRIVATE_KEY=0x${HEX64}`,
      `privateKey: "${HEX64}"`,
      `privkey ${HEX64}`,
    ],
    negatives: [
      `0x${HEX64}`,
      `public key 0x${HEX64}`,
      `private key 0x${HEX64.slice(0, 40)}`,
      `private key ${HEX64}ab`,
      `private key 0x${'0'.repeat(64)}`,
      'private key',
      'PRIVATE_KEY=0x<your key>',
      'the private key has 64 hexadecimal digits',
      `commit ${HEX64}`,
      `tx 0x${HEX64}`,
    ],
  }),
  entry({
    name: 'otpauth_secret',
    title: 'Secret of a one-time password link',
    description: 'the secret in an otpauth:// link',
    regex: ['otpauth(?:-migration)?://[^\\s"\'<>]{0,300}?[?&](?:secret|data)=([0-9A-Za-z%+/=]{16,400})'],
    literals: ['otpauth'],
    validate: (text) => (/^(.)\1+$/.test(text) || /EXAMPLE|JBSWY3DPEHPK3PXP$/.test(text) ? 'fail' : 'pass'),
    positives: [
      `otpauth://totp/Acme:jane?secret=2X7IRS62OPCYDZQFXTSZOE7QXSZKQE4E&issuer=Acme`,
      'otpauth://hotp/A?counter=1&secret=7DPNHLR7J7RDEA7JE2GIPEDR3JCVOGCR',
      'otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1w',
      '"otpauth://totp/x?secret=2X7IRS62OPCYDZQF"',
    ],
    negatives: [
      'otpauth://totp/Acme:jane?issuer=Acme',
      'otpauth://totp/Acme?secret=AAAAAAAAAAAAAAAA',
      'otpauth://totp/Acme?secret=short',
      'otpauth links hold a secret',
      'https://a.test/?secret=2X7IRS62OPCYDZQF',
      'otpauth://totp/Acme?secret=<secret>',
      'otpauth://',
      'otpauth://totp/a?digits=6',
      'otpauth://totp/a secret=2X7IRS62OPCYDZQF',
      'otp auth secret=2X7IRS62',
    ],
  }),
];
