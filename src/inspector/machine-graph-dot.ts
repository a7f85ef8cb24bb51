/**
 * A diagram as DOT, the language of Graphviz. Colours are fixed on a background of their own, so that
 * the picture reads the same on a light and on a dark page. Every state and every arrow has an id and a
 * class, by which a page finds it in the SVG: {@link stateId}, {@link arrowIds}. Pure text in, pure text
 * out.
 */
import type { Diagram, DiagramArrow, DiagramState } from './machine-diagrams.js';

const FONT = 'Helvetica,Arial,sans-serif';
const PAPER = '#fbfcfe';
const INK = '#1f2937';
const QUIET = '#5b6675';
const RED = '#b42318';
const DESCRIPTION_COLUMNS = 38;

const fills: Readonly<
  Record<DiagramState['role'], { readonly fill: string; readonly line: string }>
> = {
  step: { fill: '#dbeafe', line: '#1d4ed8' },
  ordinary: { fill: '#eef1f5', line: '#64748b' },
  success: { fill: '#dcfce7', line: '#15803d' },
  failure: { fill: '#fee9e7', line: RED },
};

/** The id of a state's group in the SVG: `write:syncingWal`. */
export function stateId(diagram: string, path: string): string {
  return `${diagram}:${path}`;
}

/**
 * The id of each arrow's group in the SVG, in the order of the arrows: `write:writingData->syncingWal`.
 * Where a failure and something else lead the same way, there are two arrows; the second one's id ends in
 * `#` and its role.
 */
export function arrowIds({ name, arrows }: Pick<Diagram, 'name' | 'arrows'>): string[] {
  const taken = new Set<string>();
  return arrows.map(({ source, target, role }) => {
    const id = `${name}:${source}->${target}`;
    const own = taken.has(id) ? `${id}#${role}` : id;
    taken.add(own);
    return own;
  });
}

