/**
 * The whole run as one strip, a lane for each machine: where it moved, where a sync was waited for,
 * where something failed, where it crashed. One scrubs through it with the pointer or the keyboard.
 * Drawn on a canvas, again only when there is more to draw; the mark that moves is an element.
 */
import type { AuditEntry } from '../../format/audit-entry.js';
import { make, setAttribute } from './dom.js';
import { isFailure } from './machine-states.js';
import type { Panel, Run, View } from './view.js';
import { countOf } from './words.js';

const LANE = 11;
const GAP = 3;

/** See the head of this file. */
export class TimelineStrip implements Panel {
  readonly element: HTMLElement;
  readonly #canvas = make('canvas', { attributes: { 'aria-hidden': 'true' } });
  readonly #track: HTMLElement;
  readonly #mark = make('div', { class: 'strip-mark' });
  readonly #names = make('div', { class: 'strip-names', attributes: { 'aria-hidden': 'true' } });
  readonly #scrub: (moment: number) => void;
  #view: View | undefined;
  #drawn = '';

  constructor(scrub: (moment: number) => void) {
    this.#scrub = scrub;
    const attributes = { role: 'slider', tabindex: '0', 'aria-label': 'Timeline' };
    this.#track = make('div', { class: 'strip-track', attributes }, this.#canvas, this.#mark);
    this.element = make('div', { class: 'strip' }, this.#names, this.#track);
    this.#track.addEventListener('pointerdown', (event) => {
      this.#track.setPointerCapture(event.pointerId);
      this.#scrubTo(event);
    });
    this.#track.addEventListener('pointermove', (event) => {
      if (this.#track.hasPointerCapture(event.pointerId)) this.#scrubTo(event);
    });
    new ResizeObserver(() => this.#draw()).observe(this.#track);
  }

  show(view: View): void {
    this.#view = view;
    const { moments } = view.run;
    setAttribute(this.#track, 'aria-valuemin', '1');
    setAttribute(this.#track, 'aria-valuemax', String(Math.max(1, moments.count)));
    setAttribute(this.#track, 'aria-valuenow', String(view.moment + 1));
    setAttribute(this.#track, 'aria-valuetext', wordsFor(view));
    this.#draw();
  }

  /** Draws again although nothing is new: the colours have changed. */
  redraw(): void {
    this.#drawn = '';
    this.#draw();
  }

  #scrubTo({ clientX }: PointerEvent): void {
    const { left, width } = this.#track.getBoundingClientRect();
    const count = this.#view?.run.moments.count ?? 0;
    if (count === 0 || width === 0) return;
    const moment = Math.floor(((clientX - left) / width) * count);
    this.#scrub(Math.max(0, Math.min(count - 1, moment)));
  }

  #draw(): void {
    const view = this.#view;
    const width = this.#track.clientWidth;
    if (view === undefined || width === 0) return;
    const { log, moments } = view.run;
    const lanes = log.machines;
    const key = `${moments.count} ${width} ${lanes.length}`;
    if (key !== this.#drawn) {
      this.#drawn = key;
      this.#nameLanes(lanes);
      drawLanes(this.#canvas, view.run, width, lanes);
    }
    const step = width / Math.max(1, moments.count);
    this.#mark.style.width = `${Math.max(2, step)}px`;
    this.#mark.style.transform = `translateX(${Math.max(0, view.moment) * step}px)`;
  }

  #nameLanes(lanes: readonly string[]): void {
    const names = lanes.map((name) => make('span', { text: name }));
    this.#names.replaceChildren(...names);
  }
}

function drawLanes(
  canvas: HTMLCanvasElement,
  { log, moments }: Run,
  width: number,
  lanes: readonly string[],
): void {
  const height = Math.max(1, lanes.length) * (LANE + GAP) - GAP;
  const density = Math.min(3, window.devicePixelRatio || 1);
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext('2d');
  if (pen === null) return;
  pen.scale(density, density);
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  pen.fillStyle = colour('--lane');
  for (const lane of lanes.keys()) pen.fillRect(0, lane * (LANE + GAP), width, LANE);
  const step = width / Math.max(1, moments.count);
  const wide = Math.max(1, step - (step > 4 ? 1 : 0));
  const colours = [colour('--tick'), colour('--accent'), colour('--failure')];
  for (const { kind, lane, column, share } of marksOf(log, moments, lanes, step)) {
    const high = LANE * share;
    pen.fillStyle = colours[kind] ?? '';
    pen.fillRect(column, lane * (LANE + GAP) + LANE - high, wide, high);
  }
  pen.fillStyle = colour('--failure');
  for (const moment of moments.crashes) {
    pen.fillRect(moment * step, 0, Math.max(3, step - 1), height);
  }
}

/** An ordinary step, a sync, a failure; what is drawn later lies on top. */
type Kind = 0 | 1 | 2;

interface Mark {
  readonly kind: Kind;
  readonly lane: number;
  readonly column: number;
  /** How much of the lane's height it takes: of a sync, by how long it took. */
  readonly share: number;
}

/** What to draw: of all marks of a kind on one pixel of a lane, the highest. */
function marksOf(
  log: Run['log'],
  moments: Run['moments'],
  lanes: readonly string[],
  step: number,
): Mark[] {
  const laneOf = new Map(lanes.map((name, lane) => [name, lane]));
  const place = step >= 1 ? (at: number) => at * step : (at: number) => Math.floor(at * step);
  const hasCrashes = moments.crashes.length > 0;
  const kinds = [0, 1, 2].map(() => lanes.map(() => new Map<number, number>()));
  for (const [index, entry] of log.entries.entries()) {
    const kind = kindOf(entry);
    const column = place(hasCrashes ? moments.ofEntry(index) : index);
    const columns = kinds[kind]?.[laneOf.get(entry.machine) ?? 0];
    const took = kind === 1 ? (log.tookUs(index) ?? 0) / Math.max(1, log.slowestSyncUs) : 0;
    // Where steps are too narrow to be told apart, they stay in the ground, and syncs stand out.
    const share = kind === 1 ? 0.3 + 0.7 * took : kind === 0 && step < 1 ? 0.3 : 1;
    columns?.set(column, Math.max(share, columns.get(column) ?? 0));
  }
  return kinds.flatMap((ofLanes, kind) =>
    ofLanes.flatMap((columns, lane) =>
      [...columns].map(([column, share]) => ({ kind: kind as Kind, lane, column, share })),
    ),
  );
}

function kindOf(entry: AuditEntry): Kind {
  if (isFailure(entry)) return 2;
  return entry.event.startsWith('sync') && entry.event.endsWith('.done') ? 1 : 0;
}

function wordsFor({ run, moment, entry, crash }: View): string {
  const place = `${countOf(moment + 1)} of ${countOf(run.moments.count)}`;
  if (crash !== undefined) return `${place}: crash`;
  if (entry === undefined) return 'no entries yet';
  return `${place}: ${entry.machine} enters ${entry.to}`;
}
