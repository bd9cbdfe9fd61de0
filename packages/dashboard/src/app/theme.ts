import { useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const KEPT_AS = 'portcullis-theme';

function kept(): Theme {
  const value = localStorage.getItem(KEPT_AS);
  return value === 'light' || value === 'dark' ? value : 'system';
}

/** The chosen theme; `public/theme.js` reads it before the first paint. */
export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(kept);
  const choose = (next: Theme): void => {
    if (next === 'system') {
      localStorage.removeItem(KEPT_AS);
      delete document.documentElement.dataset['theme'];
    } else {
      localStorage.setItem(KEPT_AS, next);
      document.documentElement.dataset['theme'] = next;
    }
    setTheme(next);
  };
  return [theme, choose];
}
