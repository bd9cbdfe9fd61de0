import type { Segment } from '@portcullis/policy';
import { describe, expect, it } from 'vitest';
import { segment } from '../../test/kit.ts';
import { asked, refused } from '../../test/service.ts';
import { toolPermission } from './index.ts';
import { toolsIn } from './tools.ts';

const leaf = (path: string, text: string, kind: Segment['kind'], more: Partial<Segment> = {}) =>
  segment(text, { path, kind, role: null, ...more });

/** A tool as each dialect offers it. */
const offered = (name: string, at = 0): Segment[] => [
  leaf(`/tools/${at}/type`, 'function', 'tool_defs'),
  leaf(`/tools/${at}/function/name`, name, 'tool_defs'),
  leaf(`/tools/${at}/function/description`, `Does ${name}.`, 'tool_defs'),
  leaf(`/tools/${at}/function/parameters/properties/name/type`, 'string', 'tool_defs'),
];
/** A call as each dialect has it in an answer, with leaves of arguments by their pointer. */
const CALLS: Readonly<Record<string, (name: string, args: Readonly<Record<string, string>>) => Segment[]>> = {
  'chat completions': (name, args) => {
    const at = '/choices/0/message/tool_calls/0';
    return [
      leaf(`${at}/type`, 'function', 'tool_args'),
      leaf(`${at}/function/name`, name, 'tool_args'),
      ...Object.entries(args).map(([place, text]) =>
        leaf(`${at}/function/arguments#${place}`, text, 'tool_args'),
      ),
    ];
  },
  messages: (name, args) => [
    leaf('/content/1/name', name, 'tool_args'),
    ...Object.entries(args).map(([place, text]) => leaf(`/content/1/input${place}`, text, 'tool_args')),
  ],
  responses: (name, args) => [
    leaf('/output/1/name', name, 'tool_args'),
    ...Object.entries(args).map(([place, text]) => leaf(`/output/1/arguments#${place}`, text, 'tool_args')),
  ],
};

const rules = [
  { id: 'no-delete', tool_name: 'delete_.*', decision: 'DENY' },
  {
    id: 'mail',
    tool_name: 'send_mail',
    decision: 'allow',
    allowed_param_patterns: { 'to[]': '.+@example\\.com', subject: '[^!]*' },
  },
  { id: 'read', tool_name: '(?:get|list)_[a-z]+', tool_type: 'function', decision: 'allow' },
];
const setup = async (settings: Record<string, unknown> = {}) => {
  const { ask } = await asked(toolPermission, {}, () => ({ rules, ...settings }));
  return {
    request: ask,
    answer: async (segments: readonly Segment[]) =>
      ask(segments, { hook: 'post_call', direction: 'response' }),
  };
};

describe('tools in a request', () => {
  it('pass when a rule allows each of them, and content without tools passes', async () => {
    const { request } = await setup();
    expect(
      (await request([segment('hi'), ...offered('get_weather'), ...offered('list_files', 1)])).verdict,
    ).toBe('allow');
    expect((await request('hi')).verdict).toBe('allow');
    expect((await request([segment('AA==', { kind: 'images' })])).verdict).toBe('allow');
  });

  it('are blocked by the rule that denies them, and by the default action when none fits', async () => {
    const { request } = await setup();
    const denied = await request(offered('delete_file'));
    expect(denied.block).toMatchObject({
      message: "Tool 'delete_file' denied by rule 'no-delete'",
      provider_specific_fields: { tool_name: 'delete_file', rule_id: 'no-delete' },
    });
    expect(denied.records[0]).toMatchObject({
      reason: "denied by rule 'no-delete'",
      match_details: [{ type: 'no-delete' }],
    });
    expect((await request(offered('format_disk'))).block?.message).toBe(
      "Tool 'format_disk' denied by default action",
    );
    const open = await setup({ default_action: 'Allow' });
    expect((await open.request(offered('format_disk'))).verdict).toBe('allow');
  });

  it('are judged by the whole name, in its own case', async () => {
    const { request } = await setup();
    for (const name of [
      'get_weather2',
      'xget_weather',
      'GET_weather',
      'get_weather\n',
      'get_weather delete_file',
    ]) {
      expect([name, (await request(offered(name))).verdict]).toEqual([name, 'block']);
    }
  });

  it('that a provider runs itself go by their type', async () => {
    const hosted = [leaf('/tools/0/type', 'web_search', 'tool_defs')];
    const { request } = await setup();
    expect((await request(hosted)).block?.message).toBe("Tool 'web_search' denied by default action");
    const allowed = await setup({ rules: [{ id: 'web', tool_type: 'web_.*', decision: 'allow' }] });
    expect((await allowed.request(hosted)).verdict).toBe('allow');
  });

  it('called earlier in the conversation are no calls of now', async () => {
    const { request } = await setup();
    const at = '/messages/1/tool_calls/0/function/name';
    expect((await request([leaf(at, 'delete_file', 'tool_args')])).verdict).toBe('allow');
  });

  it('are made unusable in rewrite mode, the choice that demands them too', async () => {
    const { request } = await setup({ on_disallowed_action: 'Rewrite' });
    const result = await request([
      ...offered('get_weather'),
      ...offered('delete_file', 1),
      leaf('/tool_choice/function/name', 'delete_file', 'other'),
    ]);
    expect(result.verdict).toBe('mask');
    const texts = result.segments.map(({ text }) => text);
    expect(texts).not.toContain('delete_file');
    expect(texts).toContain('get_weather');
    expect(texts.filter((text) => text === 'not_permitted_1')).toHaveLength(2);
    expect(texts).toContain('This tool is not permitted. Do not use it.');
  });

  it('without a name cannot be made so: undeliverable (E1)', async () => {
    const { request } = await setup({ on_disallowed_action: 'rewrite' });
    const result = await request([leaf('/tools/0/type', 'web_search', 'tool_defs')]);
    expect(result.records[0]).toMatchObject({ outcome: 'error', error_class: 'undeliverable' });
  });
});

