/**
 * The list of entries: one row for each moment that passes the filter, crashes among them.
 */
import type { AuditEntry } from '../../format/audit-entry.js';
import { make, setAttribute, setText } from './dom.js';
import { type EntryFilter, isOpen, matches, parseSearch } from './entry-filter.js';
import { isFailure } from './machine-states.js';
import { isSync } from './run-log.js';
import type { Panel, Run, View } from './view.js';
import { VirtualList } from './virtual-list.js';
import { countOf, durationOf, eventName } from './words.js';

const ROW_HEIGHT = 40;

interface EntryRow extends HTMLElement {
  parts?: {
    readonly number: HTMLElement;
    readonly machine: HTMLElement;
    readonly change: HTMLElement;
    readonly event: HTMLElement;
    readonly time: HTMLElement;
    readonly bar: HTMLElement;
  };
}

/** See the head of this file. */
export class EntriesPanel implements Panel {
  readonly element: HTMLElement;
  readonly #list: VirtualList<EntryRow>;
  readonly #search: HTMLInputElement;
  readonly #machine: HTMLSelectElement;
  readonly #count = make('span', { class: 'count', attributes: { 'aria-live': 'off' } });
  readonly #select: (moment: number) => void;
  #filter: EntryFilter = {};
  /** Moments that pass, ascending; `undefined` while all do. */
  #passing: number[] | undefined;
  /** How many moments have been looked at for `#passing`. */
  #looked = 0;
  #view: View | undefined;

