/**
 * The keys of the page. A key that a field, a tab or a button has a use for is left to it.
 */

/** What keys do. */
export interface KeyActions {
  readonly step: (moments: number) => void;
  readonly stepListed: (rows: number) => void;
  readonly page: () => number;
  readonly first: () => void;
  readonly last: () => void;
  readonly togglePlay: () => void;
  readonly search: () => void;
  readonly togglePin: () => void;
  readonly toggleWhole: () => void;
  readonly toggleTheme: () => void;
  readonly help: () => void;
  readonly open: (section: number) => void;
}

/** Listens to keys from anywhere on the page. */
export function listenToKeys(actions: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return;
    const act = actionFor(event, actions);
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

function actionFor({ key }: KeyboardEvent, actions: KeyActions): (() => void) | undefined {
  if (/^[1-6]$/.test(key)) return () => actions.open(Number(key) - 1);
  const byKey: Readonly<Record<string, () => void>> = {
    ArrowRight: () => actions.step(1),
    ArrowLeft: () => actions.step(-1),
    ArrowDown: () => actions.stepListed(1),
    ArrowUp: () => actions.stepListed(-1),
    PageDown: () => actions.stepListed(actions.page()),
    PageUp: () => actions.stepListed(-actions.page()),
    Home: actions.first,
    End: actions.last,
    ' ': actions.togglePlay,
    '/': actions.search,
    m: actions.togglePin,
    z: actions.toggleWhole,
    t: actions.toggleTheme,
    '?': actions.help,
  };
  return byKey[key];
}

function isTaken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('dialog')) return true;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return true;
  // Panels that only scroll keep the keys that scroll them.
  if (target.classList.contains('scrolls') || target.getAttribute('role') === 'list') {
    return /^(Arrow(Up|Down)|Page|Home|End)/.test(key);
  }
  return target instanceof HTMLButtonElement && (key === ' ' || key === 'Enter');
}
