import type { Session } from '../api/session.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Facts } from '../ui/layout.tsx';
import { pagesFor } from './pages.ts';

/** What the keys do. */
export function Shortcuts({ session, onClose }: { readonly session: Session; readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <Facts
        items={[
          ['Ctrl K', 'Find a page, a policy or something to do'],
          ['/', 'Search on this page'],
          ['?', 'Show this'],
          ['Esc', 'Close what is open'],
          ...pagesFor(session)
            .filter(({ nav }) => nav.key !== undefined)
            .map(({ nav }) => [`g ${nav.key ?? ''}`, nav.label] as const),
          ['Ctrl Z, Ctrl Y', 'In the flow builder: undo, redo'],
          ['Alt ↑, Alt ↓', 'In the flow builder: move the step'],
        ]}
      />
    </Dialog>
  );
}
