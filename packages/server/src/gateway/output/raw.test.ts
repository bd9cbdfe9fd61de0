import { expect, test } from 'vitest';
import { usageIn } from './raw.ts';

const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };

test.each([
  [`{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`, usage],
  [
    `{"usage": {"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"details":{"x":{"y":1}}},"tail":1}`,
    usage,
  ],
  [
    `data: {"usage":null}\n\ndata: {"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n`,
    usage,
  ],
  [`{"content":"\\"usage\\":{\\"prompt_tokens\\":9}"}`, null],
  [`{"usage":{"prompt_tokens":1`, null],
  [`{"usage":null}`, null],
  ['', null],
])('the usage in %s is found without reading the answer', (text, expected) => {
  expect(usageIn(Buffer.from(text))).toEqual(expected);
});
