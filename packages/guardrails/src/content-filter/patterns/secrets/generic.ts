import {
  basicCredentials,
  certainPassword,
  passwordValue,
  plainPassword,
  tokenValue,
  withoutSentenceEnd,
} from '../../validators/secrets.ts';
import type { Validator } from '../../validators/verdict.ts';
import { CREDENTIALS, type PatternSpec } from '../spec.ts';

/**
 * Secrets known by what stands beside them: the name of a variable, a word in a sentence, a command, a header. The value
 * alone is masked. What counts is decided by the validators: a value has to look made up, and no reference, call or stand-in.
 */

/** Words for a password as names of variables and fields. A bare `pass` must not be part of another word. */
const PASSWORD_KEY =
  '(?:pass[-_]?(?:word|wd|phrase|code|wort)|passwrd|(?:(?<![a-z])|(?<=db|user|root|admin|smtp|mail|ftp|ssh|sql|my))pass(?![a-z])|(?:(?<![a-z])|(?<=db|user|my))pwd(?![a-z])|bind_?pw(?![a-z])|(?<![a-z])pw(?![a-z0-9]))';
/** What may follow in the same name; not what makes it the name of something about a password. */
const PASSWORD_NAME = `${PASSWORD_KEY}(?![-_ ]?(?:hash|min|max|len|field|polic|reset|url|path|file|regex|pattern|label|hint|name|id(?![a-z])|type|count|expir|confirm_?msg|strength|salt|prompt|error|rule|valid|input|column|reader))[0-9A-Za-z_.-]{0,24}`;
const PASSWORD_LITERALS = ['pass', 'pwd', 'bindpw', 'bind_pw', 'pw'];

const SECRET_KEY =
  '(?:secret|token|api[-_ ]?key|apikey|(?:access|auth|account|private|encryption|encrypt|signing|signature|master|shared|service|server|client|admin|app|application|write|license|licence|deploy|session|storage|storageaccount|webhook|jwt|aes|des|hmac|crypto|cipher|symmetric|root|data|user|team|personal|org|cf|fb|dd|cdn|sso|sas|s3|gcp|aws|ai|llm|bot|integration|ingest|recovery|vault|unseal)[-_ ]?key|credentials?|creds|(?<![a-z])auth|authorization|session_?id|sessid|(?<![a-z])sid|jwt|bearer|[-_]pat|[a-z0-9]_key(?<!(?:public|publishable|primary|foreign|partition|sort|cache|idempotency|pub|host|map|dict|group|unique|composite|row|lookup|hash)_key)|[a-z]key(?=["\'`]?\\s{0,2}=\\s{0,2}["\']))';
const SECRET_NAME = `(?<!public|publishable|primary|foreign|partition|sort|cache|hot|short|monkey|don|key|turn)(?<!(?:public|publishable|primary|foreign|partition|sort|cache|idempotency)[-_ ])${SECRET_KEY}(?!(?:s|izer|ize|ized|ary|ion)?[-_ ]?(?:count|limit|len|size|index|name|type|file|path|url|uri|endpoint|expir|ttl|version|id(?![a-z])|ref|provider|store|manager|field|algorithm|alg|method|mode|scope|regex|pattern|hash|fingerprint|digest|checksum|arn|header|prefix))[0-9A-Za-z_.-]{0,32}`;
const SECRET_LITERALS = [
  'secret',
  'token',
  'apikey',
  'api_key',
  'api-key',
  'api key',
  ...[
    'access',
    'auth',
    'account',
    'private',
    'encryption',
    'encrypt',
    'signing',
    'signature',
    'master',
    'shared',
    'service',
    'server',
    'client',
    'admin',
    'application',
    'write',
    'license',
    'licence',
    'deploy',
    'session',
    'storage',
    'storageaccount',
    'webhook',
    'symmetric',
    'personal',
    'integration',
    'ingest',
    'recovery',
    'unseal',
  ].flatMap((word) => ['_', '-', ' ', ''].map((joint) => `${word}${joint}key`)),
  'credential',
  'creds',
  'auth',
  'sessionid',
  'session_id',
  'sessid',
  'sid',
  'jwt',
  'bearer',
  '_pat',
  '-pat',
];
/** A name that merely ends in `key` begins a match at its last letters. */
const KEY_LITERALS = Array.from('abcdefghijklmnopqrstuvwxyz0123456789', (letter) => `${letter}_key`);

