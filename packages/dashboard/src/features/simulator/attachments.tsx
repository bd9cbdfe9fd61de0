import { Link } from '@tanstack/react-router';
import type { Explained } from '../../api/policies.ts';
import { Badge, type Tone } from '../../ui/feedback.tsx';
import { Filter } from '../../ui/form.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Card } from '../../ui/layout.tsx';
import { useSearchState } from '../../ui/search-state.ts';
import { formatCount } from '../../ui/time.tsx';

type Report = Explained['attachments'][number];
type Dimension = Report['dimensions'][number];

const EFFECTS: Readonly<Record<Report['effect'], { readonly text: string; readonly tone: Tone }>> = {
  applies: { text: 'applies', tone: 'good' },
  does_not_match: { text: 'does not match', tone: 'neutral' },
  condition_false: { text: 'condition of the policy does not hold', tone: 'neutral' },
  no_production_version: { text: 'policy is not in production', tone: 'warn' },
  default_not_needed: { text: 'default, not needed', tone: 'neutral' },
};

const VIEWS = [
  { value: '', label: 'All attachments' },
  { value: 'applies', label: 'Those that apply' },
  { value: 'near', label: 'Near misses' },
  { value: 'not', label: 'Those that do not' },
] as const;
const SHOWN = 100;

/** Every attachment with all its dimensions: what it asks for, what the request has, and whether that fits. */
export function AttachmentReports({ explained }: { readonly explained: Explained }) {
  const [search, setSearch] = useSearchState();
  const near = new Set(explained.near_misses.map(({ attachment_id }) => attachment_id));
  const view = VIEWS.find(({ value }) => value === search['view'])?.value ?? '';
  const rank = ({ effect, attachment_id }: Report): number =>
    effect === 'applies' ? 0 : near.has(attachment_id) ? 1 : 2;
  const wanted = explained.attachments
    .filter((report) => {
      switch (view) {
        case 'applies':
          return report.effect === 'applies';
        case 'near':
          return near.has(report.attachment_id);
        case 'not':
          return report.effect !== 'applies';
        case '':
          return true;
      }
    })
    .toSorted((a, b) => rank(a) - rank(b) || (a.policy_name < b.policy_name ? -1 : 1));
  return (
    <Card
      flush
      title={`Attachments (${formatCount(explained.attachments.length)})`}
      actions={
        <Filter label="Show" choices={VIEWS} value={view} onChange={(value) => setSearch({ view: value })} />
      }
    >
      {wanted.length === 0 ? <p className="card-body muted">None.</p> : null}
      <ul className="reports">
        {wanted.slice(0, SHOWN).map((report) => (
          <li key={report.attachment_id}>
            <span className="row-tight">
              <Link to="/attachments/$id" params={{ id: report.attachment_id }}>
                <strong>{report.policy_name}</strong>
              </Link>
              <Badge tone={EFFECTS[report.effect].tone} dot={report.effect === 'applies'}>
                {EFFECTS[report.effect].text}
              </Badge>
              {near.has(report.attachment_id) ? (
                <Badge tone="warn" title="Exactly one dimension does not fit">
                  near miss
                </Badge>
              ) : null}
              {report.enforcement === 'monitor' ? <Badge tone="warn">monitor only</Badge> : null}
            </span>
            <ul className="dimensions">
              {report.dimensions.map((dimension) => (
                <DimensionRow key={dimension.dimension} dimension={dimension} />
              ))}
            </ul>
          </li>
        ))}
      </ul>
      {wanted.length > SHOWN ? (
        <p className="card-body muted small">
          {formatCount(wanted.length - SHOWN)} more; narrow the view to see them.
        </p>
      ) : null}
    </Card>
  );
}

function DimensionRow({
  dimension: { dimension, constraint, actual, passes, passes_trusted },
}: {
  readonly dimension: Dimension;
}) {
  const asked = Array.isArray(constraint)
    ? constraint.join(', ')
    : typeof constraint === 'string'
      ? constraint
      : Object.entries(constraint)
          .map(([kind, text]) => `${kind} ${text}`)
          .join();
  return (
    <li>
      <span className={passes ? 'yes' : 'no'}>
        <Icon name={passes ? 'check' : 'close'} />
        <span className="sr-only">{passes ? 'fits' : 'does not fit'}</span>
      </span>
      <code>{dimension}</code>
      <span className="break">
        asks for <code>{asked}</code>
        {dimension === 'scope' ? null : (
          <span className="muted">
            {actual.length === 0
              ? ', the request has none'
              : `, the request has ${actual.map(({ value, source }) => `${shortened(value)} (${source.replaceAll('_', ' ')})`).join(', ')}`}
            {passes && !passes_trusted ? '; only through what the caller says' : ''}
          </span>
        )}
      </span>
    </li>
  );
}

function shortened(value: string): string {
  return /^[0-9a-f]{64}$/u.test(value) ? `${value.slice(0, 8)}…` : value;
}
