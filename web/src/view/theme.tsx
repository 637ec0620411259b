/* theme.tsx - light, dark, or as the reader's system is. Remembered where the browser lets a file remember. */
import { useEffect, useState } from 'preact/hooks';
import { Choose } from './parts';

const KEY = 'crossflow theme';
const THEMES = [
  { value: 'auto', label: 'Auto' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

function remembered(): string {
  try {
    const value = localStorage.getItem(KEY);
    return THEMES.some((t) => t.value === value) ? value! : 'auto';
  } catch {
    return 'auto'; // a browser may forbid it to pages from a disk
  }
}

export function ThemeSwitch() {
  const [theme, setTheme] = useState(remembered);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      /* as above */
    }
  }, [theme]);
  return <Choose label="Colours" value={theme} options={THEMES} onChange={setTheme} />;
}
