/**
 * Who sent what to whom, as a sequence diagram: a row for each entry, with the message that caused it
 * and, below, what the state it entered asked I/O for.
 */
import { make, setAttribute, setText } from './dom.js';
import { isFailure } from './machine-states.js';
import { isSync } from './run-log.js';
import type { Panel, View } from './view.js';
import { VirtualList } from './virtual-list.js';
import { durationOf, eventName } from './words.js';

const ROW_HEIGHT = 48;

/** Lifelines, from left to right. */
const ACTORS = ['program', 'guard', 'checkpoint', 'recovery', 'detector', 'write', 'io'];

interface Arrow {
  element: HTMLElement;
  /** What it shows. */
  says: string;
}

interface MessageRow extends HTMLElement {
  arrows?: { readonly message: Arrow; readonly request: Arrow; readonly crash: HTMLElement };
}

/** See the head of this file. */
export class MessagesPanel implements Panel {
  readonly element: HTMLElement;
  readonly #list: VirtualList<MessageRow>;
  #view: View | undefined;

  constructor(select: (moment: number) => void) {
    const heads = ACTORS.map((name) => make('span', { class: 'actor', text: name }));
    const head = make('div', { class: 'actors', attributes: { 'aria-hidden': 'true' } }, ...heads);
    const lines = ACTORS.map(() => make('span'));
    const lifelines = make(
      'div',
      { class: 'lifelines', attributes: { 'aria-hidden': 'true' } },
      ...lines,
    );
    this.#list = new VirtualList<MessageRow>({
      rowHeight: ROW_HEIGHT,
      label: 'Messages between actors',
      role: 'listbox',
      make: () => makeRow(select),
      fill: (row, index) => this.#fill(row, index),
    });
    const body = make('div', { class: 'messages-body' }, lifelines, this.#list.element);
    this.element = make('div', { class: 'messages' }, head, body);
  }

  show(view: View): void {
    const isNew = this.#view?.moment !== view.moment;
    this.#view = view;
    this.#list.update(view.run.moments.count);
    setAttribute(this.#list.element, 'aria-activedescendant', `message-${view.moment}`);
    if (isNew) this.#list.reveal(view.moment, 'centre');
  }

  #fill(row: MessageRow, moment: number): void {
    const { arrows } = row;
    const view = this.#view;
    if (arrows === undefined || view === undefined) return;
    const { log, moments, crashes } = view.run;
    const { entry: index, crash } = moments.at(moment);
    const entry = log.entries[index];
    row.id = `message-${moment}`;
    row.dataset.moment = String(moment);
    setAttribute(row, 'aria-selected', String(moment === view.moment));
    arrows.crash.hidden = crash === undefined;
    arrows.message.element.hidden = crash !== undefined;
    const request = crash === undefined ? log.requestAt(index) : undefined;
    arrows.request.element.hidden = request === undefined;
    if (crash !== undefined) {
      setText(arrows.crash, `crash: ${crashes[crash]?.moment ?? ''}`);
      setAttribute(row, 'aria-label', `crash: ${crashes[crash]?.moment ?? ''}`);
      return;
    }
    if (entry === undefined) return;
    const from = senderOf(entry.by, entry.event, entry.machine);
    point(arrows.message, from, entry.machine, eventName(entry.event));
    arrows.message.element.hidden = false;
    arrows.message.element.classList.toggle('is-failure', isFailure(entry));
    arrows.message.element.classList.toggle('is-reply', entry.by === 'io');
    let words = `${eventName(entry.event)} from ${from} to ${entry.machine}`;
    if (request !== undefined) {
      const took = durationOf(log.between(index, request.answer));
      point(arrows.request, entry.machine, 'io', `${request.operation} · ${took}`);
      arrows.request.element.hidden = false;
      arrows.request.element.classList.toggle('is-sync', isSync(request));
      words += `; then ${entry.machine} asks io for ${request.operation}, which took ${took}`;
    }
    setAttribute(row, 'aria-label', words);
  }
}

function makeRow(select: (moment: number) => void): MessageRow {
  const [message, request] = [makeArrow('message'), makeArrow('message request')];
  const crash = make('div', { class: 'message-crash' });
  const row: MessageRow = make(
    'div',
    { class: 'message-row', attributes: { role: 'option' } },
    ...[message.element, request.element, crash],
  );
  row.arrows = { message, request, crash };
  row.addEventListener('click', () => select(Number(row.dataset.moment)));
  return row;
}

function makeArrow(className: string): Arrow {
  return { element: make('div', { class: className }), says: '' };
}

/** Lays an arrow from one lifeline to another; a dot for a message to oneself. */
function point(arrow: Arrow, from: string, to: string, text: string): void {
  const says = `${from} ${to} ${text}`;
  if (arrow.says === says) return;
  arrow.says = says;
  const [source, target] = [columnOf(from), columnOf(to)];
  const width = 100 / ACTORS.length;
  const left = Math.min(source, target);
  const way = target > source ? 'right' : target < source ? 'left' : 'self';
  // Near the right edge the text goes to the left of its line.
  const label = left >= ACTORS.length - 2 ? 'end' : 'start';
  const attributes = { 'data-way': way, 'data-label': label };
  const words = make('span', { class: 'message-label', text });
  // A new element: the arrow before is not moved, it is gone.
  const element = make('div', { class: arrow.element.className, attributes }, words);
  element.style.left = `${(left + 0.5) * width}%`;
  element.style.width = `${Math.abs(target - source) * width}%`;
  arrow.element.replaceWith(element);
  arrow.element = element;
}

function columnOf(actor: string): number {
  return Math.max(0, ACTORS.indexOf(actor));
}

/** The lifeline that an event comes from: machines are started by the one that runs them. */
function senderOf(by: string, event: string, machine: string): string {
  if (ACTORS.includes(by)) return by;
  if (by !== '' || machine === 'checkpoint') return 'program';
  if (event.startsWith('xstate.after')) return machine;
  return machine === 'guard' ? 'program' : 'checkpoint';
}
