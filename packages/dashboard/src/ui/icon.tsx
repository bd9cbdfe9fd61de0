/** Line icons on a grid of 16. Decoration only: the words stand beside them or in `aria-label`. */
const PATHS = {
  policies: 'M8 1.8 13.5 4v4c0 3.2-2.3 5.4-5.5 6.4C4.8 13.4 2.5 11.2 2.5 8V4ZM5.6 8l1.7 1.7L10.6 6.4',
  attachments:
    'M6.3 9.7 9.7 6.3M7 4.6l1.4-1.4a3 3 0 0 1 4.4 4.4L11.4 9M9 11.4l-1.4 1.4a3 3 0 0 1-4.4-4.4L4.6 7',
  simulator: 'M3.5 2.5v11l9-5.5Z',
  templates: 'M2.5 2.5h5v5h-5ZM9.5 2.5h4v4h-4ZM2.5 9.5h4v4h-4ZM8.5 9.5h5v4h-5Z',
  logs: 'M3 4h10M3 8h10M3 12h6',
  guardrails: 'M2.5 13.5v-8a5.5 5.5 0 0 1 11 0v8M6.2 3.2v10.3M9.8 3.2v10.3M2.5 8.5h11',
  monitor: 'M2 12.5h12M3.5 10l3-4 2.5 2.5 4-5.5',
  playground: 'M2.5 3.5h11v9h-11ZM5 6.5l2 1.5-2 1.5M8.5 10h2.5',
  audit: 'M4 1.8h6l2.5 2.5v9.9H4ZM6 7h4.5M6 9.5h4.5M6 12h2.5',
  fleet: 'M3 3h10v4H3ZM3 9h10v4H3ZM5.2 5h.1M5.2 11h.1',
  teams:
    'M5.5 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM2 13c.3-2.4 1.6-3.6 3.5-3.6S8.7 10.6 9 13M10.5 7.200a1.7 1.7 0 1 0 0-3.400M11 9.500c1.7.2 2.7 1.3 3 3.5',
  keys: 'M9.8 9.200a3.3 3.3 0 1 0-3-3L2.5 10.500v3h3v-2h2V9.500ZM10.8 5.200h.1',
  users:
    'M8 7.500a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.400ZM2.8 13.800c.5-2.8 2.4-4.2 5.2-4.200s4.7 1.4 5.2 4.2',
  models: 'M8 1.8 14 5v6l-6 3.200L2 11V5ZM2 5l6 3.200L14 5M8 8.200v6',
  settings:
    'M2.5 4.500h7M12 4.500h1.500M2.5 11.500h1.500M6.5 11.500h7M10.8 6a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM5.2 13a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3Z',
  search: 'M7 11.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.300l3.4 3.4',
  plus: 'M8 3v10M3 8h10',
  close: 'm4 4 8 8M12 4l-8 8',
  check: 'm3.5 8.5 3 3 6-7',
  warn: 'M8 2.2 14.5 13.500h-13ZM8 6.500v3.200M8 11.600v.1',
  info: 'M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM8 7.300V11M8 5v.1',
  bad: 'M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM8 4.800v3.900M8 11v.1',
  down: 'm4 6 4 4 4-4',
  up: 'm4 10 4-4 4 4',
  right: 'm6 4 4 4-4 4',
  left: 'm10 4-4 4 4 4',
  sort: 'm5 6 3-3 3 3M5 10l3 3 3-3',
  more: 'M3.5 8h.1M8 8h.1M12.5 8h.1',
  menu: 'M2.5 4.500h11M2.5 8h11M2.5 11.500h11',
  edit: 'M3 13l.6-2.6 7.3-7.3 2 2-7.3 7.300ZM9.6 4.400l2 2',
  trash: 'M3 4.500h10M6.5 4.500v-2h3v2M4.5 4.500l.6 9h5.800l.6-9M6.8 7v4M9.2 7v4',
  copy: 'M5.5 5.500h8v8h-8ZM10.5 5.500v-3h-8v8h3',
  undo: 'M5.5 3 2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8h-3',
  redo: 'm10.5 3 3 3-3 3M13.5 6h-7a4 4 0 0 0 0 8h3',
  grip: 'M6 4h.1M10 4h.1M6 8h.1M10 8h.1M6 12h.1M10 12h.1',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.500v1M8 13.500v1M1.5 8h1M13.5 8h1M3.4 3.400l.7.7M11.9 11.900l.7.7M12.6 3.400l-.7.7M4.1 11.900l-.7.7',
  moon: 'M13.5 9.500A6 6 0 0 1 6.5 2.500a6 6 0 1 0 7 7Z',
  half: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 5h3.500M8 8h5.500M8 11h4',
  out: 'M6 2.500H3v11h3M6.5 8H14M11 5l3 3-3 3',
  flow: 'M2.5 3h4v3h-4ZM9.5 10h4v3h-4ZM4.5 6v5.500h5',
  compare: 'M8 1.500v13M6 4H2.500v8H6M10 4h3.500v8H10',
  rollback: 'M2.5 3v4h4M3 7a5.5 5.5 0 1 1-.3 3.3',
  link: 'M9.5 2.500h4v4M13.5 2.5 8 8M11.5 9v4.500h-9v-9H7',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth={name === 'grip' || name === 'more' ? 2 : 1.4}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