/** Renders a diagram as DOT. */
export function toDot(diagram: Diagram): string {
  const { arrows, name, title } = diagram;
  const starts = startsIn(diagram, '');
  const ids = arrowIds(diagram);
  const lines = [
    `digraph ${quote(name)} {`,
    `  graph [bgcolor=${quote(PAPER)}, pad=0.35, nodesep=0.35, ranksep=0.4, compound=true, newrank=true,`,
    `         fontname=${quote(FONT)}, fontsize=17, fontcolor=${quote(INK)}, labelloc=t, label=${quote(`${title}\n `)}, tooltip=${quote(title)}, id=${quote(name)}]`,
    `  node [shape=box, style="rounded,filled", fontname=${quote(FONT)}, fontsize=12, fontcolor=${quote(INK)}, margin="0.14,0.07"]`,
    `  edge [fontname=${quote(FONT)}, fontsize=10, fontcolor=${quote(QUIET)}, color=${quote(QUIET)}, arrowsize=0.75]`,
    `  "(start)" [shape=circle, label="", width=0.16, style=filled, fillcolor=${quote(INK)}, color=${quote(INK)}, tooltip="start", id=${quote(stateId(name, '(start)'))}, class="start"]`,
    ...childrenOf(diagram, '', '  '),
    ...starts.map(({ path }) => startLine(name, path)),
    ...arrows.flatMap((arrow, index) => arrowLines(diagram, arrow, ids[index] ?? '')),
    ...rankLines(diagram),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function startLine(name: string, path: string): string {
  const id = quote(`${name}:(start)->${path}`);
  return `  "(start)" -> ${quote(path)} [weight=50, color=${quote(INK)}, id=${id}, class="start"]`;
}

/** The states that a machine is in at first: of nested ones the innermost, one for each region. */
function startsIn(diagram: Diagram, parent: string): DiagramState[] {
  const first = diagram.states.filter((state) => state.initial && state.parent === parent);
  return first.flatMap((state) => {
    const inner = startsIn(diagram, state.path);
    return inner.length === 0 ? [state] : inner;
  });
}

function childrenOf(diagram: Diagram, parent: string, indent: string): string[] {
  const children = diagram.states.filter((state) => state.parent === parent);
  return children.flatMap((state) => {
    if (state.kind !== 'compound' && state.kind !== 'parallel') {
      return [`${indent}${quote(state.path)} [${nodeAttributes(diagram.name, state)}]`];
    }
    const { line } = fills[state.role];
    return [
      `${indent}subgraph ${quote(clusterOf(state.path))} {`,
      `${indent}  graph [label=${quote(state.name)}, labeljust=l, fontsize=12, style="rounded,filled", fillcolor="#f4f6f9", color=${quote(line)}, tooltip=${quote(state.description ?? state.name)}, ${naming(diagram.name, state).join(', ')}]`,
      ...childrenOf(diagram, state.path, `${indent}  `),
      `${indent}}`,
    ];
  });
}

function nodeAttributes(diagram: string, state: DiagramState): string {
  const { fill, line } = fills[state.role];
  const attributes = [
    `label=<${labelOf(state)}>`,
    `fillcolor=${quote(fill)}`,
    `color=${quote(line)}`,
    `tooltip=${quote(state.description ?? state.name)}`,
    ...naming(diagram, state),
  ];
  if (state.role === 'step') attributes.push('penwidth=2', `group=${quote('steps')}`);
  if (state.kind === 'final') attributes.push('peripheries=2');
  return attributes.join(', ');
}

function naming(diagram: string, { path, role }: DiagramState): string[] {
  return [`id=${quote(stateId(diagram, path))}`, `class=${quote(`${role} state`)}`];
}

function labelOf({ name, step, description, invokes }: DiagramState): string {
  const number = step === undefined ? '' : `${step} · `;
  const rows = [`<b>${toMarkup(`${number}${name}`)}</b>`];
  const small = (text: string) => `<font point-size="9.5" color="${QUIET}">${text}</font>`;
  // The number of the step stands in front of the name already.
  const words = description?.replace(/^Step \d: (.)/, (_, first: string) => first.toUpperCase());
  rows.push(...wrap(words ?? '').map((row) => small(toMarkup(row))));
  rows.push(...invokes.map((source) => small(`<i>runs the machine: ${toMarkup(source)}</i>`)));
  return rows.join('<br/>');
}

function arrowLines(diagram: Diagram, arrow: DiagramArrow, id: string): string[] {
  const { target, role } = arrow;
  const state = diagram.states.find(({ path }) => path === target);
  const isCopy = role === 'failure' && diagram.repeated.includes(target);
  const copy = `${arrow.source} → ${target}`;
  const start = isCopy ? copy : entered(diagram, target);
  const attributes = [`label=${quote(arrow.labels.map((text) => `  ${text} `).join('\n'))}`];
  attributes.push(`id=${quote(id)}`, `class=${quote(`${role} arrow`)}`);
  if (role === 'main') attributes.push('weight=40', 'penwidth=2.2', `color=${quote(INK)}`);
  if (role === 'failure') {
    attributes.push('style=dashed', `color=${quote(RED)}`, `fontcolor=${quote(RED)}`);
  }
  if (start !== target && !isCopy) attributes.push(`lhead=${quote(clusterOf(target))}`);
  // An arrow is drawn between states without inner ones, and cut off at the frame of those around.
  const origin = entered(diagram, arrow.source);
  if (origin !== arrow.source) attributes.push(`ltail=${quote(clusterOf(arrow.source))}`);
  // Graphviz lays out along its arrows, to the right and down. What goes to an undoing state at the
  // left, and from it back up, is told to it backwards.
  const isBack = diagram.beside.some(
    ([step, undoing]) =>
      (arrow.source === step && target === undoing) ||
      (arrow.source === undoing && role === 'ordinary'),
  );
  if (isBack) attributes.push('dir=back', 'weight=3');
  const [tail, head] = isBack ? [target, arrow.source] : [origin, start];
  const line = `  ${quote(tail)} -> ${quote(head)} [${attributes.join(', ')}]`;
  if (!isCopy || state === undefined) return [line];
  return [
    `  ${quote(copy)} [${copyAttributes(state, `${id}#copy`)}]`,
    line,
    ...rightOfNext(diagram, arrow, copy),
  ];
}

/** Keeps the copy that a step fails into at the right of the step that follows. */
function rightOfNext(
  { states, arrows }: Diagram,
  { source }: DiagramArrow,
  copy: string,
): string[] {
  const isStep = states.some(({ path, step }) => path === source && step !== undefined);
  const next = arrows.find((arrow) => arrow.source === source && arrow.role === 'main')?.target;
  if (!isStep || next === undefined) return [];
  return [`  { rank=same; ${quote(next)} -> ${quote(copy)} [style=invis] }`];
}

/** Side by side what belongs so; at the bottom, in one row, the ways in which it can end. */
function rankLines({ states, repeated, beside }: Diagram): string[] {
  const sameRank = (paths: readonly string[]) =>
    `  { rank=same; ${paths.map((path) => quote(path)).join('; ')} }`;
  const ends = states.filter(({ kind, parent }) => kind === 'final' && parent === '');
  const bottom = repeated.length === 0 ? [] : [sameRank(ends.map(({ path }) => path))];
  return [...beside.map(sameRank), ...bottom];
}

/** A small copy of a final state, so that a dozen arrows need not cross the whole picture. */
function copyAttributes({ name, description }: DiagramState, id: string): string {
  const { fill, line } = fills.failure;
  return `label=${quote(name)}, fontsize=10, margin="0.08,0.03", height=0.25, peripheries=2, fillcolor=${quote(fill)}, color=${quote(line)}, tooltip=${quote(description ?? name)}, id=${quote(id)}, class="copy"`;
}

/** Graphviz draws arrows between nodes only: into a compound state means into its first child. */
function entered(diagram: Diagram, path: string): string {
  const child = diagram.states.find(({ parent, initial }) => parent === path && initial);
  return child === undefined ? path : entered(diagram, child.path);
}

const clusterOf = (path: string): string => `cluster ${path}`;

/** Breaks a text into rows at spaces. */
function wrap(text: string): string[] {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(/\s+/)) {
    if (row !== '' && row.length + 1 + word.length > DESCRIPTION_COLUMNS) {
      rows.push(row);
      row = word;
    } else {
      row = row === '' ? word : `${row} ${word}`;
    }
  }
  return row === '' ? rows : [...rows, row];
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function toMarkup(text: string): string {
  const named: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };
  return text.replace(/[&<>"]/g, (character) => `&${named[character]};`);
}
