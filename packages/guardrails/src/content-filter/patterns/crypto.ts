import {
  bech32,
  bitcoinBase58,
  ethereum,
  extendedKey,
  otherWallet,
  seedPhraseLength,
  solana,
  walletImportKey,
} from '../validators/crypto.ts';
import { surrounded } from './fixtures.ts';
import type { PatternSpec } from './spec.ts';

const GROUP = 'Crypto';
const WORDS = [
  'wallet',
  'ethereum',
  'eth',
  'address',
  'erc20',
  'erc-20',
  'usdt',
  'usdc',
  'metamask',
  'polygon',
  'payout',
  '0x address',
];
const SEED_CUES = [
  'seed phrase',
  'recovery phrase',
  'mnemonic',
  'seed words',
  'secret phrase',
  'backup phrase',
  'wallet words',
  'recovery words',
  'seed',
  'bip39',
  'bip-39',
  'passphrase',
];
const SEED = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
const LONG_SEED =
  'letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter always';
const ZERO_SEED =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

/** Addresses and keys of published examples of the standards; the private ones have never held anything. */
const WIF = '5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ';
const WIF_SHORT = 'KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617';
const XPRV = [
  'xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi',
  'xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7',
];

export const CRYPTO_PATTERNS: readonly PatternSpec[] = [
  {
    name: 'bitcoin_address',
    entity: 'CRYPTO',
    display_name: 'Bitcoin address (base 58)',
    group: GROUP,
    description: 'begins with 1 or 3; Base58Check',
    example: '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
    regex: ['[13][1-9A-HJ-NP-Za-km-z]{25,34}'],
    anchor: { kind: 'digit', runs: [1, 2, 3, 4, 5, 6, 7], next: 'a' },
    validate: bitcoinBase58,
    action: 'MASK',
    severity: 'medium',
    positives: surrounded([
      '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
      '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy',
      'wallet=1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2;',
    ]),
    negatives: surrounded([
      '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb',
      '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLz',
      'x1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
      '1111111111111111111111111111',
    ]),
  },
  {
    name: 'bech32_address',
    entity: 'CRYPTO',
    display_name: 'Bitcoin, Litecoin or Cardano address (bech32)',
    group: GROUP,
    description: 'bc1, tb1, ltc1, addr1; bech32 or bech32m checksum',
    example: 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq',
    regex: ['(?:bc1|tb1|bcrt1|ltc1)[02-9ac-hj-np-z]{11,87}', '(?:addr1|stake1)[02-9ac-hj-np-z]{50,110}'],
    ignoreCase: true,
    anchor: { kind: 'literal', literals: ['bc1', 'tb1', 'bcrt1', 'ltc1', 'addr1', 'stake1'] },
    validate: bech32,
    action: 'MASK',
    severity: 'medium',
    positives: surrounded([
      'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq',
      'BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4',
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
    ]),
    negatives: surrounded([
      'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp',
      'bc1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4',
      'bc1qshort',
      'xbc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq',
    ]),
  },
  {
    name: 'ethereum_address',
    entity: 'CRYPTO',
    display_name: 'Ethereum address',
    group: GROUP,
    description:
      '0x and 40 hexadecimal digits; letters of both cases have to pass EIP-55, one case needs wallet words',
    example: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    regex: ['0x[0-9a-fA-F]{40}'],
    anchor: { kind: 'literal', literals: ['0x'] },
    validate: ethereum,
    context: { words: WORDS, before: 40, after: 24, needed: 'unless_valid' },
    action: 'MASK',
    severity: 'medium',
    positives: surrounded([
      '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
      '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
      'wallet 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
    ]),
    negatives: surrounded([
      '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD',
      '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
      'commit 0x5aAeb6053F3E94C9',
      '0x0000000000000000000000000000000000000000',
    ]),
  },
  {
    name: 'crypto_wallet_named',
    entity: 'CRYPTO',
    display_name: 'Address of another coin',
    group: GROUP,
    description:
      'Litecoin, Dogecoin, TRON, Dash (Base58Check), XRP, Monero, after the name of the coin or the word wallet',
    example: 'TRON TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
    regex: [
      '(?:litecoin|ltc|dogecoin|doge|tron|trx|trc20|trc-20|usdt|dash|zcash|xrp|ripple|monero|xmr|wallet)[^\\n]{0,24}?[\\s:="\'>(|]([1-9A-HJ-NP-Za-km-z]{25,95})(?![0-9A-Za-z])',
    ],
    ignoreCase: true,
    anchor: {
      kind: 'literal',
      literals: [
        'litecoin',
        'ltc',
        'dogecoin',
        'doge',
        'tron',
        'trx',
        'trc20',
        'trc-20',
        'usdt',
        'dash',
        'zcash',
        'xrp',
        'ripple',
        'monero',
        'xmr',
        'wallet',
      ],
    },
    boundary: 'start',
    validate: otherWallet,
    action: 'MASK',
    severity: 'medium',
    positives: surrounded([
      'TRON TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
      'my XRP address is rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh',
      'dogecoin: DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L',
    ]),
    negatives: surrounded([
      'TRON TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u',
      'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
      'XRP rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi',
      'wallet lost',
    ]),
  },
  {
    name: 'solana_address',
    entity: 'CRYPTO',
    display_name: 'Solana address',
    group: GROUP,
    description: '32 bytes in base 58 after the word Solana',
    example: 'solana 7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV',
    regex: ['(?:solana|phantom)[^\\n]{0,24}?[\\s:="\'>(|]([1-9A-HJ-NP-Za-km-z]{32,44})(?![0-9A-Za-z])'],
    ignoreCase: true,
    anchor: { kind: 'literal', literals: ['solana', 'phantom'] },
    boundary: 'start',
    validate: solana,
    action: 'MASK',
    severity: 'medium',
    positives: surrounded([
      'solana 7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV',
      'Solana wallet: 4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T',
    ]),
    negatives: surrounded([
      '7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV',
      'solana 7EcDhSYGxXyscszYEp35',
      'solana is fast',
    ]),
  },
  {
    name: 'crypto_seed_phrase',
    entity: 'CRYPTO_SEED_PHRASE',
    display_name: 'Seed phrase',
    group: GROUP,
    description: '12 to 24 words of BIP-39 with a right checksum, after words such as seed phrase',
    example: `seed phrase: ${SEED}`,
    regex: [
      `(?:${SEED_CUES.join('|')})(?: (?:is|are|below|words?|phrase|backup|for [a-z]{2,12}))?[\\s:="'>-]{1,8}(?:1[.)] ?)?([a-z]{3,8}(?:[\\s,]{1,3}(?:\\d{1,2}[.)] ?)?[a-z]{3,8}){11,23})(?![a-z])`,
    ],
    ignoreCase: true,
    anchor: { kind: 'literal', literals: SEED_CUES },
    boundary: 'start',
    trim: seedPhraseLength,
    action: 'BLOCK',
    severity: 'high',
    positives: [
      ...surrounded([
        `seed phrase: ${SEED}`,
        `My recovery phrase is ${ZERO_SEED}`,
        `mnemonic="${LONG_SEED}"`,
      ]),
      `seed words:\n${SEED.split(' ')
        .map((word, i) => `${i + 1}. ${word}`)
        .join('\n')}`,
      `recovery phrase: ${SEED} and please keep it`,
    ],
    negatives: surrounded([
      `seed phrase: ${SEED.replace('yellow', 'year')}`,
      SEED,
      'seed phrase: one two three',
      'the mnemonic is never shown to anybody and nobody will ever ask you for the words',
    ]),
  },
  {
    name: 'crypto_private_key',
    entity: 'CRYPTO_PRIVATE_KEY',
    display_name: 'Extended private key',
    group: GROUP,
    description: 'xprv, yprv, zprv, tprv and 78 bytes with Base58Check',
    example: XPRV[0] ?? '',
    regex: ['[xyztuv]prv[1-9A-HJ-NP-Za-km-z]{107,108}'],
    anchor: { kind: 'literal', literals: ['xprv', 'yprv', 'zprv', 'tprv', 'uprv', 'vprv'] },
    validate: extendedKey,
    action: 'BLOCK',
    severity: 'high',
    positives: surrounded(XPRV),
    negatives: surrounded([
      (XPRV[0] ?? '').replace('PHi', 'PHj'),
      'xprv9s21ZrQH143K3',
      'the xprv of the wallet',
    ]),
  },
  {
    name: 'crypto_wif_key',
    entity: 'CRYPTO_PRIVATE_KEY',
    display_name: 'Private key in wallet import format',
    group: GROUP,
    description: '51 or 52 characters with Base58Check, after private key words',
    example: `private key ${WIF}`,
    regex: [
      '(?:private key|privkey|wif|secret key|sweep|import key)[^\\n]{0,24}?[\\s:="\'>(|]([5KLc9][1-9A-HJ-NP-Za-km-z]{50,51})(?![0-9A-Za-z])',
    ],
    ignoreCase: true,
    anchor: {
      kind: 'literal',
      literals: ['private key', 'privkey', 'wif', 'secret key', 'sweep', 'import key'],
    },
    boundary: 'start',
    validate: walletImportKey,
    action: 'BLOCK',
    severity: 'high',
    positives: surrounded([`private key ${WIF}`, `WIF: ${WIF_SHORT}`]),
    negatives: surrounded([`private key ${WIF.replace('TJ', 'TK')}`, WIF, 'the WIF is written on paper']),
  },
];
