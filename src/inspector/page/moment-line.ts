/**
 * One sentence about the moment that is looked at: who moved from where to where, why, and what the
 * state that was entered is for.
 */
import { make, setText } from './dom.js';
import { isFailure, statesIn } from './machine-states.js';
import type { Panel, View } from './view.js';
import { durationOf, eventName, senderOf, timeOfDay } from './words.js';

/** See the head of this file. */
export class MomentLine implements Panel {
  readonly element: HTMLElement;
  readonly #head = make('p', { class: 'moment-head' });
  readonly #meaning = make('p', { class: 'moment-meaning' });
  #said = '';
  readonly #describe: (machine: string, path: string) => string;

  constructor(describe: (machine: string, path: string) => string) {
    this.#describe = describe;
    this.element = make('div', { class: 'moment' }, this.#head, this.#meaning);
  }

  show({ entry, crash, index, run }: View): void {
    this.element.classList.toggle('is-crash', crash !== undefined);
    this.element.classList.toggle('is-failure', entry !== undefined && isFailure(entry));
    if (crash !== undefined) {
      this.#say('crash', '', '', crash.moment, '');
      setText(
        this.#meaning,
        'Here the run was cut off. What follows is the recovery, step by step.',
      );
      return;
    }
    if (entry === undefined) {
      this.#say('', '', '', 'Nothing has happened yet', '');
      setText(this.#meaning, 'The first transition will show up here.');
      return;
    }
    const stays = entry.from === entry.to;
    const why = [
      entry.event === 'xstate.init'
        ? 'started'
        : `${eventName(entry.event)} from ${senderOf(entry)}`,
      index === 0 ? timeOfDay(entry.time) : `${durationOf(run.log.sinceBefore(index))} later`,
    ].join(', ');
    this.#say(entry.machine, stays ? '' : entry.from, stays ? '' : '→', entry.to, why);
    setText(this.#meaning, meaningOf(entry, this.#describe));
  }

  #say(machine: string, from: string, arrow: string, to: string, why: string): void {
    const words = [machine, from, arrow, to, why].join('\n');
    if (this.#said === words) return;
    this.#said = words;
    // New elements: those before are not moved, they are gone.
    this.#head.replaceChildren(
      make('span', { class: 'moment-machine', text: machine }),
      make('span', { class: 'moment-from', text: from }),
      make('span', { class: 'moment-arrow', text: arrow, attributes: { 'aria-hidden': 'true' } }),
      make('strong', { class: 'moment-to', text: to }),
      make('span', { class: 'moment-why', text: why }),
    );
  }
}

function meaningOf(
  { machine, to }: { readonly machine: string; readonly to: string },
  describe: (machine: string, path: string) => string,
): string {
  const words = statesIn(to).map((path) => describe(machine, path));
  const [first = ''] = words.filter((text) => text !== '' && !to.endsWith(text));
  return first;
}
