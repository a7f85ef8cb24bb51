/**
 * A drawn statechart, ready to be lit: its states and arrows by their names. Found by the ids that
 * `run-model.ts` promises, else by the titles that Graphviz leaves.
 */
import type { MachineDrawing } from '../run-model.js';

/** See the head of this file. */
export interface DrawnMachine {
  readonly svg: SVGSVGElement;
  readonly width: number;
  readonly height: number;
  readonly states: ReadonlyMap<string, SVGGElement>;
  readonly arrows: ReadonlyMap<string, readonly SVGGElement[]>;
  /** What a state is for, in words. */
  readonly describe: (path: string) => string;
}

/** Elements that a drawing has no use for. */
const UNWANTED = 'script, style, foreignObject, image, use, animate, set, iframe';

/** Reads a drawing; `undefined` for text that is no SVG. */
export function readDrawing({ name, svg: text }: MachineDrawing): DrawnMachine | undefined {
  const parsed = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  if (!(parsed instanceof SVGSVGElement)) return undefined;
  const svg = document.importNode(parsed, true);
  const words = new Map<string, string>();
  const states = new Map<string, SVGGElement>();
  const arrows = new Map<string, SVGGElement[]>();
  for (const group of svg.querySelectorAll<SVGGElement>(
    'g.node, g.cluster, g.edge, g.state, g.arrow',
  )) {
    const drawn = nameOf(group, name);
    if (drawn === undefined) continue;
    if (drawn.kind === 'arrow') {
      group.classList.add('arrow');
      arrows.set(drawn.name, [...(arrows.get(drawn.name) ?? []), group]);
    } else {
      group.classList.add('state');
      if (!states.has(drawn.name)) states.set(drawn.name, group);
      const link = group.querySelector('a');
      words.set(drawn.name, link?.getAttribute('xlink:title') ?? '');
    }
  }
  clean(svg);
  const { width, height } = svg.viewBox.baseVal;
  svg.setAttribute('width', String(width));
  svg.setAttribute('height', String(height));
  svg.setAttribute('role', 'img');
  svg.setAttribute('focusable', 'false');
  return { svg, width, height, states, arrows, describe: (path) => words.get(path) ?? '' };
}

interface DrawnName {
  readonly kind: 'state' | 'arrow';
  readonly name: string;
}

function nameOf(group: SVGGElement, machine: string): DrawnName | undefined {
  const prefix = `${machine}:`;
  const title = group.querySelector(':scope > title')?.textContent ?? '';
  const byId = group.id.startsWith(prefix);
  const named = byId ? group.id.slice(prefix.length) : title.replace(/^cluster /, '');
  if (named === '' || named === '(start)') return undefined;
  const isArrow = group.classList.contains('edge') || group.classList.contains('arrow');
  if (!isArrow) return { kind: 'state', name: named };
  // Into the copy of a state that stands beside its source: `a->a → halted`.
  return { kind: 'arrow', name: named.replace(/->.* → /, '->') };
}

/** The arrows that a transition may have taken: its states, or those around them. */
export function arrowsOf(
  drawn: DrawnMachine,
  from: readonly string[],
  to: readonly string[],
): readonly SVGGElement[] {
  const found = between(drawn, from, to);
  // Graphviz is told some arrows backwards, so that it lays them out well: their titles are, too.
  return found.length > 0 ? found : between(drawn, to, from);
}

function between(
  { arrows }: DrawnMachine,
  from: readonly string[],
  to: readonly string[],
): readonly SVGGElement[] {
  for (const source of from.flatMap(around)) {
    for (const target of to.flatMap(around)) {
      const found = arrows.get(`${source}->${target}`);
      if (found !== undefined) return found;
    }
  }
  return [];
}

/** A path, and those of the states around it, from the inside. */
function around(path: string): string[] {
  const names = path.split('.');
  return names.map((_, index) => names.slice(0, names.length - index).join('.'));
}

/** A drawing only draws: it runs nothing and leads nowhere. */
function clean(svg: SVGSVGElement): void {
  for (const element of svg.querySelectorAll(UNWANTED)) element.remove();
  for (const title of svg.querySelectorAll('title')) title.remove();
  for (const element of [svg, ...svg.querySelectorAll('*')]) {
    for (const { name } of [...element.attributes]) {
      if (/^on|^style$|href$/i.test(name)) element.removeAttribute(name);
    }
  }
}
