/**
 * Light or dark: as the system says, unless the reader has chosen. The choice is remembered where the
 * browser lets it be.
 */

const KEY = 'checkpoint-wal-theme';

/** Takes up an earlier choice. */
export function restoreTheme(): void {
  const theme = remembered();
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
}

/** The other one of the two. */
export function toggleTheme(): void {
  const { dataset } = document.documentElement;
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const isDark = dataset.theme === undefined ? systemIsDark : dataset.theme === 'dark';
  dataset.theme = isDark ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, dataset.theme);
  } catch {
    // A page opened from a file may have no storage: then the choice lasts as long as the page.
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
