/**
 * A list of any length with a bounded number of elements. Rows are placed by transforms, which move
 * nothing else, and are used again for other rows.
 */
import { make } from './dom.js';
import { type RowRange, rowsInView, scrollFor } from './virtual-window.js';

/** How rows are made and filled. */
export interface VirtualListOptions<Row extends HTMLElement> {
  readonly rowHeight: number;
  readonly label: string;
  readonly role: string;
  readonly make: () => Row;
  /** Fills a row; called again whenever what it shows may have changed. */
  readonly fill: (row: Row, index: number) => void;
}

/** See the head of this file. */
export class VirtualList<Row extends HTMLElement> {
  readonly element: HTMLElement;
  readonly #space: HTMLElement;
  readonly #options: VirtualListOptions<Row>;
  readonly #rows: Row[] = [];
  #count = 0;
  #height = 0;
  #frame = 0;

  constructor(options: VirtualListOptions<Row>) {
    this.#options = options;
    this.#space = make('div', { class: 'list-space', attributes: { role: 'presentation' } });
    const attributes = { role: options.role, 'aria-label': options.label, tabindex: '0' };
    this.element = make('div', { class: 'list', attributes }, this.#space);
    this.element.addEventListener('scroll', () => this.#schedule(), { passive: true });
    new ResizeObserver(([size]) => {
      this.#height = size?.contentRect.height ?? 0;
      this.#schedule();
    }).observe(this.element);
  }

  /** Fills all rows in view again, of `count` rows in all. */
  update(count: number): void {
    if (count !== this.#count) {
      this.#count = count;
      this.#space.style.height = `${count * this.#options.rowHeight}px`;
    }
    this.#schedule();
  }

  /** Brings a row into view. */
  reveal(index: number, place: 'nearest' | 'centre'): void {
    // Where the height is not known yet, the list is hidden or new; it is measured then.
    if (this.#height === 0) this.#height = this.element.clientHeight;
    const top = scrollFor(this.#viewport(), index, place);
    if (Math.abs(top - this.element.scrollTop) >= 1) this.element.scrollTop = top;
  }

  /** How many rows a page is. */
  get page(): number {
    return Math.max(1, Math.floor(this.#height / this.#options.rowHeight) - 1);
  }

  #viewport() {
    const { rowHeight } = this.#options;
    const { scrollTop } = this.element;
    return { scrollTop, height: this.#height, rowHeight, count: this.#count };
  }

  #schedule(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#render(rowsInView(this.#viewport()));
    });
  }

  #render({ first, end }: RowRange): void {
    const { rowHeight, fill } = this.#options;
    const needed = end - first;
    while (this.#rows.length < needed) this.#addRow();
    // A row stays with its index while one scrolls: only what comes into view is new.
    const size = this.#rows.length;
    const used = new Set<number>();
    for (let index = first; index < end; index += 1) {
      const row = this.#rows[index % size];
      if (row === undefined) continue;
      used.add(index % size);
      row.style.transform = `translateY(${index * rowHeight}px)`;
      row.hidden = false;
      fill(row, index);
    }
    for (const [slot, row] of this.#rows.entries()) {
      if (used.has(slot)) continue;
      row.hidden = true;
      // A row that shows nothing is not the selected one, whatever it showed before.
      row.removeAttribute('aria-selected');
    }
  }

  #addRow(): void {
    const row = this.#options.make();
    row.classList.add('list-row');
    row.style.height = `${this.#options.rowHeight}px`;
    this.#rows.push(row);
    this.#space.append(row);
  }
}
