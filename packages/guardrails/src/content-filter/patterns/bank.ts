import { iccid, imei, imsi } from '../validators/device.ts';
import { vin } from '../validators/americas.ts';
import { luhn } from '../validators/payment.ts';
import { digitsOf, type Verdict } from '../validators/verdict.ts';
import { surrounded } from './fixtures.ts';
import { type NumberEntry, numberPattern } from './number.ts';
import type { PatternSpec } from './spec.ts';

const PAYMENT = 'Payment';
const DEVICES = 'Devices';

const COUNTRIES = new Set(
  (
    'AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM CN ' +
    'CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW ' +
    'GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC ' +
    'MD ME MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NZ OM PA PE PF PG PH PK PL PM PR PS PT ' +
    'PW PY QA RE RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA ' +
    'UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW'
  ).split(' '),
);

/** Bank identifier (ISO 9362): letters five and six name a country. There is no check digit. */
function bic(text: string): Verdict {
  return COUNTRIES.has(text.slice(4, 6).toUpperCase()) ? 'unknown' : 'fail';
}

/** UPI handles of banks and payment apps. */
const UPI =
  'okhdfcbank oksbi okicici okaxis ybl ibl axl paytm ptyes ptsbi pthdfc ptaxis upi apl yapl rapl sbi hdfcbank icici axisbank kotak pnb barodampay freecharge ikwik jupiteraxis naviaxis'.split(
    ' ',
  );

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

const NUMBERS: readonly NumberEntry[] = [
  {
    name: 'uk_sort_code',
    entity: 'UK_SORT_CODE',
    title: 'UK sort code and account',
    group: PAYMENT,
    description: 'sort code, with or without an account of 8 digits, near sort code',
    layouts: ['#{2}-#{2}-#{2}[ ,/]{1,2}#{8}', '#{2}[ -]#{2}[ -]#{2}', '#{6} #{8}', '#{6}'],
    words: ['sort code', 'sortcode', 'sort-code', 's/c'],
    window: [24, 0],
    severity: 'medium',
    values: ['20-00-00 55779911', '60-16-13', '200000'],
  },
  {
    name: 'au_bsb',
    entity: 'AU_BSB',
    title: 'Australian bank and branch',
    group: PAYMENT,
    description: 'BSB (3-3 digits), with or without an account, near BSB',
    layouts: ['#{3}-#{3}[ ,/]{1,2}#{6,9}', '#{3}[ -]?#{3}'],
    words: ['bsb', 'bsb number', 'bsb no'],
    window: [24, 0],
    severity: 'medium',
    values: ['062-000 12345678', '062-000', '062000'],
  },
  {
    name: 'imei',
    entity: 'IMEI',
    title: 'IMEI',
    group: DEVICES,
    description: '15 digits with Luhn (or 16 with software version), near IMEI words',
    layouts: ['#{15,16}', '#{2}[ -]#{6}[ -]#{6}[ -]#{1,2}', '#{8}[ -]#{6}[ -]#', '#{6}[ -]#{2}[ -]#{6}[ -]#'],
    validate: imei,
    words: ['imei', 'imei number', 'device imei', 'imei1', 'imei2', 'imeisv', 'device id', 'handset'],
    severity: 'medium',
    values: ['490154203237518', '35-209900-176148-1', '35209900-176148-1'],
  },
  {
    name: 'iccid',
    entity: 'ICCID',
    title: 'SIM serial number',
    group: DEVICES,
    description: '89 and 17 or 18 digits with Luhn, near SIM words',
    layouts: ['89#{17,18}', '89#{2} #{4} #{4} #{4} #{3,4}', '89#{2} #{4} #{4} #{4} #{2} #'],
    validate: iccid,
    words: ['iccid', 'sim serial', 'sim', 'sim card', 'esim', 'sim number', 'ccid'],
    severity: 'medium',
    values: ['8944110068246732163', '8944 1100 6824 6732 163'],
  },
  {
    name: 'imsi',
    entity: 'IMSI',
    title: 'IMSI',
    group: DEVICES,
    description: '14 or 15 digits with a mobile country code, near IMSI',
    layouts: ['#{14,15}', '#{3}[ -]#{2,3}[ -]#{9,10}'],
    validate: imsi,
    words: ['imsi', 'subscriber identity', 'mobile subscriber'],
    severity: 'medium',
    values: ['262019876543210', '310-150-123456789'],
  },
];