/** What stands between a name and its value: quotes and brackets that end the name, a separator, and those that begin the value. */
const CLOSE =
  "(?:\\\\{0,3}[\"'`\\])]){0,3}(?:: ?(?:str|string|String|bytes|Text|&str|&'static str|const char ?\\*))?";
const SEPARATOR = '\\s{0,4}(?::=|=>|->|=(?!=)|:{1,2}|\\bis\\b)\\s{0,4}';

/** The forms in which a value follows a name, strictest first; the first group is the value. */
function assignments(name: string, least: number): string[] {
  const close = name + CLOSE;
  return [
    `${close}${SEPARATOR}[bruf]{0,2}"((?:[^"\\\\\\n]|\\\\[^\\n]){${least},400})"`,
    `${close}${SEPARATOR}[bruf]{0,2}'((?:[^'\\\\\\n]|\\\\[^\\n]){${least},400})'`,
    `${close}${SEPARATOR}\`([^\`\\n]{${least},400})\``,
    `${close}${SEPARATOR}\\\\{1,3}"([^"\\\\\\n]{${least},400})\\\\{1,3}"`,
    // A literal handed to a function that decodes it.
    `${close}${SEPARATOR}(?:new )?[A-Za-z_.:]{0,30}(?:from|from_?hex|decode|b64|Secret|Key|String|bytes|Bytes|unhex)[A-Za-z_.0-9]{0,20}\\(\\s{0,2}[bruf]{0,2}["']([^"'\\\\\\n]{${least},400})["']`,
    `${close}>([^<>\\s]{${least},400})</`,
    `${close}\\s{1,4}value\\s{0,2}=\\s{0,2}["']([^"'\\n]{${least},400})["']`,
    `${close},?\\s{1,40}"?value"?\\s{0,2}[:=]\\s{0,2}["']?([^\\s"'<>]{${least},400})`,
    `${close}${SEPARATOR}([^\\s"'\`<>,;(){}\\[\\]|\\\\]{${least},400})`,
    `(?<=define\\(\\s{0,2}["'][A-Z_0-9]{0,40})${close}\\s{0,2},\\s{0,2}["']([^"'\\n]{${least},400})["']`,
    `${close}\\s{1,3}['"]([^\\s'"\\n]{${least},400})['"]`,
    `(?<=--[a-z-]{0,24})${close}\\s{1,3}([^\\s"'\`<>,;(){}\\[\\]|\\\\-][^\\s"'\`<>,;(){}\\[\\]|\\\\]{${least - 1},400})`,
  ];
}

interface GenericEntry {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly regex: readonly string[];
  readonly literals: readonly string[];
  readonly validate: Validator;
  readonly trim?: (text: string) => number;
  readonly boundary?: 'start';
  readonly positives: readonly string[];
  readonly negatives: readonly string[];
}

function entry(e: GenericEntry): PatternSpec {
  return {
    name: e.name,
    display_name: e.title,
    group: CREDENTIALS,
    description: `${e.description}; the value is masked`,
    example: e.positives[0] ?? '',
    regex: e.regex,
    ignoreCase: true,
    anchor: { kind: 'literal', literals: e.literals },
    boundary: e.boundary ?? 'none',
    validate: e.validate,
    ...(e.trim === undefined ? {} : { trim: e.trim }),
    action: 'MASK',
    severity: 'high',
    positives: e.positives,
    negatives: e.negatives,
  };
}

/** Made-up values, put together from parts. */
const PASSWORD = ['Qv7', '#tLm', '92xR'].join('');
const WORDY = ['saffron', 'tundra', '32'].join('#');
const TOKEN = ['8rK2mQx7Lw4T', 'zBn6Ym1JhC8s', 'Fg3ReUaWi5oK'].join('');
const HEX = ['a19aba0f66ae', '1053761cafc7', '7ee86725'].join('');
const BASIC = Buffer.from(`ci:${PASSWORD}`).toString('base64');

