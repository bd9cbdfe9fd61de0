import { padded } from './fixtures.ts';
import type { PatternSpec } from './spec.ts';

const GROUP = 'PII';
const ADDRESS = { group: GROUP, entity: 'STREET_ADDRESS', action: 'MASK', severity: 'medium' } as const;

const UPPER = 'A-Z\\u00c0-\\u00d6\\u00d8-\\u00de\\u0100-\\u017d\\u0391-\\u03ab\\u0410-\\u042f';
const WORD = `[${UPPER}][A-Za-z\\u00c0-\\u024f\\u0370-\\u052f'\\u2019.-]{0,24}`;

/** Street words of English addresses, as postal services abbreviate and spell them. */
const ENGLISH =
  'street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|terrace|ter|way|circle|cir|highway|hwy|parkway|pkwy|' +
  'crescent|cres|close|grove|trail|trl|alley|plaza|row|mews|loop|crossing|ridge|path|walk|run|turnpike|expressway|route|quay|esplanade|gardens|hill|park|view|point|pass|bend|rue';
/** Street words that mean other things more often; they count with a unit, a postcode or an address word near by. */
const RARE =
  'approach|branch|bridge|brook|burg|bypass|camp|canyon|cape|causeway|centers?|cliffs?|common|concourse|corners?|course|coves?|creek|crest|crossroad|curve|dale|dam|divide|estates?|extension|falls?|ferry|fields?|flats?|fords?|forest|forge|fork|fort|freeway|garden|gateway|glens?|greens?|groves|harbors?|haven|heights|hills|hollow|inlet|islands?|isle|junctions?|keys?|knolls?|lakes?|land|landing|light|lights|locks?|lodge|mall|manor|meadows?|mills?|mission|motorway|mount|mountains?|neck|nagar|orchard|oval|overpass|parade|parks|parkways|passage|pike|pines?|plains?|points|ports?|prairie|quad|radial|ramp|ranch|rapids?|rest|ridges|river|roads|shoals?|shores?|skyway|springs?|spurs?|squares|station|stravenue|stream|streets|summit|throughway|trace|track|trafficway|tunnel|underpass|unions?|valleys?|via|viaduct|views|villages?|ville|vista|walks|wall|ways|wells?|chowk|marg|ganj|circle|zila|glade|rise|vale|drove';

const UNIT =
  '(?:,? ?\\n? ?(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Flat|Studio|Room|#)\\.? ?#?[0-9A-Za-z-]{1,6})';
const DIRECTION = '(?:(?:[NSEW]|North|South|East|West|NE|NW|SE|SW)\\.? )?';
const NAMES = `(?:(?:${WORD}|\\d{1,3}(?:st|nd|rd|th)) ){1,4}`;

/** Words in any usual case, without making the whole expression ignore case: names have to begin with a capital. */
function eachCase(words: string): string {
  return words
    .split('|')
    .map((word) => `[${(word[0] ?? '').toUpperCase()}${word[0] ?? ''}]${word.slice(1)}|${word.toUpperCase()}`)
    .join('|');
}

const ADDRESS_WORDS = [
  'address',
  'addresses',
  'lives at',
  'live at',
  'living at',
  'moved to',
  'ship to',
  'ship it to',
  'shipping',
  'deliver to',
  'delivery',
  'sent to',
  'send it to',
  'return to',
  'located at',
  'meet you at',
  'meet me at',
  'taxi to',
  'office is at',
  'home',
  'billing',
  'residence',
  'resides',
  'see you at',
  'drops you off at',
  'visit',
  'venue',
  'anschrift',
  'adresse',
  'adres',
  'direcci\u00f3n',
  'domicilio',
  'indirizzo',
  'endere\u00e7o',
  'alamat',
];
const NEAR = { words: ADDRESS_WORDS, before: 48, after: 24 } as const;

/** Streets whose kind is glued to the name, with the house number after it: German, Dutch and Nordic addresses. */
const GLUED =
  'stra\u00dfe strasse str. straat laan singel gracht plein kade dijk weg allee gasse platz ufer hof dreef gatan gata v\u00e4gen vagen v\u00e4g stigen gr\u00e4nd torget backen vej vejen gade gaden gaten veien vegen katu kuja polku utca'.split(
    ' ',
  );
