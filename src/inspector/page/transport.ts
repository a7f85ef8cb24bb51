/**
 * The buttons that move through a run, and where one is in it.
 */
import { make, makeButton, setAttribute, setText } from './dom.js';
import { PACES } from './player.js';
import type { Panel, View } from './view.js';
import { countOf, durationOf } from './words.js';

/** What the buttons do. */
export interface TransportActions {
  readonly step: (moments: number) => void;
  readonly first: () => void;
  readonly last: () => void;
  readonly togglePlay: () => void;
  readonly setPace: (pace: number) => void;
}

/** See the head of this file. */
export class Transport implements Panel {
  readonly element: HTMLElement;
  readonly #play: HTMLButtonElement;
  readonly #live: HTMLButtonElement;
  readonly #place = make('span', { class: 'place' });

  constructor(actions: TransportActions, isLive: boolean) {
    const { step, first, last, togglePlay, setPace } = actions;
    this.#play = makeButton('▶', 'Play (space)', togglePlay, 'button play');
    this.#live = makeButton('Follow', 'Follow the newest entry (End)', last);
    this.#live.hidden = !isLive;
    const pace = make('select', { attributes: { 'aria-label': 'Pace', title: 'Pace' } });
    for (const value of PACES) {
      const option = make('option', { text: `${value}×`, attributes: { value: String(value) } });
      option.selected = value === 1;
      pace.append(option);
    }
    pace.addEventListener('change', () => setPace(Number(pace.value)));
    const attributes = { role: 'group', 'aria-label': 'Move through the run' };
    this.element = make(
      'div',
      { class: 'transport', attributes },
      makeButton('⇤', 'First entry (Home)', first),
      makeButton('‹', 'One back (←)', () => step(-1)),
      this.#play,
      makeButton('›', 'One on (→)', () => step(1)),
      makeButton('⇥', 'Last entry (End)', last),
      pace,
      this.#live,
      this.#place,
    );
  }

  show({ run, moment, index }: View): void {
    const elapsed = run.log.entries[index]?.elapsedUs ?? 0;
    const { count } = run.moments;
    const words = `${countOf(Math.min(count, moment + 1))} of ${countOf(count)} · ${durationOf(elapsed)}`;
    setText(this.#place, words);
  }

  /** Shows whether the run is being played. */
  setPlaying(isPlaying: boolean): void {
    setText(this.#play, isPlaying ? '❚❚' : '▶');
    const label = isPlaying ? 'Pause (space)' : 'Play (space)';
    setAttribute(this.#play, 'aria-label', label);
    setAttribute(this.#play, 'title', label);
  }

  /** Shows whether the newest entry is followed. */
  setFollowing(isFollowing: boolean): void {
    setAttribute(this.#live, 'aria-pressed', String(isFollowing));
  }
}