/** A password in a sentence: the words for it in many languages, up to 48 characters, a word for "is", the value. */
const SAID_PASSWORD =
  '(?:pass(?:word|code|phrase|wort|e)?|passwd|pwd?|contrase(?:ñ|n)a|clave|mot de passe|senha|palavra-passe|parola|wachtwoord|пароль|hasło|haslo|heslo|jelszó|lösenord|salasana|adgangskode|passord|şifre|sifre|mật khẩu|密码|密碼|口令|パスワード|暗証番号|비밀번호|암호|كلمة المرور|סיסמה|पासवर्ड|รหัสผ่าน)';
const IS =
  '(?:[:=：→]{1,2}|\\s(?:is|was|to|are|be|ist|lautet|lautete|es|est|é|è|e|is:|är|er|on|jest|to:|je|с|это|:)\\s|は|是|为|為|가|는|은|이|\\s-\\s|\\s—\\s)';
const SAID_VALUE = '\\s{0,3}["\'`“”„«「]?([^\\s"\'`“”„«»「」<>,、。，]{6,100})';

export const GENERIC_SECRETS: readonly PatternSpec[] = [
  entry({
    name: 'password_assignment',
    title: 'Password by its name',
    description: 'a made-up looking value after a name with "password", "passwd", "pwd" and the like',
    regex: assignments(PASSWORD_NAME, 4),
    literals: PASSWORD_LITERALS,
    validate: passwordValue,
    trim: withoutSentenceEnd,
    positives: [
      `password = "${PASSWORD}"`,
      `DB_PASSWORD=${PASSWORD}`,
      `{"auth":{"user":"root","passwd":"${PASSWORD}"}}`,
      `database:\n  user: app\n  password: ${WORDY}`,
      `jdbc:sqlserver://sql01;user=sa;password=${PASSWORD}`,
      `redis_password: '${PASSWORD}'`,
      `<password>${PASSWORD}</password>`,
      `<add key="ADMIN_PASSWORD" value="${PASSWORD}" />`,
      `env:\n  - name: DB_PASSWORD\n    value: "${PASSWORD}"`,
      `"{\\"password\\":\\"${PASSWORD}\\"}"`,
      `db.connect("localhost", "app", password="${PASSWORD}")`,
      `bindpw: ${PASSWORD}`,
      `ALTER ROLE app WITH PASSWORD '${PASSWORD}';`,
      `tool --password ${PASSWORD}`,
    ],
    negatives: [
      'password = os.environ["DB_PASSWORD"]',
      'password: ${DB_PASSWORD}',
      'password = var.db_password',
      'password = getpass.getpass("Password: ")',
      'password: string | undefined; // field 64',
      'password_min_length = 12345',
      'SELECT password_hash FROM users WHERE id = 298;',
      'if (password == null) throw new Error("x1y2z3w4");',
      'password: your-password-here1',
      'password: ********',
      'password: "[REDACTED]"',
      'password: changeme123',
      'pwd: /home/app/s3rvice',
      '<input type="password" name="pw6" autocomplete="off">',
      'def hash_password(password: str, rounds=14): ...',
      'compass = n0rth-1',
      'the password reset mail never arrives',
      'password: {{ .Values.password1 }}',
    ],
  }),
  entry({
    name: 'secret_assignment',
    title: 'Secret or token by its name',
    description:
      'a random-looking value of 12 or more characters after a name with "secret", "token", "key" and the like',
    regex: assignments(SECRET_NAME, 8),
    literals: [...SECRET_LITERALS, ...KEY_LITERALS],
    validate: tokenValue,
    trim: withoutSentenceEnd,
    positives: [
      `SESSION_SECRET=${TOKEN}`,
      `{"client_secret":"${TOKEN}"}`,
      `const apiToken = '${TOKEN}';`,
      `//registry.example.test/:_authToken=${TOKEN}`,
      `X-Auth-Token: ${HEX}`,
      `ENCRYPTION_KEY=base64:${TOKEN}=`,
      `AES_KEY = bytes.fromhex("${HEX}${HEX}")`,
      `- name: SERVICE_TOKEN\n  value: "${TOKEN}"`,
      `headers = {"x-api-key": "${TOKEN}"}`,
      `curl -H "X-Api-Key: ${TOKEN}" https://api.example.test`,
      `MISTRAL_KEY=${TOKEN}`,
      `<token>${TOKEN}</token>`,
      `?access_token=${TOKEN}&state=7f`,
      `SharedAccessKey=${TOKEN}xy=`,
    ],
    negatives: [
      'GITHUB_TOKEN=$(vault kv get -field=token secret/github_token)',
      'github_token = "00000000000000000000000000000000"',
      'token: string | undefined; // field 64',
      'eos_token_id=26166',
      'tokenizer = "cl100k_base"  # 98',
      'secret_name: db-credentials-4',
      'valueFrom:\n  secretKeyRef:\n    name: github-token\n    key: token',
      'API_KEY=your-api-key-here-please-1',
      'token = getpass.getpass("GITHUB_TOKEN_1: ")',
      `public_key = "${TOKEN}"`,
      'partition_key: 2024-01-01T00:00:00',
      'auth_type: oauth2  # v7',
      'token: settings.SERVICE_TOKEN_2',
      'const KEY_80 = Symbol("key");',
      'The token bucket allows 40 requests per second',
      'let token = tokens[3];',
      'deepseek_api_key: !vault secret/data/deepseek_api_key',
    ],
  }),
  entry({
    name: 'authorization_header',
    title: 'Basic or bearer credentials',
    description:
      'what follows "Basic" or "Bearer", when it is a name and a password in base 64, or a random-looking token',
    regex: [
      'basic\\s{1,3}([0-9A-Za-z+/]{8,800}={0,2})(?![0-9A-Za-z+/=])',
      'bearer\\s{1,3}["\']?([0-9A-Za-z_.~+/-]{16,4000}={0,2})',
    ],
    literals: ['basic ', 'bearer '],
    boundary: 'start',
    validate: basicCredentials,
    positives: [
      `Authorization: Basic ${BASIC}`,
      `Authorization: Bearer ${TOKEN}`,
      `curl -H "Authorization: Basic ${BASIC}" https://api.example.test`,
      `{"Authorization": "Bearer ${TOKEN}"}`,
      `authorization: bearer ${TOKEN}`,
      `-H 'Authorization: Bearer ${HEX}'`,
      `Bearer ${TOKEN}`,
      `Proxy-Authorization: Basic ${BASIC}`,
      `auth = "Basic ${BASIC}"`,
      `(Bearer ${TOKEN})`,
    ],
    negatives: [
      'Authorization: Bearer $TOKEN',
      'Bearer ***',
      'Authorization: Basic <credentials>',
      'Basic knowledge of TypeScript',
      'Basic authentication is off',
      'bearer of the letter',
      'Authorization: Bearer {{token_value_1234}}',
      'Bearer your-token-goes-here-1234',
      'basic internationalization',
      'Bearer xxxxxxxxxxxxxxxxxxxxxxxx',
    ],
  }),
  entry({
    name: 'session_cookie',
    title: 'Session cookie',
    description: 'the value of a cookie whose name has "sess", "sid", "auth" or "token"',
    regex: [
      'cookie["\']?\\s{0,2}[:=]\\s{0,2}["\']?(?:[^\\n;"\']{0,200};\\s?){0,6}?[0-9A-Za-z_.-]{0,30}(?:sess|sid|auth|token|jwt)[0-9A-Za-z_.-]{0,30}=([^;\\s"\',]{16,2000})',
    ],
    literals: ['cookie'],
    validate: tokenValue,
    positives: Array.from(
      { length: 10 },
      (_, i) =>
        [
          `Cookie: sessionid=${TOKEN}; theme=dark`,
          `Set-Cookie: PHPSESSID=${TOKEN}; path=/`,
          `cookie: theme=dark; connect.sid=${TOKEN}`,
          `"Cookie": "auth_token=${TOKEN}"`,
          `Cookie: a=1; b=2; JSESSIONID=${HEX}`,
        ][i % 5]?.concat(i < 5 ? '' : ' ') ?? '',
    ),
    negatives: [
      'Cookie: theme=dark',
      'Cookie: sessionid=deleted',
      'Cookie: sessionid=<session id>',
      'cookies are stored for a session',
      `sessions=${TOKEN}`,
      'Cookie: sessionid=xxxxxxxxxxxxxxxxxxxx',
      'Set-Cookie: lang=en-US; path=/',
      'cookie: session=short1',
      'a cookie recipe: 200 g flour',
      'Cookie: sid=${SESSION}',
    ],
  }),
  entry({
    name: 'password_in_text',
    title: 'Password in a sentence',
    description:
      'a made-up looking value said to be a password, in some twenty languages ("the password for the bot is ...")',
    regex: [
      `${SAID_PASSWORD}(?![-_](?:hash|reset|min|max))[^\\n.?!:=：]{0,48}?${IS}${SAID_VALUE}`,
      `(?:use|enter|type|try|with)\\s["'\`]?([^\\s"'\`]{6,60})["'\`]?\\s(?:as|for)\\s(?:the|your|a|my|our)?\\s?(?:[a-z-]{1,12}\\s)?(?:password|passphrase|passcode|pin)(?![a-z])`,
    ],
    literals: [
      'pass',
      'pw',
      'contraseña',
      'contrasena',
      'clave',
      'mot de passe',
      'senha',
      'palavra-passe',
      'parola',
      'wachtwoord',
      'пароль',
      'hasło',
      'haslo',
      'heslo',
      'jelszó',
      'lösenord',
      'salasana',
      'adgangskode',
      'şifre',
      'sifre',
      'mật khẩu',
      '密码',
      '密碼',
      '口令',
      'パスワード',
      '暗証番号',
      '비밀번호',
      '암호',
      'كلمة المرور',
      'סיסמה',
      'पासवर्ड',
      'รหัสผ่าน',
      'use ',
      'enter ',
      'type ',
      'try ',
      'with ',
    ],
    boundary: 'start',
    validate: plainPassword,
    trim: withoutSentenceEnd,
    positives: [
      `the password is ${WORDY}`,
      `my wifi password is ${PASSWORD}, can you make a card?`,
      `das Passwort lautet ${PASSWORD}`,
      `la contraseña es ${PASSWORD}`,
      `le mot de passe est ${PASSWORD}`,
      `a senha é ${WORDY}`,
      `パスワードは ${WORDY} です`,
      `I set the root password to ${PASSWORD} and now sudo fails`,
      `use ${PASSWORD} as the password for the shared folder`,
      `Temporary password: ${PASSWORD} (change it at first login)`,
      `pw: ${PASSWORD}`,
      `пароль: ${PASSWORD}`,
      `hasło to ${PASSWORD}`,
      `密码是${PASSWORD}`,
      `password for the bot: ${PASSWORD}`,
    ],
    negatives: [
      'the password is case-sensitive',
      'the password must be at least 12 characters and contain a digit',
      'the password is wrong again',
      'Passwords are hashed with argon2id before storage.',
      'the password was changed on 2024-05-01',
      'my password is not working since version 1.2.3',
      'the pass is open to traffic',
      'use https://example.org/a1 as the link',
      'password is required',
      'the password is <your password>',
      'How do I rotate my password without downtime?',
      'passport: see page 12',
    ],
  }),
  entry({
    name: 'secret_in_text',
    title: 'Key or token in a sentence',
    description: 'a random-looking value said to be a key, token or secret',
    regex: [
      `(?:api[- ]?key|access key|secret key|license key|private key|encryption key|signing key|token|secret|credentials?|(?:the|my|our|this|your) key)(?![-_])[^\\n.?!:=]{0,48}?(?:[:=]|\\s(?:is|was|to|are|ist|lautet|es|est)\\s)\\s{0,3}["'\`]?((?=[^\\s]{0,60}\\d)[0-9A-Za-z_.~+/=$%-]{16,400})`,
      '(?:api[- ]?key|access token|auth token|secret key|bearer token|token)\\s["\'`]?((?=[0-9A-Za-z_./+=~-]{0,60}\\d)[0-9A-Za-z_./+=~-]{20,400})',
    ],
    literals: [
      'api key',
      'api-key',
      'apikey',
      'access key',
      'secret key',
      'license key',
      'private key',
      'encryption key',
      'signing key',
      'token',
      'secret',
      'credential',
      'the key',
      'my key',
      'our key',
      'this key',
      'your key',
      'bearer token',
    ],
    boundary: 'start',
    validate: tokenValue,
    trim: withoutSentenceEnd,
    positives: [
      `the api key for the weather service is ${HEX}`,
      `my access token: ${TOKEN} - it expired?`,
      `My token is ${TOKEN} but the client says it is malformed.`,
      `the secret is "${TOKEN}"`,
      `our key is ${TOKEN}.`,
      `api key ${TOKEN}`,
      `the token we use for the bot is ${TOKEN}`,
      `here are the credentials: ${TOKEN}`,
      `the signing key was ${HEX}`,
      `Secret key = ${TOKEN}`,
    ],
    negatives: [
      'Where do I find the webhook secret in the dashboard? (ticket 1850)',
      'What is the difference between an access token and a refresh token?',
      'GitHub tokens begin with ghp_ followed by 36 characters.',
      'token ends with fCR7',
      'the key is under the mat',
      'our secret is a slow-cooked-tomato-sauce-with-basil-and-2-onions',
      'the token bucket allows 40 requests per second',
      'api key TauH…deEH',
      'the key is 2024-01-01',
      'the secret is your-secret-goes-here-1234',
    ],
  }),
  entry({
    name: 'login_in_text',
    title: 'Login with password',
    description:
      'a user name and a password beside each other: "user admin, pass ...", "login is operator / ...", .netrc',
    regex: [
      '(?:user(?:name)?|login|account|machine)(?![a-z])[^\\n]{0,80}?[\\s,;/]{1,3}(?:pass(?:word|wd)?|pwd?)[:=]?\\s{1,3}["\'`]?([^\\s"\'`,;]{6,100})',
      '(?:login|user(?:name)?|credentials?|creds)(?![a-z])[^\\n]{0,30}?(?:\\s(?:is|are)\\s|:\\s?)["\'`]?[\\w.@-]{2,40}["\'`]?\\s?[/|]\\s?["\'`]?([^\\s"\'`,;]{6,100})',
    ],
    literals: ['user', 'login', 'account', 'machine', 'credential', 'creds'],
    boundary: 'start',
    validate: plainPassword,
    trim: withoutSentenceEnd,
    positives: [
      `user admin, pass ${PASSWORD}`,
      `login is operator / ${PASSWORD} on the test box`,
      `machine git.example.test login ci password ${PASSWORD}`,
      `Username: sam.r\nlogin sam password ${PASSWORD}`,
      `credentials: admin / ${PASSWORD}`,
      `login root pass ${PASSWORD}`,
      `account ops, password ${PASSWORD}`,
      `user: jane | pw ${PASSWORD}`,
      `creds are admin/${PASSWORD}`,
      `username deploy password ${WORDY}`,
    ],
    negatives: [
      'user admin, pass the salt',
      'login is required / optional',
      'the user passes 3 parameters',
      'machine learning password policies',
      'user account password reset',
      'login: admin / home/app/file1',
      'account 12345678, password 2024-01-01',
      'user id / name',
      'user jane password changed',
      'login page password field is empty',
    ],
  }),
  entry({
    name: 'command_line_password',
    title: 'Password on a command line',
    description: 'curl -u name:password, sshpass -p, mysql -p, and passwords in SQL',
    regex: [
      '(?:-u|--user|--proxy-user)[\\s=]["\']?[\\w.@-]{1,60}:([^\\s"\'@]{6,100})',
      'sshpass\\s{1,2}-p\\s{0,2}["\']?([^\\s"\']{6,100})',
      'mysql(?:dump|admin)?\\s[^\\n]{0,80}?-p["\']?([^\\s"\']{6,100})',
      'identified\\s{1,2}(?:with\\s[a-z_0-9]{1,30}\\s)?by\\s{1,2}["\']([^"\'\\n]{6,100})["\']',
      'pgpassword=["\']?([^\\s"\']{6,100})',
      '/user:[^\\s]{1,60}\\s{1,3}["\']?([^\\s"\'/]{6,100})',
      'net\\suser\\s[^\\s]{1,40}\\s["\']?([^\\s"\'/]{6,100})["\']?\\s/add',
      'redis-cli\\s[^\\n]{0,80}?(?:-a|--pass)\\s["\']?([^\\s"\']{6,100})',
      '-pass(?:in|out)?\\spass:([^\\s"\']{6,100})',
      'smbclient\\s[^\\n]{0,80}?-U\\s?["\']?[^\\s%]{1,40}%([^\\s"\']{6,100})',
      'htpasswd\\s{1,2}-[a-z]{1,4}\\s[^\\n]{1,80}?\\s([^\\s"\']{6,100})$',
    ],
    literals: [
      '-u ',
      '--user',
      '--proxy-user',
      'sshpass',
      'mysql',
      'identified ',
      'pgpassword',
      'htpasswd',
      '/user:',
      'net user',
      'redis-cli',
      '-pass',
      'smbclient',
    ],
    validate: certainPassword,
    positives: [
      `curl -u deploy:${PASSWORD} https://files.example.test/dump.tgz`,
      `sshpass -p '${PASSWORD}' ssh deploy@10.1.2.3`,
      `mysql -h db -u root -p${PASSWORD} shop`,
      `CREATE USER report IDENTIFIED BY '${PASSWORD}';`,
      `PGPASSWORD=${PASSWORD} psql`,
      `curl --user ci:${PASSWORD} https://a.test`,
      `wget --user=ci:${PASSWORD}`,
      `mysqldump -p'${PASSWORD}' shop`,
      `sshpass -p ${PASSWORD} scp a b:`,
      `net use Z: \\\\fs01\\data /user:CORP\\svc ${PASSWORD}`,
      `redis-cli -h cache -a ${PASSWORD} ping`,
      `openssl rsa -in k.pem -passin pass:${PASSWORD}`,
      `ALTER USER a IDENTIFIED WITH mysql_native_password BY '${PASSWORD}'`,
    ],
    negatives: [
      'curl -u deploy:$PASSWORD https://files.example.test',
      'curl -u user:password https://a.test',
      'sshpass -p "$PASS1" ssh host',
      'mysql -u root -p shop',
      "IDENTIFIED BY '<password>'",
      'git push -u origin main',
      'docker run -u 1000:1000 image',
      "IDENTIFIED BY '********'",
      'chown --user www:data1',
      'PGPASSWORD=${PW1}',
    ],
  }),
  entry({
    name: 'table_password',
    title: 'Password in a table',
    description: 'the last cell of the first row below a last column named "password"',
    regex: [
      '(?:password|passwd|pwd)["\']?\\r?\\n(?:[^,;\\t\\n]{0,80}[,;\\t]){1,8}["\']?([^,;\\t\\r\\n"\']{6,100})["\']?(?=\\r?\\n|$)',
      '(?:password|passwd|pwd)[*`]{0,2}\\s?\\|\\s?\\r?\\n\\|?[-:| ]{3,120}\\r?\\n\\|?(?:[^|\\n]{0,80}\\|){1,8}\\s?[`]?([^|\\s`]{6,100})[`]?\\s?(?:\\||\\r?\\n|$)',
    ],
    literals: ['password', 'passwd', 'pwd'],
    validate: passwordValue,
    positives: Array.from(
      { length: 12 },
      (_, i) =>
        [
          `host,user,password\nweb1,admin,${PASSWORD}`,
          `user;password\nadmin;${PASSWORD}`,
          `| user | password |\n|---|---|\n| demo | ${PASSWORD} |`,
          `name\tpwd\nroot\t${PASSWORD}`,
          `"user","password"\n"admin","${PASSWORD}"`,
          `host,user,passwd\r\nweb1,admin,${WORDY}\r\nweb2,b,c`,
        ][i % 6]?.replace(/^/, i < 6 ? '' : '\n') ?? '',
    ),
    negatives: [
      'host,user,password\nweb1,admin,none',
      'user,password\nadmin,********',
      'password\nreset mail, never arrives',
      'user,password,host\nadmin,x,web1.example1',
      'password\n\na, b, c1d2e3f4',
      'id,pwd\n1,/home/app1',
      'the password\n, 12',
      'user,password\nadmin,<password1>',
      'a,password\nb,2024-01-01',
      'a,password\nb,${PASSWORD1}',
    ],
  }),
];
