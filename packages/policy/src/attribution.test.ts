import { describe, expect, it } from 'vitest';
import {
  attachment,
  byCaller,
  context,
  group,
  plannedBy,
  policy,
  settings,
  snapshotOf,
  trusted,
} from '../test/builders.ts';
import { appliedGuardrailsHeader, appliedPoliciesHeader, policySourcesHeader } from './attribution.ts';
import type { Attachment } from './schema/attachment.ts';
import type { Context } from './schema/context.ts';
import type { Policy } from './schema/policy.ts';
import type { Snapshot } from './snapshot.ts';

const add = { guardrails_add: ['pii'] };
const snapshotWith = (policies: Policy[], attachments: Attachment[]) =>
  snapshotOf({ policies, attachments, models: [group('gpt-4', 'openai/gpt-4')] });
const sourcesOf = (snapshot: Snapshot, asked: Context) =>
  policySourcesHeader(snapshot, asked, plannedBy(snapshot, asked));

describe('H2 reasons', () => {
  it('names tag, team, key and model in this order with the values that matched', () => {
    const selectors = { teams: ['h*'], keys: ['*'], models: ['gpt-4'], tags: { any: ['hea*'], none: ['x'] } };
    const snapshot = snapshotWith([policy('p', add)], [attachment('a', 'p', selectors)]);
    const asked = context(
      { team_alias: 'health-team', key_alias: { value: 'k1', trusted: true }, tags: [trusted('healthcare')] },
      { model: 'gpt-4', tags: [byCaller('heart')] },
    );
    expect(sourcesOf(snapshot, asked)).toBe('p=tag:healthcare+team:health-team+key:k1+model:gpt-4');
  });

  it('writes scope:* when nothing can be named, and default: before a default', () => {
    const snapshot = snapshotWith(
      [policy('p', add), policy('q', add)],
      [
        attachment('a', 'p', { scope: '*', default: true }),
        attachment('b', 'q', { teams: ['*'], default: true }),
      ],
    );
    expect(sourcesOf(snapshot, context())).toBe('p=default:scope:*; q=default:scope:*');
  });

  it('names key, team, project or request without an attachment, and marks an override', () => {
    const draft = policy('r', { ...add, policy_id: 'r2', version_number: 2, version_status: 'draft' });
    const snapshot = snapshotWith([policy('p', add), policy('q', add), policy('r', add), draft], []);
    const asked = context(
      {
        allow_policy_versions: true,
        settings: [
          settings({ source: 'project', policies: ['p'] }),
          settings({ source: 'key', policies: ['q'] }),
        ],
      },
      { policies: ['policy_r2', 'q'] },
    );
    expect(sourcesOf(snapshot, asked)).toBe('p=project; q=key; r=override:request');
  });

  it('prefers trusted, then priority, scope:*, configuration, id among several attachments', () => {
    const best = (...attachments: Attachment[]) => {
      const asked = context({ team_alias: 't' }, { tags: [byCaller('x')] });
      return sourcesOf(snapshotWith([policy('p', add)], attachments), asked);
    };
    const team = (id: string, fields = {}) => attachment(id, 'p', { teams: ['t'], ...fields });
    expect(best(attachment('a', 'p', { tags: ['x'], priority: -9 }), team('b'))).toBe('p=team:t');
    expect(best(attachment('a', 'p', { scope: '*' }), team('b', { priority: -1 }))).toBe('p=team:t');
    expect(best(team('a'), attachment('b', 'p', { scope: '*' }))).toBe('p=scope:*');
  });

  it('leaves out a replaced ancestor and a monitored policy', () => {
    const snapshot = snapshotWith(
      [policy('base', add), policy('leaf', { inherit: 'base' }), policy('watch', add)],
      [
        attachment('a', 'base', { scope: '*' }),
        attachment('b', 'leaf', { scope: '*' }),
        attachment('c', 'watch', { scope: '*', enforcement: 'monitor' }),
      ],
    );
    expect(sourcesOf(snapshot, context())).toBe('leaf=scope:*');
    expect(appliedPoliciesHeader(snapshot, plannedBy(snapshot, context()))).toBe('leaf');
  });
});

describe('writing', () => {
  it('H2 percent-encodes reserved characters, space, controls and non-ASCII, and nothing else', () => {
    const safe = "!#$&'()*-./:<>?@[]^_`{|}~";
    expect(appliedGuardrailsHeader([safe])).toBe(safe);
    expect(appliedGuardrailsHeader(['% ;=,+\u0001\u007fé€😀\ud800'])).toBe(
      '%25%20%3B%3D%2C%2B%01%7F%C3%A9%E2%82%AC%F0%9F%98%80%EF%BF%BD',
    );
  });

  it('D-46 no value can break out of its entry', () => {
    const snapshot = snapshotWith([policy('p', add)], [attachment('a', 'p', { tags: ['x*'] })]);
    const asked = context({}, { tags: [byCaller('x; admin=scope:*\r\nx: y')] });
    expect(sourcesOf(snapshot, asked)).toBe('p=tag:x%3B%20admin%3Dscope:*%0D%0Ax:%20y');
  });

  it('H2 cuts whole entries at 4 KB and says so', () => {
    const names = Array.from({ length: 1_000 }, (_, number) => `guardrail-${number}`);
    const header = appliedGuardrailsHeader(names) ?? '';
    expect(header.length).toBeLessThanOrEqual(4_096);
    const entries = header.split(',');
    expect(entries.at(-1)).toBe('truncated=1');
    expect(entries.slice(0, -1)).toEqual(names.slice(0, entries.length - 1));
    expect(entries.length).toBeGreaterThan(200);
  });

  it('H1 is absent when nothing applied', () => {
    const snapshot = snapshotWith([], []);
    expect([appliedGuardrailsHeader([]), sourcesOf(snapshot, context())]).toEqual([null, null]);
  });
});
