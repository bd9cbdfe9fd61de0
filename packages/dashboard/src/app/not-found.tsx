import { LinkButton } from '../ui/button.tsx';
import { Empty } from '../ui/feedback.tsx';
import { Page } from '../ui/layout.tsx';

export function NotFound() {
  return (
    <Page title="No such page">
      <Empty
        icon="search"
        title="There is nothing at this address"
        action={<LinkButton to="/policies">Go to the policies</LinkButton>}
      >
        The link may be older than the page it led to. Ctrl+K finds every page and policy.
      </Empty>
    </Page>
  );
}
