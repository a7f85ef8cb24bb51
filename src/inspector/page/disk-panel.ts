/**
 * The disk, file by file: what processes see, and what a power failure would leave. Exact where the
 * model knows it, else what the protocol's entries tell, and it says which. Rows keep their places.
 */
import type { DiskFile, FileView } from '../run-model.js';
import { type DerivedFile, filesOf } from './derived-disk.js';
import { make, setAttribute, setText } from './dom.js';
import { frameAt, type Panel, type View } from './view.js';
import { shortHash, sizeOf } from './words.js';

const ROLES: Readonly<Record<DiskFile['kind'], string>> = {
  checkpoint: 'the checkpoint',
  wal: 'the log of a save',
  temporary: 'the next checkpoint',
  history: 'earlier checkpoints',
  health: 'failure memory',
  lock: 'one writer at a time',
  audit: 'the audit',
  quarantine: 'evidence, set aside',
  other: 'other',
};

/** See the head of this file. */
export class DiskPanel implements Panel {
  readonly element: HTMLElement;
  readonly #body = make('tbody');
  readonly #source = make('p', { class: 'note' });
  readonly #fates = make('ul', {
    class: 'fates',
    attributes: { 'aria-label': 'What became of pending writes' },
  });
  #shown = '';

  constructor() {
    const heads = ['File', 'Volatile', 'Durable'].map((text) =>
      make('th', { text, attributes: { scope: 'col' } }),
    );
    const head = make('thead', {}, make('tr', {}, ...heads));
    const [, volatile, durable] = heads;
    volatile?.setAttribute('title', 'What processes see now');
    durable?.setAttribute('title', 'What a power failure would leave');
    const table = make('table', { class: 'disk-table' }, head, this.#body);
    this.element = make(
      'div',
      {
        class: 'disk scrolls',
        attributes: { tabindex: '0', 'aria-label': 'Files on the disk', role: 'group' },
      },
      ...[this.#source, table, this.#fates],
    );
  }

  show(view: View): void {
    const { files, source } = filesAt(view);
    const key = JSON.stringify([files, source]);
    if (key === this.#shown) return;
    this.#shown = key;
    setText(this.#source, source);
    this.#body.replaceChildren(...inOrder(files).map(rowOf));
    const fates = view.crash?.fates ?? [];
    this.#fates.replaceChildren(...fates.map((text) => make('li', { text })));
    this.#fates.hidden = fates.length === 0;
    this.element.classList.toggle('is-image', view.crash !== undefined);
  }
}

function filesAt({ run, index, crash }: View): {
  readonly files: readonly (DiskFile & Partial<DerivedFile>)[];
  readonly source: string;
} {
  if (crash !== undefined) {
    return { files: crash.image, source: 'The crash image: what recovery found on the disk.' };
  }
  const frame = frameAt(run.frames, index);
  if (frame !== undefined) {
    return { files: frame.files, source: 'Exactly, from the simulated disk.' };
  }
  const files = filesOf(run.log.diskAfter(index));
  return { files, source: "Derived from the protocol's entries." };
}

/** Always in the same order, so that a file keeps its place. */
function inOrder<File extends DiskFile>(files: readonly File[]): readonly File[] {
  const kinds = Object.keys(ROLES);
  const placeOf = ({ kind }: File) => kinds.indexOf(kind);
  return files.toSorted(
    (one, other) => placeOf(one) - placeOf(other) || (one.name < other.name ? -1 : 1),
  );
}

function rowOf(file: DiskFile & Partial<DerivedFile>): HTMLElement {
  const role = make('span', { class: 'file-role', text: ROLES[file.kind] });
  const name = make('span', { class: 'file-name', text: file.name });
  name.title = file.name;
  const head = make('th', { attributes: { scope: 'row' } }, name, role);
  const row = make('tr', {}, head, ...cellsOf(file));
  setAttribute(row, 'data-kind', file.kind);
  return row;
}

function cellsOf(file: DiskFile & Partial<DerivedFile>): HTMLElement[] {
  if (file.known === false) return [emptyCell('not known yet'), emptyCell('not known yet')];
  const { volatile, durable } = file;
  const isSame = JSON.stringify(volatile) === JSON.stringify(durable);
  const isLock = file.kind === 'lock';
  return [
    volatile === undefined ? emptyCell('absent') : viewCell(volatile, isSame ? 'kept' : 'loose'),
    durable === undefined
      ? emptyCell(isLock && volatile !== undefined ? 'not durable' : 'absent')
      : viewCell(durable, 'kept'),
  ];
}

const emptyCell = (text: string): HTMLElement =>
  make('td', {}, make('span', { class: 'file-empty', text }));

function viewCell(
  { size, sha256, sequence, note }: FileView,
  state: 'kept' | 'loose',
): HTMLElement {
  const title = sequence === undefined ? (note ?? sizeOf(size)) : `#${sequence}`;
  const facts = [
    ...(size > 0 && title !== sizeOf(size) ? [sizeOf(size)] : []),
    ...(note !== undefined && note !== title ? [note] : []),
    ...(sha256 === undefined ? [] : [shortHash(sha256)]),
  ];
  const chip = make(
    'span',
    { class: `file-view ${state}` },
    make('b', { text: title }),
    make('span', { text: facts.join(' · ') }),
  );
  return make('td', {}, chip);
}
