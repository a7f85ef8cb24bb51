/**
 * All that the selected entry says.
 */
import type { AuditEntry } from '../../format/audit-entry.js';
import type { CrashView } from '../run-model.js';
import { make } from './dom.js';
import type { Panel, View } from './view.js';
import { durationOf, senderOf, shortHash } from './words.js';

/** See the head of this file. */
export class DetailsPanel implements Panel {
  readonly element: HTMLElement;
  readonly #facts = make('dl', { class: 'facts' });
  #details = make('pre', { class: 'json' });
  #shown: AuditEntry | CrashView | undefined;

  constructor() {
    const attributes = { tabindex: '0', role: 'group', 'aria-label': 'The selected entry' };
    this.element = make(
      'div',
      { class: 'details scrolls', attributes },
      this.#facts,
      this.#details,
    );
  }

  show({ entry, index, run, crash }: View): void {
    const shown = entry ?? crash;
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (crash !== undefined) {
      this.#fill(
        [
          ['crash', crash.moment],
          ['after entry', String(run.log.entries[index]?.number ?? 'none')],
          ['files found', String(crash.image.length)],
        ],
        crash.fates.length === 0 ? 'nothing was pending' : crash.fates.join('\n'),
      );
      return;
    }
    if (entry === undefined) {
      this.#fill([], '');
      return;
    }
    const took = run.log.tookUs(index);
    const request = run.log.requestOf(index);
    const rows: readonly (readonly [string, string])[] = [
      ['event', entry.event],
      ['from', senderOf(entry)],
      ['time', entry.time],
      ['since start', durationOf(entry.elapsedUs)],
      ...(took === undefined
        ? []
        : [[request?.operation ?? '', `took ${durationOf(took)}`] as const]),
      ['sequence', String(entry.sequence)],
      ['epoch', String(entry.epoch)],
      ['process', entry.process],
      ['hash', `${shortHash(entry.hash)}… after ${shortHash(entry.previous)}…`],
    ];
    const hasDetails = Object.keys(entry.details).length > 0;
    this.#fill(rows, hasDetails ? JSON.stringify(entry.details, null, 2) : 'no further details');
  }

  #fill(rows: readonly (readonly [string, string])[], details: string): void {
    this.#facts.replaceChildren(
      ...rows.flatMap(([name, text]) => [make('dt', { text: name }), make('dd', { text })]),
    );
    // A new element: the one before is not moved, it is gone.
    const text = make('pre', { class: 'json', text: details });
    this.#details.replaceWith(text);
    this.#details = text;
  }
}
