import { describe, expect, it } from 'vitest';
import { segment } from '../../test/kit.ts';
import { asked, refused } from '../../test/service.ts';
import { codeExecution } from './index.ts';

const inspect = async (text: string, settings: Record<string, unknown> = {}) => {
  const { ask } = await asked(codeExecution, {}, () => settings);
  return ask([segment(text, { kind: 'assistant', role: 'assistant' })], {
    hook: 'post_call',
    direction: 'response',
  });
};

describe('blocks of code', () => {
  it.each([
    ['a fence', 'Try:\n```python\nimport os\n```\nDone.', 'python'],
    ['an alias in capitals', '```PY\nx\n```', 'python'],
    ['tildes', '~~~bash\nrm -rf /\n~~~', 'bash'],
    ['a quotation', '> ```js\n> x\n> ```', 'javascript'],
    ['attributes behind the word', '```sql title="x"\nselect 1\n```', 'sql'],
    ['a class as the word', '```{.ruby}\nputs 1\n```', 'ruby'],
    ['carriage returns', '```go\r\nx\r\n```\r\n', 'go'],
    ['a block that is never closed', '```rust\nfn main() {}', 'rust'],
    ['a fence inside a longer one', '````python\n```\nx\n```\n````', 'python'],
  ])('are found in %s', async (_, text, language) => {
    const result = await inspect(text);
    expect(result.block).toMatchObject({
      message: `Content blocked: code block in ${language}`,
      provider_specific_fields: { languages: [language] },
    });
  });

  it.each([
    ['a text without any', 'Use the python snake as an example.'],
    ['code in a line', 'Call `print(1)` or ```print(2)``` there.'],
    ['an empty block', '```python\n\n```'],
    ['a block without a language', '```\nplain\n```'],
    ['a language that is not listed', '```yaml\na: 1\n```'],
  ])('are not found in %s', async (_, text) => {
    expect((await inspect(text)).verdict).toBe('allow');
  });

  it('count by the languages listed, and without one where that is asked for', async () => {
    expect((await inspect('```ruby\nx\n```', { blocked_languages: ['py', 'sh'] })).verdict).toBe('allow');
    expect((await inspect('```console\nx\n```', { blocked_languages: ['py', 'sh'] })).verdict).toBe('block');
    expect((await inspect('```\nx\n```', { block_unnamed: true })).verdict).toBe('block');
    expect((await inspect('```klingon\nx\n```', { block_unnamed: true })).verdict).toBe('block');
  });

  it('are taken out, or only recorded, where the action says so', async () => {
    const masked = await inspect('A\n```python\nimport os\nx\n```\nB\n```js\ny\n```', { action: 'mask' });
    expect(masked.segments[0]?.text).toBe('A\n```python\n[CODE_REMOVED]\n```\nB\n```js\n[CODE_REMOVED]\n```');
    const logged = await inspect('```js\ny\n```', { action: 'LOG' });
    expect(logged.verdict).toBe('allow');
    expect(logged.records[0]?.match_details).toMatchObject([{ type: 'javascript', action_taken: 'LOG' }]);
  });

  it('take linear time', async () => {
    const started = performance.now();
    await inspect('```\n'.repeat(50_000) + '> '.repeat(50_000) + '`'.repeat(100_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('are refused for a language that is not known', async () => {
    expect(await refused(codeExecution, { blocked_languages: ['python', 'klingon'] })).toEqual([
      'blocked_languages.1',
    ]);
  });
});