const isNamePart = (code: number): boolean =>
  (code | 32) >= 97 && (code | 32) <= 122
    ? true
    : code === 45 || code === 32 || code === 46 || code === 39 || (code >= 0xc0 && code <= 0x17f);

/** Kinds of streets that stand before their name: Romance, Slavic, Greek, Turkish and South-East Asian addresses. */
const LEADING =
  'rue|avenue|boulevard|place|chemin|all\u00e9e|impasse|quai|route|cours|calle|avenida|av\\.|plaza|paseo|ronda|glorieta|c/|carrer|pasaje|camino|via|viale|vicolo|piazza|corso|largo|strada|contrada|canale|borgo|incrocio|rotonda|stretto|rua|travessa|pra\u00e7a|alameda|estrada|avenida|rodovia|ulica|ul\\.|al\\.|aleja|pl\\.|plac|os\\.|osiedle|jalan|jl\\.|gang|gg\\.|strada|str\\.|bulevardul|aleea|calea|\u03bb\u03b5\u03c9\u03c6\\.|\u03bf\u03b4\u03cc\u03c2|\u0443\u043b\\.|\u0443\u043b\u0438\u0446\u0430|\u043f\u0440\\.|\u043f\u0440\u043e\u0441\u043f\u0435\u043a\u0442|\u043f\u0435\u0440\\.|\u0432\u0443\u043b\\.|\u0432\u0443\u043b\u0438\u0446\u044f';

const STATES =
  'AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR GU VI AS MP AA AE AP'.split(
    ' ',
  );

const POSTCODES = [
  // Britain; Canada; the Netherlands; the digits of most other countries.
  '[A-Z]{1,2}\\d[0-9A-Z]? ?\\d[A-Z]{2}',
  '[A-Z]{1,2}\\d{1,2} ?\\d{1,2}[A-Z]{2}',
  '[A-Z]\\d[A-Z] ?\\d[A-Z]\\d',
  '[A-Z]\\d{2} ?[0-9A-Z]{4}',
  '\\d{5}-\\d{3,4}',
  '\\d{2}-\\d{3}',
  '\\d{3} ?\\d{2}',
  '\\d{4} ?[A-Z]{2}',
  '\\d{4,6}',
];

