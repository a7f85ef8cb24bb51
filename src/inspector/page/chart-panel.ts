/**
 * The statecharts: one large, the one that moved, unless the reader has pinned another; all of them as
 * tabs that say what state they are in.
 */
import type { MachineDrawing } from '../run-model.js';
import { type Box, boxAround, placeAround, placeWhole } from './chart-camera.js';
import { bringIntoView, make, makeButton, setAttribute, setText } from './dom.js';
import { isActive, type MachineState } from './machine-states.js';
import { arrowsOf, type DrawnMachine, readDrawing } from './machine-svg.js';
import type { Panel, View } from './view.js';

interface Tab {
  readonly drawing: MachineDrawing;
  readonly button: HTMLButtonElement;
  readonly state: HTMLElement;
  /** Read when it is first shown; `undefined` inside where it can't be. */
  drawn?: { readonly machine: DrawnMachine | undefined };
  /** What is lit in it, so that it can be put out. */
  lit: Element[];
  litFor: string;
}

/** See the head of this file. */
export class ChartPanel implements Panel {
  readonly element: HTMLElement;
  readonly #frame = make('div', { class: 'chart-frame' });
  readonly #tabs: readonly Tab[];
  readonly #pin: HTMLButtonElement;
  readonly #whole: HTMLButtonElement;
  #pinned: string | undefined;
  #isWhole = false;
  #shown: Tab | undefined;
  #view: View | undefined;

