/**
 * What was found about the run as a whole: whether the chain of its audit holds, what the lab found,
 * whether it is still being told.
 */
import type { RunModel } from '../run-model.js';
import { make, setAttribute } from './dom.js';

/** The bar under the title; empty where there is nothing to say. */
export function makeVerdicts({ chain, verdict }: Pick<RunModel, 'chain' | 'verdict'>): HTMLElement {
  const bar = make('div', { class: 'verdicts' });
  if (verdict !== undefined) {
    const head = verdict.holds ? 'The promise holds' : 'A promise is broken';
    bar.append(verdictOf(verdict.holds, head, verdict.message));
  }
  if (chain !== undefined) {
    const head = chain.intact ? 'The chain is intact' : 'The chain is broken';
    bar.append(verdictOf(chain.intact, head, chain.message));
  }
  bar.hidden = bar.childElementCount === 0;
  return bar;
}

function verdictOf(isGood: boolean, head: string, message: string): HTMLElement {
  const sign = make('span', {
    class: 'sign',
    text: isGood ? '✓' : '✗',
    attributes: { 'aria-hidden': 'true' },
  });
  const words = make('span', { class: 'verdict-words', text: message });
  const bar = make('p', { class: 'verdict' }, sign, make('strong', { text: head }), words);
  bar.title = message;
  setAttribute(bar, 'data-good', String(isGood));
  setAttribute(bar, 'role', isGood ? 'status' : 'alert');
  return bar;
}

const NAMES: Readonly<Record<RunModel['source'], string>> = {
  live: 'live',
  audit: 'audit',
  case: 'case',
};

/** Says where the run comes from, and of a live one whether it still goes on. */
export class SourceBadge {
  readonly element: HTMLElement;

  constructor(source: RunModel['source']) {
    this.element = make('span', { class: 'source-place', attributes: { role: 'status' } });
    this.#show(NAMES[source], source);
  }

  /** Says what has become of a live run. */
  say(words: string, state: 'live' | 'lost' | 'ended'): void {
    if (this.element.textContent !== words) this.#show(words, state);
  }

  /** By a new element: the one before is not moved, it is gone. */
  #show(words: string, state: string): void {
    const attributes = { 'data-source': state, title: words };
    this.element.replaceChildren(make('span', { class: 'source', text: words, attributes }));
  }
}