describe.each(Object.entries(CALLS))('calls in an answer of the dialect %s', (_, call) => {
  it('pass when name and arguments are as a rule allows', async () => {
    const { answer } = await setup();
    expect((await answer(call('get_weather', { '/city': 'Rome' }))).verdict).toBe('allow');
    const mail = call('send_mail', { '/to/0': 'a@example.com', '/to/1': 'b@example.com', '/subject': 'Hi' });
    expect((await answer(mail)).verdict).toBe('allow');
  });

  it('are blocked by name', async () => {
    const { answer } = await setup();
    expect((await answer(call('delete_file', { '/path': '/etc' }))).block?.message).toBe(
      "Tool 'delete_file' denied by rule 'no-delete'",
    );
  });

  it.each([
    [
      'a value of a list that does not fit',
      { '/to/0': 'a@example.com', '/to/1': 'x@evil.example', '/subject': 'Hi' },
    ],
    ['a value that only begins as allowed', { '/to/0': 'a@example.com.evil.example', '/subject': 'Hi' }],
    ['a value on a second line', { '/to/0': 'a@example.com', '/subject': 'Hi\n!' }],
    ['an argument that is left out', { '/to/0': 'a@example.com' }],
    ['arguments that are no JSON', { '': '{"to": ["a@example.com"' }],
  ])('are blocked by %s', async (__, args) => {
    const { answer } = await setup();
    expect((await answer(call('send_mail', args as Record<string, string>))).block?.message).toBe(
      "Tool 'send_mail' denied by rule 'mail'",
    );
  });

  it('become the message as the answer in rewrite mode', async () => {
    const { answer } = await setup({
      on_disallowed_action: 'rewrite',
      violation_message_template: 'No {tool_name} here ({rule_id}). {default_message}.',
    });
    const result = await answer(call('delete_file', {}));
    expect(result.verdict).toBe('respond');
    expect(result.respond?.message).toBe(
      "No delete_file here (no-delete). Tool 'delete_file' denied by rule 'no-delete'.",
    );
  });
});

describe('the leaves of tools', () => {
  it('are told from those of their arguments', () => {
    const segments =
      CALLS['chat completions']?.('get_weather', { '/name': 'delete_file', '/items/0/a.b': '1' }) ?? [];
    expect(toolsIn(segments)).toMatchObject([
      {
        name: { text: 'get_weather' },
        type: 'function',
        args: [
          { place: 'name', text: 'delete_file' },
          { place: 'items[].a.b', text: '1' },
        ],
      },
    ]);
  });
});

describe('the configuration', () => {
  it('is refused with an expression that cannot be used', async () => {
    expect(
      await refused(toolPermission, { rules: [{ id: 'a', tool_name: '(', decision: 'allow' }] }),
    ).toEqual(['rules.0.tool_name']);
    expect(await refused(toolPermission, { rules: [{ id: 'a', decision: 'maybe' }] })).toEqual([
      'rules.0.decision',
    ]);
    expect(
      await refused(toolPermission, {
        rules: [{ id: 'a', decision: 'allow', allowed_param_patterns: { to: '[' } }],
      }),
    ).toEqual(['rules.0.allowed_param_patterns.to']);
  });
});