  constructor(select: (moment: number) => void) {
    this.#select = select;
    this.#search = make('input', {
      class: 'search',
      attributes: {
        type: 'search',
        placeholder: 'Find text, or #sequence',
        'aria-label': 'Find entries by text, or by # and a sequence number (/)',
      },
    });
    this.#machine = make('select', { attributes: { 'aria-label': 'Machine' } });
    this.#machine.append(make('option', { text: 'all machines', attributes: { value: '' } }));
    this.#search.addEventListener('input', () => this.#setFilter());
    this.#machine.addEventListener('change', () => this.#setFilter());
    this.#list = new VirtualList<EntryRow>({
      rowHeight: ROW_HEIGHT,
      label: 'Entries',
      role: 'listbox',
      make: () => this.#makeRow(),
      fill: (row, index) => this.#fill(row, index),
    });
    const bar = make('div', { class: 'filter' }, this.#search, this.#machine, this.#count);
    this.element = make('div', { class: 'entries' }, bar, this.#list.element);
  }

  show(view: View): void {
    const isNew = this.#view?.moment !== view.moment;
    this.#view = view;
    this.#addMachines(view.run);
    this.#look(view.run);
    const count = this.#passing?.length ?? view.run.moments.count;
    this.#list.update(count);
    const all = view.run.log.entries.length;
    setText(
      this.#count,
      this.#passing === undefined ? countOf(all) : `${countOf(count)} of ${countOf(all)}`,
    );
    const row = this.#rowOf(view.moment);
    setAttribute(this.#list.element, 'aria-activedescendant', `entry-${view.moment}`);
    if (isNew && row !== undefined) this.#list.reveal(row, 'nearest');
  }

  /** Puts the cursor where one types what to look for. */
  focusSearch(): void {
    this.#search.focus();
    this.#search.select();
  }

  /** The moment `steps` listed rows further on; the nearest one where there is none. */
  next(moment: number, steps: number): number {
    const passing = this.#passing;
    if (passing === undefined) return moment + steps;
    if (passing.length === 0) return moment;
    const place = lowerBound(passing, moment);
    const isListed = passing[place] === moment;
    // From between two rows, one step forwards leads to the next of them.
    const target = steps > 0 && !isListed ? place + steps - 1 : place + steps;
    return passing[Math.max(0, Math.min(passing.length - 1, target))] ?? moment;
  }

  /** Rows that a page is. */
  get page(): number {
    return this.#list.page;
  }

  #setFilter(): void {
    const machine = this.#machine.value;
    this.#filter = { ...parseSearch(this.#search.value), ...(machine !== '' && { machine }) };
    this.#passing = isOpen(this.#filter) ? undefined : [];
    this.#looked = 0;
    const view = this.#view;
    if (view === undefined) return;
    this.#view = undefined;
    this.show(view);
  }

  /** Looks at the moments that came since one looked last. */
  #look({ moments, log }: Run): void {
    if (this.#passing === undefined) return;
    for (; this.#looked < moments.count; this.#looked += 1) {
      const { entry: index, crash } = moments.at(this.#looked);
      const entry = log.entries[index];
      if (crash !== undefined || (entry && matches(entry, this.#filter))) {
        this.#passing.push(this.#looked);
      }
    }
  }

  #rowOf(moment: number): number | undefined {
    if (this.#passing === undefined) return moment;
    const row = lowerBound(this.#passing, moment);
    return this.#passing[row] === undefined ? undefined : row;
  }

  #addMachines({ log }: Run): void {
    const known = new Set([...this.#machine.options].map(({ value }) => value));
    for (const name of log.machines) {
      if (!known.has(name))
        this.#machine.append(make('option', { text: name, attributes: { value: name } }));
    }
  }

  #makeRow(): EntryRow {
    const [number, machine, change, event, time, bar] = [
      make('span', { class: 'entry-number' }),
      make('span', { class: 'entry-machine' }),
      make('span', { class: 'entry-change' }),
      make('span', { class: 'entry-event' }),
      make('span', { class: 'entry-time' }),
      make('span', { class: 'entry-bar' }),
    ];
    const attributes = { role: 'option' };
    const row: EntryRow = make(
      'div',
      { class: 'entry', attributes },
      ...[number, machine, change, event, time, bar],
    );
    row.parts = { number, machine, change, event, time, bar };
    row.addEventListener('click', () => this.#select(Number(row.dataset.moment)));
    return row;
  }

  #fill(row: EntryRow, index: number): void {
    const { parts } = row;
    const view = this.#view;
    if (parts === undefined || view === undefined) return;
    const moment = this.#passing === undefined ? index : (this.#passing[index] ?? 0);
    const { entry: at, crash } = view.run.moments.at(moment);
    const entry = view.run.log.entries[at];
    row.id = `entry-${moment}`;
    row.dataset.moment = String(moment);
    setAttribute(row, 'aria-selected', String(moment === view.moment));
    setAttribute(row, 'aria-posinset', String(index + 1));
    setAttribute(row, 'aria-setsize', String(this.#passing?.length ?? view.run.moments.count));
    row.classList.toggle('is-crash', crash !== undefined);
    row.classList.toggle(
      'is-failure',
      crash === undefined && entry !== undefined && isFailure(entry),
    );
    if (crash !== undefined) {
      setText(parts.number, '');
      setText(parts.machine, 'crash');
      setText(parts.change, view.run.crashes[crash]?.moment ?? '');
      for (const part of [parts.event, parts.time]) setText(part, '');
      parts.bar.style.transform = 'scaleX(0)';
      row.classList.remove('is-sync');
      return;
    }
    if (entry === undefined) return;
    setText(parts.number, String(entry.number));
    setText(parts.machine, entry.machine);
    setText(parts.change, changeOf(entry));
    setText(parts.event, eventName(entry.event));
    this.#fillTime(row, parts, view.run, at);
  }

  #fillTime(
    row: EntryRow,
    { time, bar }: NonNullable<EntryRow['parts']>,
    { log }: Run,
    at: number,
  ): void {
    const took = log.tookUs(at);
    const request = log.requestOf(at);
    setText(time, at === 0 ? 'start' : `+${durationOf(log.sinceBefore(at))}`);
    row.classList.toggle('is-sync', request !== undefined && isSync(request));
    const share = took === undefined || log.slowestUs === 0 ? 0 : took / log.slowestUs;
    bar.style.transform = `scaleX(${Math.min(1, share).toFixed(4)})`;
    setAttribute(bar, 'title', took === undefined ? undefined : `took ${durationOf(took)}`);
  }
}

/** What changed, in one line. */
function changeOf({ from, to }: AuditEntry): string {
  if (from === '') return `→ ${to}`;
  return from === to ? `in ${to}` : `${from} → ${to}`;
}

/** Index of the first number that is not below `wanted`. */
function lowerBound(numbers: readonly number[], wanted: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