const SPECS: readonly PatternSpec[] = [
  {
    ...ADDRESS,
    name: 'street_address',
    display_name: 'Street address',
    description: 'house number, one to four words, street type word, optionally unit',
    example: '742 Evergreen Terrace',
    regex: [
      `(?<!\\d[-./:,])(?!(?:19|20)\\d\\d Mount )\\d{1,6}[A-Za-z]?(?:-\\d{1,5})? ${DIRECTION}${NAMES}(?:${eachCase(ENGLISH)})\\b\\.?${UNIT}?`,
    ],
    anchor: { kind: 'digit', runs: [1, 2, 3, 4, 5, 6], next: ' -a' },
    boundary: 'start',
    positives: [
      '742 Evergreen Terrace',
      '1600 Pennsylvania Avenue',
      'lives at 221B Baker Street, London',
      '350 5th Avenue',
      '12 N. Main St.',
      '99 Old Mill Rd, Apt 4B',
      '10 Downing Street',
      '4 Privet Drive',
      '1 Infinite Loop',
      '500 West Oak Blvd Suite 300',
      '1600 Amphitheatre Pkwy',
    ],
    negatives: [
      '3 days on the road',
      'Evergreen Terrace',
      'street 742',
      '20 people walk',
      '5 stars',
      'version 2 street',
      '12:30 Main Street',
      'chapter 5 of the book',
      '100 percent way',
      '7 reasons to drive',
      '1. Open the street map',
      'the 1980 Mount St. Helens eruption',
    ],
  },
  {
    ...ADDRESS,
    name: 'street_address_rare',
    display_name: 'Street address with an uncommon street word',
    description: 'flat or house number, words, and a word such as Divide or Corner, near address words',
    example: 'ship to 778 Scott Corner',
    regex: [
      `(?<!\\d[-./:,])\\d{1,6}[A-Za-z]?(?:-\\d{1,5})? ${DIRECTION}${NAMES}(?:${eachCase(RARE)})\\b\\.?${UNIT}?`,
      `(?<!\\d[-./:,])\\d{1,6}[A-Za-z]?[ ,/]{1,2}(?:\\d{1,5},? )?${WORD}(?: ${WORD}){0,3}(?= ?,| ?\\n)`,
    ],
    anchor: { kind: 'digit', runs: [1, 2, 3, 4, 5, 6], next: ' -a/*' },
    boundary: 'start',
    context: { ...NEAR, needed: 'always' },
    positives: [
      'ship to 778 Scott Corner',
      'home address 12 Hannah Divide',
      'my new address is 25 Bains Nagar, Sasaram',
      'taxi to 80 Oliver Stream',
    ],
    negatives: ['778 Scott Corner', '5 Key Points', 'address 12', 'we moved to 3 rapid runs', '10 Downing'],
  },
  {
    ...ADDRESS,
    name: 'street_address_unit',
    display_name: 'Unit of an address',
    description: 'Apt, Suite, Flat and the like with a number, PO boxes, and military post',
    example: 'P.O. Box 123',
    regex: [
      '(?:P\\.? ?O\\.? ?[Bb]ox|PO BOX|[Pp]ostfach|[Pp]ostbus|[Pp]ostboks|[Cc]asella [Pp]ostale|[Aa]partado) ?\\d{1,6}',
      '(?:Apt|Apartment|Suite|Ste|Flat)\\.? ?#?\\d{1,5}[A-Za-z]?',
      '(?:PSC|Unit) \\d{1,5},? Box \\d{1,5}(?:\\s{1,3}[ADF]PO (?:AA|AE|AP) \\d{5})?',
      '(?:USNS|USNV|USS|USCGC) [A-Z][a-z\\u00df-\\u017f]{1,20}\\s{1,3}[ADF]PO (?:AA|AE|AP) \\d{5}',
    ],
    anchor: {
      kind: 'literal',
      literals: [
        'p.o',
        'po box',
        'p o box',
        'postfach',
        'postbus',
        'postboks',
        'casella postale',
        'apartado',
        'apt',
        'apartment',
        'suite',
        'ste',
        'flat',
        'psc',
        'unit',
        'usns',
        'usnv',
        'uss',
        'uscgc',
      ],
    },
    positives: ['P.O. Box 123', 'Apt. 722', 'Suite 329', 'PSC 1139, Box 7638\nAPO AP 94917', 'Flat 4b'],
    negatives: ['apt to fail', 'suite of tests', 'flat rate', 'unit 7 of the box', 'P.O. number'],
  },
  {
    ...ADDRESS,
    name: 'street_address_glued',
    display_name: 'Street address (German, Dutch, Nordic)',
    description: 'name ending in -stra\u00dfe, -laan, -gatan and the like, and a house number',
    example: 'Hauptstra\u00dfe 12a',
    regex: [
      `(?:[A-Za-z\\u00c0-\\u017f.'-]{1,30} ){0,7}?((?:[${UPPER}][A-Za-z\\u00c0-\\u017f'.-]{0,30} ){0,2}[${UPPER}][A-Za-z\\u00c0-\\u017f'-]{2,30}(?:${GLUED.join('|').replaceAll('.', '\\.')}|[Ss]tra\u00dfe|[Ww]eg|[Aa]llee|[Pp]latz|[Ss]tr\\.) \\d{1,4}[a-zA-Z]?)(?!\\d|[.,]\\d)`,
    ],
    anchor: {
      kind: 'literal',
      literals: GLUED.flatMap((word) => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `${word} ${digit}`)),
      back: {
        accepts: isNamePart,
        first: (code) => (code >= 65 && code <= 90) || (code >= 0xc0 && code <= 0xde),
        max: 48,
      },
    },
    positives: [
      'Hauptstra\u00dfe 12a',
      'Meine Anschrift: Haasstrasse 701',
      'Wesleylaan 688',
      'jag bor p\u00e5 Ringstigen 93',
      'Adressen er Nyrnberggade 115',
      'K\u00f6nigsallee 1',
    ],
    negatives: ['Hauptstra\u00dfe', 'the hof 12', 'ring 12 times', 'String 1', 'on the way'],
  },
  {
    ...ADDRESS,
    name: 'street_address_leading',
    display_name: 'Street address (Romance, Slavic, Greek, Indonesian)',
    description: 'Rue, Calle, Via, ulica, Jalan and the like, a name and a house number before or after it',
    example: '94, rue Louis Pottier',
    regex: [
      `(?:\\d{1,4},? )?(?:${eachCase(LEADING)})(?: (?:de|del|della|di|da|do|dos|das|des|du|la|le|las|los|l'|d'|van|K\\.H\\.)){0,3} ?(?:${WORD}|\\d{1,2})(?: (?:de|del|della|di|da|do|dos|das|des|du|la|le|van|y|e|i)){0,2}(?:[ -]${WORD}){0,4},? (?:[Nn]\\.?|No\\.?|n\u00ba|nr\\.?|s/n)? ?\\d{1,5}[A-Za-z]?(?:/\\d{1,4})?(?: (?:Piso|Apt\\.?|Appartamento|Puerta|piso) \\d{1,3})?`,
      `\\d{1,4},? (?:bis |ter )?(?:${eachCase(LEADING)})(?: (?:de|del|des|du|la|le|les|l'|d'|di|da)){0,3} ?${WORD}(?:[ -](?:de |du |la )?${WORD}){0,4}`,
    ],
    ignoreCase: false,
    anchor: {
      kind: 'literal',
      literals: LEADING.replaceAll('\\', '')
        .split('|')
        .map((word) => `${word} `),
      back: {
        accepts: (code) => (code >= 48 && code <= 57) || code === 32 || code === 44,
        first: (code) => code !== 32 && code !== 44,
        max: 7,
      },
    },
    boundary: 'start',
    positives: [
      '94, rue Louis Pottier',
      'ulica Pi\u0142sudskiego 59',
      'Gang K.H. Wahid Hasyim No. 8',
      'calle de Alcal\u00e1, 12',
      'al. Witosa 35',
      'via Roma, 7',
    ],
    negatives: ['via email 12', 'rue the day', 'place an order for 5', 'route 66', 'the calle'],
  },
  {
    ...ADDRESS,
    name: 'street_address_east_asian',
    display_name: 'Street address (Chinese, Japanese, Korean)',
    description: 'province, city, district, street and number, near address words',
    example: '\u5730\u5740\uff1a\u5317\u4eac\u5e02\u671d\u9633\u533a\u5efa\u56fd\u8def88\u53f7',
    regex: [
      '(?:\u5730\u5740[:\uff1a\u662f ]{1,3}|\u5bc4\u5230)([\\u4e00-\\u9fff]{2,12}(?:\u7701|\u5e02|\u533a|\u53bf|\u8def|\u8857|\u9053)[\\u4e00-\\u9fff0-9A-Za-z -]{1,40})',
      '(?:\u4f4f\u6240[:\uff1a\u306f ]{1,3})([\\u3005\\u3040-\\u30ff\\u4e00-\\u9fff0-9A-Za-z -]{4,50}?)(?=\u3067\u3059|\u3002|\\n|$)',
      '(?:\uc8fc\uc18c[:\ub294\uc740 ]{1,3})([\\uac00-\\ud7a30-9A-Za-z -]{4,50}?)(?=\uc785\ub2c8\ub2e4|\uc774\uc5d0\uc694|\\.|\\n|$)',
      "(?:\u05e8\u05d7\u05d5\u05d1 )([\\u05d0-\\u05ea' -]{2,30} \\d{1,4})",
    ],
    anchor: {
      kind: 'literal',
      literals: ['\u5730\u5740', '\u5bc4\u5230', '\u4f4f\u6240', '\uc8fc\uc18c', '\u05e8\u05d7\u05d5\u05d1'],
    },
    boundary: 'none',
    positives: [
      '\u5730\u5740\uff1a\u5317\u4eac\u5e02\u671d\u9633\u533a\u5efa\u56fd\u8def88\u53f7',
      '\u4f4f\u6240\u306f\u6771\u4eac\u90fd\u6e2f\u533a1-2-3\u3067\u3059',
      '\uc8fc\uc18c\ub294 \uc11c\uc6b8\ud2b9\ubcc4\uc2dc \uac15\ub0a8\uad6c \ub17c\ud604\ub85c 987\uc785\ub2c8\ub2e4',
    ],
    negatives: ['\u5317\u4eac', '\u5730\u5740\uff1aabc', '\u4f4f\u6240', '\uc8fc\uc18c', 'address'],
  },
  {
    name: 'postcode',
    entity: 'ZIP_CODE',
    display_name: 'Postcode',
    group: GROUP,
    description:
      'postcodes of many countries near ZIP, postcode, PLZ, CAP and the like, and US state with ZIP after a city',
    example: 'ZIP 10115',
    regex: POSTCODES.map((shape) => `(?<![\\d.,/-])${shape}(?![-./]?\\d)`),
    anchor: { kind: 'digit', leads: [0, 1, 2], letters: true },
    minDigits: 1,
    context: {
      words: [
        'zip',
        'zip code',
        'zipcode',
        'postcode',
        'postal code',
        'post code',
        'postalcode',
        'plz',
        'postleitzahl',
        'cap',
        'code postal',
        'c\u00f3digo postal',
        'kod pocztowy',
        'postnummer',
        'postinumero',
        'ps\u010d',
        'eircode',
        'pin code',
        'pincode',
        '\u90ae\u7f16',
        '\u90f5\u4fbf\u756a\u53f7',
        '\uc6b0\ud3b8\ubc88\ud638',
        '\u0438\u043d\u0434\u0435\u043a\u0441',
      ],
      before: 14,
      after: 0,
      needed: 'always',
    },
    action: 'MASK',
    severity: 'low',
    positives: [
      'ZIP 10115',
      'my zip code is 94103-1234',
      'Postcode: SW1A 1AA',
      '"zip": "V4H5V3"',
      'PLZ 80331',
      'kod pocztowy 28-080',
    ],
    negatives: ['10115', 'zip file 7', 'postcode 12', 'SW1A 1AA', 'zip codes are 5 digits'],
  },
  {
    name: 'us_zip_after_state',
    entity: 'ZIP_CODE',
    confidence: 'low',
    display_name: 'US state and ZIP code',
    group: GROUP,
    description:
      'five or nine digits after the abbreviation of a state that follows a comma or stands on a line',
    example: 'Springfield, IL 62704',
    regex: [
      `(?<=(?:[,\\n]|[A-Z][a-z]{2,20}[,.]?)\\s{1,6}(?:${STATES.join('|')})[ \\n]{1,6})\\d{5}(?:-\\d{4})?(?![-./]?\\d)`,
    ],
    anchor: { kind: 'digit', runs: [5] },
    minDigits: 5,
    action: 'MASK',
    severity: 'low',
    positives: ['Springfield, IL 62704', 'Waying\n AZ\n 41192', 'Stravino CA 82886', 'Austin, TX 73301-0001'],
    negatives: ['IL 62704', 'ID 12345', 'Springfield, IL 627', 'Springfield, XX 62704', 'code OK 12345'],
  },
  {
    name: 'postcode_after_city',
    entity: 'ZIP_CODE',
    // Inside an address that is masked as a whole, the postcode alone would be a finding too many.
    confidence: 'low',
    display_name: 'Postcode after an address',
    group: GROUP,
    description: 'postcodes after a street and a capital word, near address words',
    example: 'home address Dube Street 3, Aurangabad 418367',
    regex: [`(?<=[,\\n] ?(?:${WORD}[ -]){1,3})(?:${POSTCODES.join('|')})(?=[.,;\\n)]|$| please)`],
    anchor: { kind: 'digit', leads: [0, 1, 2], letters: true },
    minDigits: 1,
    context: { words: ADDRESS_WORDS, before: 90, after: 0, needed: 'always' },
    action: 'MASK',
    severity: 'low',
    positives: [
      'home address Dube Street 3, Aurangabad 418367',
      'Address: plac Staszica 725, Ko\u015bcierzyna 15-054.',
      'Ship to 1 Main St, Lake Syl HX6A 4ZD',
      'address: 5 Ash Rd, Auckland 0808',
    ],
    negatives: [
      'Aurangabad 418367',
      'address, Call 12',
      'see you at Room 12',
      'address 418367',
      'on May 2024.',
    ],
  },
];

/** Street addresses and postcodes of several countries. */
export const ADDRESS_PATTERNS: readonly PatternSpec[] = SPECS.map(padded);
