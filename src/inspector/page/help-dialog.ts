/**
 * What the page shows and which keys it knows.
 */
import { make, makeButton } from './dom.js';

const KEYS: readonly (readonly [string, string])[] = [
  ['← →', 'one entry back, one on'],
  ['Page ↑ Page ↓', 'a page of entries'],
  ['Home End', 'first entry, last entry; End follows a live run again'],
  ['Space', 'play, pause'],
  ['↑ ↓', 'likewise, through the entries that pass the filter'],
  ['/', 'find entries: text, or # and a sequence number'],
  ['m', 'keep the statechart that is shown, or let it follow again'],
  ['z', 'the whole statechart, or what moves, near enough to read'],
  ['1 – 6', 'the panels, on a narrow screen'],
  ['t', 'light, dark'],
  ['?', 'this help'],
];

/** A dialog that can be opened; it closes by Escape. */
export function makeHelp(): HTMLDialogElement {
  const rows = KEYS.flatMap(([keys, what]) => [
    make('dt', {}, ...keys.split(' ').map((key) => keyOf(key))),
    make('dd', { text: what }),
  ]);
  const dialog = make('dialog', { class: 'help', attributes: { 'aria-label': 'Help' } });
  const close = makeButton('Close', 'Close the help', () => dialog.close());
  const intro =
    'Every line is one transition of a machine. Pick one, and the page shows that moment: the states ' +
    'of all machines, the messages, the disk, and the checkpoint.';
  const legend =
    'On the disk, a dashed frame is what processes see and a power failure may take; a solid one is ' +
    'what would be left.';
  dialog.append(
    make('h2', { text: 'How to read this' }),
    make('p', { text: intro }),
    make('p', { text: legend }),
    make('h2', { text: 'Keys' }),
    make('dl', { class: 'keys' }, ...rows),
    close,
  );
  return dialog;
}

function keyOf(key: string): Node {
  return key === '–' ? document.createTextNode('–') : make('kbd', { text: key });
}
