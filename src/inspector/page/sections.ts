/**
 * The panels in their places: side by side where there is room, else one at a time under tabs.
 */
import { bringIntoView, make, setAttribute } from './dom.js';
import type { Panel } from './view.js';

/** One panel with its name. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly panel: Panel;
}

/** From this width on, all panels are seen together. */
const WIDE = '(min-width: 1100px)';

/** See the head of this file. */
export class Sections {
  readonly element: HTMLElement;
  readonly #tabs: HTMLElement;
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #parts: readonly HTMLElement[];

  constructor(sections: readonly Section[]) {
    this.#parts = sections.map(({ id, title, panel }) => {
      const head = make('h2', { class: 'section-title', text: title });
      const attributes = { id: `section-${id}`, 'aria-label': title, role: 'region' };
      return make('section', { class: `section section-${id}`, attributes }, head, panel.element);
    });
    this.#buttons = sections.map(({ id, title }, index) => {
      const attributes = { type: 'button', role: 'tab', 'aria-controls': `section-${id}` };
      const button = make('button', { class: 'section-tab', text: title, attributes });
      button.addEventListener('click', () => this.open(index));
      return button;
    });
    const attributes = { role: 'tablist', 'aria-label': 'Panels' };
    this.#tabs = make('div', { class: 'section-tabs', attributes }, ...this.#buttons);
    this.#tabs.addEventListener('keydown', (event) => this.#move(event));
    this.element = make('main', { class: 'sections' }, this.#tabs, ...this.#parts);
    const wide = matchMedia(WIDE);
    wide.addEventListener('change', () => this.#arrange(wide.matches));
    this.#arrange(wide.matches);
    this.open(1);
  }

  /** Brings a panel to the front; where all are seen, nothing changes. */
  open(index: number): void {
    for (const [place, part] of this.#parts.entries()) {
      const isOpen = place === index;
      part.classList.toggle('is-open', isOpen);
      const button = this.#buttons[place];
      if (button === undefined) continue;
      setAttribute(button, 'aria-selected', String(isOpen));
      button.tabIndex = isOpen ? 0 : -1;
      if (isOpen) bringIntoView(button);
    }
  }

  #arrange(isWide: boolean): void {
    this.#tabs.hidden = isWide;
    for (const part of this.#parts) setAttribute(part, 'role', isWide ? 'region' : 'tabpanel');
  }

  #move(event: KeyboardEvent): void {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const count = this.#buttons.length;
    const current = this.#buttons.findIndex(({ tabIndex }) => tabIndex === 0);
    const next = (current + step + count) % count;
    this.open(next);
    this.#buttons[next]?.focus();
  }
}
