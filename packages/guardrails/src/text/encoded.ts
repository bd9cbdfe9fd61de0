/** Long runs of base 64 and data URLs of file parts: encoded bytes, not text. */
const ENCODED = /^(?:data:[\w.+/-]{0,100};base64,|[0-9A-Za-z+/_-]{256})/;

/** Whether the text of a file part holds encoded bytes. */
export function isEncoded(text: string): boolean {
  return ENCODED.test(text);
}