  constructor(drawings: readonly MachineDrawing[]) {
    this.#tabs = drawings.map((drawing) => this.#makeTab(drawing));
    this.#pin = makeButton('Pin', 'Keep this machine, whatever moves (m)', () => this.togglePin());
    this.#whole = makeButton('Whole', 'Show the whole statechart (z)', () => this.toggleWhole());
    for (const button of [this.#pin, this.#whole]) setAttribute(button, 'aria-pressed', 'false');
    const attributes = { role: 'tablist', 'aria-label': 'Statecharts' };
    const buttons = this.#tabs.map(({ button }) => button);
    const tabs = make('div', { class: 'chart-tabs', attributes }, ...buttons);
    tabs.addEventListener('keydown', (event) => this.#moveBetweenTabs(event));
    const tools = make('div', { class: 'chart-tools' }, this.#pin, this.#whole);
    this.#frame.id = 'chart-frame';
    setAttribute(this.#frame, 'role', 'tabpanel');
    this.element = make('div', { class: 'chart' }, tabs, this.#frame, tools);
    new ResizeObserver(() => this.#place(false)).observe(this.#frame);
  }

  show(view: View): void {
    this.#view = view;
    const states = view.run.log.machinesAfter(view.index);
    for (const { drawing, state, button } of this.#tabs) {
      setText(state, stateOf(states[drawing.name]));
      setAttribute(button, 'data-moved', view.entry?.machine === drawing.name ? '' : undefined);
    }
    const wanted = this.#pinned ?? movingAt(view);
    const tab = this.#tabs.find(({ drawing }) => drawing.name === wanted) ?? this.#shown;
    this.#open(tab ?? this.#tabs[0], states);
  }

  /** What a state is for, in words; empty where the drawing does not say. */
  describe(machine: string, path: string): string {
    const tab = this.#tabs.find(({ drawing }) => drawing.name === machine);
    return (tab && this.#drawnOf(tab)?.describe(path)) ?? '';
  }

  /** Keeps the machine that is shown, or lets it follow again. */
  togglePin(): void {
    this.#setPin(this.#pinned === undefined ? this.#shown?.drawing.name : undefined);
  }

  /** Shows all of the drawing, or what moves, near enough to read. */
  toggleWhole(): void {
    this.#isWhole = !this.#isWhole;
    setAttribute(this.#whole, 'aria-pressed', String(this.#isWhole));
    this.#place(true);
  }

  #setPin(name: string | undefined): void {
    this.#pinned = name;
    setAttribute(this.#pin, 'aria-pressed', String(name !== undefined));
    setText(this.#pin, name === undefined ? 'Pin' : 'Pinned');
    if (this.#view !== undefined) this.show(this.#view);
  }

  #makeTab(drawing: MachineDrawing): Tab {
    const state = make('span', { class: 'tab-state' });
    const attributes = {
      type: 'button',
      role: 'tab',
      'aria-controls': 'chart-frame',
      tabindex: '-1',
    };
    const name = make('span', { class: 'tab-name', text: drawing.name });
    const button = make('button', { class: 'chart-tab', attributes }, name, state);
    button.title = drawing.title;
    button.addEventListener('click', () => this.#setPin(drawing.name));
    return { drawing, button, state, lit: [], litFor: '' };
  }

  #moveBetweenTabs(event: KeyboardEvent): void {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0 || this.#shown === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const count = this.#tabs.length;
    const next = this.#tabs[(this.#tabs.indexOf(this.#shown) + step + count) % count];
    this.#setPin(next?.drawing.name);
    next?.button.focus();
  }

  #drawnOf(tab: Tab): DrawnMachine | undefined {
    tab.drawn ??= { machine: readDrawing(tab.drawing) };
    return tab.drawn.machine;
  }

  #open(tab: Tab | undefined, states: Readonly<Record<string, MachineState>>): void {
    if (tab === undefined) return;
    const drawn = this.#drawnOf(tab);
    const isOther = tab !== this.#shown;
    if (isOther) {
      this.#shown = tab;
      const missing = make('p', { class: 'empty', text: 'This machine has no drawing.' });
      this.#frame.replaceChildren(drawn?.svg ?? missing);
      setAttribute(this.#frame, 'aria-label', tab.drawing.title);
      for (const other of this.#tabs) {
        setAttribute(other.button, 'aria-selected', String(other === tab));
        other.button.tabIndex = other === tab ? 0 : -1;
      }
      bringIntoView(tab.button);
    }
    if (drawn === undefined) return;
    this.#light(tab, drawn, states[tab.drawing.name]);
    this.#place(!isOther);
  }

  #light(tab: Tab, drawn: DrawnMachine, state: MachineState | undefined): void {
    const moved = this.#view?.entry?.machine === tab.drawing.name;
    const crashed = this.#view?.crash !== undefined;
    const key = `${state?.entry ?? -1} ${moved} ${crashed}`;
    if (tab.litFor === key) return;
    tab.litFor = key;
    for (const element of tab.lit) element.classList.remove('lit', 'taken', 'failed', 'crashed');
    tab.lit = [];
    const names = state?.active.join(', ') || 'not started';
    setAttribute(drawn.svg, 'aria-label', `${tab.drawing.title}. Active: ${names}.`);
    if (state === undefined) return;
    const light = (element: Element, ...classes: string[]) => {
      element.classList.add(...classes);
      tab.lit.push(element);
    };
    for (const [path, element] of drawn.states) {
      if (!isActive(state, path)) continue;
      const isFailure = tab.drawing.failureStates.includes(path);
      light(element, 'lit', ...(isFailure ? ['failed'] : []), ...(crashed ? ['crashed'] : []));
    }
    if (!moved) return;
    for (const arrow of arrowsOf(drawn, state.from, state.to)) {
      light(arrow, 'taken', ...(state.failed ? ['failed'] : []));
      // What is drawn last lies on top.
      arrow.parentNode?.append(arrow);
    }
  }

  #place(smooth: boolean): void {
    const tab = this.#shown;
    const drawn = tab && this.#drawnOf(tab);
    if (tab === undefined || drawn === undefined) return;
    const frame = { width: this.#frame.clientWidth, height: this.#frame.clientHeight };
    if (frame.width === 0) return;
    const box = boxAround(this.#boxesOf(tab, drawn), frame);
    const { x, y, scale } =
      this.#isWhole || box === undefined
        ? placeWhole(frame, drawn)
        : placeAround(frame, drawn, box);
    drawn.svg.classList.toggle('gliding', smooth);
    drawn.svg.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  }

  /** What has to be seen: the active states first, then what was left. */
  #boxesOf(tab: Tab, drawn: DrawnMachine): Box[] {
    const state = this.#view?.run.log.machinesAfter(this.#view.index)[tab.drawing.name];
    if (state === undefined) return [];
    const paths = [...state.to, ...state.from];
    return paths.flatMap((path) => {
      const element = drawn.states.get(path);
      return element === undefined ? [] : [boxIn(drawn.svg, element)];
    });
  }
}

/** The machine to look at: the one that moves; in a crash, the innermost that was under way. */
function movingAt({ run, index, entry, crash }: View): string | undefined {
  if (crash === undefined) return entry?.machine;
  const states = run.log.machinesAfter(index);
  const inner = ['write', 'recovery'].find((name) => isUnderWay(states[name]));
  return inner ?? run.log.entries[index]?.machine;
}

/** States in which a round or a recovery has ended. */
const ENDS = ['committed', 'failed', 'halted', 'ready', 'refused'];

function isUnderWay(state: MachineState | undefined): boolean {
  return state !== undefined && !state.active.some((path) => ENDS.includes(path));
}

/** Active states in few words, the one entered last first. */
function stateOf(state: MachineState | undefined): string {
  if (state === undefined) return 'not started';
  const others = state.active.filter((path) => !state.to.includes(path));
  return [...state.to, ...others].join(' · ');
}

/** A box in the drawing's own units, whatever its frame does with it. */
function boxIn(svg: SVGSVGElement, element: SVGGElement): Box {
  const { x, y, width, height } = element.getBBox();
  const graph = svg.querySelector<SVGGElement>('g.graph')?.transform.baseVal.consolidate()?.matrix;
  return { x: x + (graph?.e ?? 0), y: y + (graph?.f ?? 0), width, height };
}
