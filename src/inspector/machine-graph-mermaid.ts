/**
 * A diagram as Mermaid text, which many viewers of Markdown draw by themselves. Says what the DOT
 * form says; descriptions are notes of the states. Pure text in, pure text out.
 */
import type { Diagram, DiagramArrow, DiagramState } from './machine-diagrams.js';

/** Renders a diagram as a Mermaid state diagram. */
export function toMermaid(diagram: Diagram): string {
  const { states, arrows, title } = diagram;
  const lines = [
    '---',
    `title: ${JSON.stringify(title)}`,
    '---',
    'stateDiagram-v2',
    ...childrenOf(diagram, '', '  '),
    ...arrows.map((arrow) => `  ${arrowLine(arrow)}`),
    ...states
      .filter(({ kind, parent }) => kind === 'final' && parent === '')
      .map(({ path }) => `  ${idOf(path)} --> [*]`),
    '  classDef step fill:#dbeafe,stroke:#1d4ed8,stroke-width:2px,color:#1f2937',
    '  classDef success fill:#dcfce7,stroke:#15803d,color:#1f2937',
    '  classDef failure fill:#fee9e7,stroke:#b42318,stroke-dasharray:4,color:#1f2937',
    ...states
      .filter(({ role }) => role !== 'ordinary')
      .map(({ path, role }) => `  class ${idOf(path)} ${role}`),
  ];
  return `${lines.join('\n')}\n`;
}

function childrenOf(diagram: Diagram, parent: string, indent: string): string[] {
  const children = diagram.states.filter((state) => state.parent === parent);
  return children.flatMap((state) => {
    const id = idOf(state.path);
    const start = state.initial ? [`${indent}[*] --> ${id}`] : [];
    const named = `${indent}state ${JSON.stringify(labelOf(state))} as ${id}`;
    const inside = childrenOf(diagram, state.path, `${indent}  `);
    const body = inside.length === 0 ? [named] : [`${named} {`, ...inside, `${indent}}`];
    return [...body, ...start];
  });
}

function labelOf({ name, step, description, invokes }: DiagramState): string {
  const number = step === undefined ? '' : `${step} · `;
  const words = description?.replace(/^Step \d: (.)/, (_, first: string) => first.toUpperCase());
  const runs = invokes.map((source) => `runs the machine: ${source}`);
  const lines = [`${number}${name}`, ...(words === undefined ? [] : [words]), ...runs];
  return lines.map(plain).join('<br/>');
}

function arrowLine({ source, target, labels }: DiagramArrow): string {
  const text = labels.filter((label) => label !== '').map(plain);
  const label = text.length === 0 ? '' : `: ${text.join('<br/>')}`;
  return `${idOf(source)} --> ${idOf(target)}${label}`;
}

const idOf = (path: string): string => path.replaceAll('.', '_');

/** Mermaid ends a statement at a semicolon, reads a colon as a label's beginning, and text as markup. */
function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(';', ',')
    .replaceAll(': ', ' – ')
    .replaceAll('"', "'")
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