export const BANK_PATTERNS: readonly PatternSpec[] = [
  ...NUMBERS.map(numberPattern),
  {
    name: 'vin',
    entity: 'VIN',
    display_name: 'Vehicle identification number',
    group: DEVICES,
    description: '17 characters without I, O, Q; check digit for North America and China; near vehicle words',
    example: 'VIN 1M8GDM9AXKP042788',
    regex: ['(?<![-./])[A-HJ-NPR-Z0-9]{17}(?![-/])'],
    ignoreCase: true,
    anchor: { kind: 'digit', leads: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], letters: true },
    minDigits: 1,
    validate: vin,
    context: {
      words: [
        'vin',
        'chassis',
        'chassis number',
        'vehicle identification',
        'vehicle id',
        'fahrgestellnummer',
        'fin',
        'fahrzeug-identifizierungsnummer',
        'num\u00e9ro de ch\u00e2ssis',
        'bastidor',
        'telaio',
        'vehicle',
        'car',
        'chassi',
      ],
      before: 44,
      after: 48,
      needed: 'always',
    },
    action: 'MASK',
    severity: 'medium',
    positives: surrounded([
      'VIN 1M8GDM9AXKP042788',
      'chassis number: WVWZZZ1JZXW000001',
      '1HGCM82633A004352 (vin)',
    ]),
    negatives: surrounded([
      'VIN 1M8GDM9A1KP042788',
      '1M8GDM9AXKP042788',
      'vin 1M8GDM9AXKP04278',
      'VIN 12345678901234567',
    ]),
  },
  {
    name: 'bic',
    entity: 'BIC',
    display_name: 'Bank identifier (BIC, SWIFT)',
    group: PAYMENT,
    description: '8 or 11 characters with a country, after BIC or SWIFT',
    example: 'BIC DEUTDEFF',
    regex: [
      '(?:[Ss][Ww][Ii][Ff][Tt]|[Bb][Ii][Cc])(?:[ /-]?(?:[Cc]ode|CODE|BIC|SWIFT|bic|swift))?(?: ?(?:is|no\\.?|number))?[\\s:="\'>|]{1,6}([A-Z]{6}[A-Z2-9][0-9A-NP-Z](?:[0-9A-Z]{3})?)(?![0-9A-Za-z])',
    ],
    anchor: { kind: 'literal', literals: ['swift', 'bic'] },
    boundary: 'start',
    validate: bic,
    action: 'MASK',
    severity: 'low',
    positives: surrounded([
      'BIC DEUTDEFF',
      'SWIFT code: NEDSZAJJXXX',
      'swift/bic: DABADKKK',
      '"bic":"BNPAFRPP"',
    ]),
    negatives: surrounded(['DEUTDEFF', 'BIC DEUTZZFF', 'SWIFT PROGRAMS', 'bic pen', 'Swift TAYLOR']),
  },
  {
    name: 'in_upi_id',
    entity: 'IN_UPI',
    display_name: 'UPI id',
    group: PAYMENT,
    description: 'name and the handle of a bank or payment app of India',
    example: 'ravi.k@oksbi',
    regex: [`[0-9A-Za-z][0-9A-Za-z._-]{1,63}@(?:${UPI.join('|')})(?![@0-9A-Za-z-]|\\.[0-9A-Za-z])`],
    ignoreCase: true,
    anchor: {
      kind: 'literal',
      literals: UPI.map((handle) => `@${handle}`),
      back: { accepts: (code) => /[0-9A-Za-z._-]/.test(String.fromCharCode(code)), max: 64 },
    },
    action: 'MASK',
    severity: 'medium',
    positives: surrounded(['ravi.k@oksbi', 'pay to 9876543210@paytm', 'upi: asha-99@okhdfcbank']),
    negatives: surrounded(['ravi@oksbi.com', '@paytm', 'mail me@bank', 'user@upistream']),
  },
  {
    name: 'br_pix_key',
    entity: 'BR_PIX',
    display_name: 'Random key of PIX',
    group: PAYMENT,
    description: 'UUID after PIX',
    example: 'chave pix 123e4567-e89b-42d3-a456-426614174000',
    regex: [`pix[^\\n]{0,24}?[\\s:="'>(|](${UUID})(?![0-9A-Za-z-])`],
    ignoreCase: true,
    anchor: { kind: 'literal', literals: ['pix'] },
    boundary: 'start',
    action: 'MASK',
    severity: 'medium',
    positives: surrounded([
      'chave pix 123e4567-e89b-42d3-a456-426614174000',
      'PIX: 9f8b7c6d-1234-4abc-8def-0123456789ab',
    ]),
    negatives: surrounded(['123e4567-e89b-42d3-a456-426614174000', 'pix 123e4567-e89b', 'pixel 123e4567']),
  },
  {
    name: 'card_track_data',
    entity: 'CARD_TRACK',
    display_name: 'Magnetic stripe of a card',
    group: PAYMENT,
    description: 'track 1 (%B number ^ name ^ date) or track 2 (; number = date)',
    example: '%B4111111111111111^DOE/JANE^30121010000000000000?',
    regex: ['%[Bb]\\d{12,19}\\^[^^\\n]{2,26}\\^\\d{7,40}', ';\\d{12,19}=\\d{7,30}'],
    anchor: { kind: 'literal', literals: ['%b', ';'] },
    boundary: 'none',
    validate: (text) => (luhn(digitsOf(text.split(/[\^=]/)[0] ?? '')) ? 'pass' : 'fail'),
    action: 'BLOCK',
    severity: 'high',
    positives: surrounded([
      '%B4111111111111111^DOE/JANE^30121010000000000000?',
      ';4111111111111111=30121010000000000000?',
      '%b5555555555554444^DOE/J^29051010000?',
    ]),
    negatives: surrounded([
      '%B4111111111111112^DOE/JANE^30121010000000000000?',
      ';4111111111111112=30121010000?',
      'a;b=c',
      ';4111=3012',
    ]),
  },
];
