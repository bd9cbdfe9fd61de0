import { passIf, type Verdict } from './verdict.ts';

/** Dotted quad: octets 0 to 255 without leading zeros; loopback, 0.x and masks are left out. */
export function ipv4(text: string): Verdict {
  const octets = (text.split(/[/:]/)[0] ?? '').split('.');
  if (octets.length !== 4 || octets.some((part) => Number(part) > 255 || /^0\d/.test(part))) return 'fail';
  // Loopback, the unspecified address and masks point to nobody.
  return octets[0] === '0' || octets[0] === '127' || octets[0] === '255' ? 'fail' : 'unknown';
}

/** IPv6: eight groups, or fewer with one `::`. Words that happen to be hexadecimal around `::` are code, not addresses. */
export function ipv6(text: string): Verdict {
  const address = text.replace(/[%/].*$/, '');
  const halves = address.split('::');
  if (halves.length > 2) return 'fail';
  const groups = address.split(':').filter((group) => group !== '');
  const embedded = address.includes('.') ? 1 : 0;
  if (embedded === 1 && ipv4(groups[groups.length - 1] ?? '') === 'fail') return 'fail';
  const count = groups.length + embedded;
  if (groups.slice(0, groups.length - embedded).some((group) => group.length > 4)) return 'fail';
  if (halves.length === 1) return passIf(count === 8);
  if (count > 7) return 'fail';
  // Slices such as [1::2] in code; the loopback address is the one short form in use.
  if (address.length < 6 && address !== '::1') return 'fail';
  return passIf(count >= 4 || (count >= 1 && /\d/.test(address)));
}

/** MAC address: not all zero or all ones; one kind of separator. */
export function mac(text: string): Verdict {
  const digits = text.replace(/[^0-9a-f]/gi, '').toLowerCase();
  return passIf(digits.length === 12 && !/^(?:0+|f+)$/.test(digits));
}

/** Domain endings that are file types or code, not top-level domains, where an address is unlikely to be meant. */
const NOT_TOP_LEVEL = new Set(
  'png jpg jpeg gif svg webp css js ts tsx jsx json html htm xml yaml yml txt md py rb java class log'.split(
    ' ',
  ),
);

/** E-mail: no leading, trailing or double dots, labels well formed, the last label no file type. */
export function email(text: string): Verdict {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const labels = text.slice(at + 1).split('.');
  if (local.includes('..') || local.endsWith('.') || local.length > 64) return 'fail';
  if (labels.some((label) => label === '' || label.startsWith('-') || label.endsWith('-'))) return 'fail';
  const last = (labels[labels.length - 1] ?? '').toLowerCase();
  return passIf(!NOT_TOP_LEVEL.has(last));
}

/** Length of a URL without the punctuation that belongs to the sentence around it. */
export function urlLength(text: string): number {
  let end = text.length;
  while (end > 0) {
    const char = text[end - 1] ?? '';
    if ('.,;:!?\'"*_`~'.includes(char)) end -= 1;
    else if (char === ')' && !text.slice(0, end).includes('(')) end -= 1;
    else if (char === ']' && !text.slice(0, end).includes('[')) end -= 1;
    else if (char === '}' && !text.slice(0, end).includes('{')) end -= 1;
    else break;
  }
  return end;
}
