/**
 * The graph of a statechart, and the diagrams in `docs/diagrams/` that are made from it. The graph is
 * compared with the machines' own configuration, which it was not read from.
 */
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, createMachine, setup } from 'xstate';
import { machineDiagrams } from '../../src/inspector/machine-diagrams.js';
import { edgeKey, graphOf } from '../../src/inspector/machine-graph.js';
import { toDot } from '../../src/inspector/machine-graph-dot.js';
import { toMermaid } from '../../src/inspector/machine-graph-mermaid.js';
import { checkpointMachine } from '../../src/machines/checkpoint-machine.js';
import { failureDetectorMachine } from '../../src/machines/failure-detector-machine.js';
import { guardMachine } from '../../src/machines/guard-machine.js';
import { recoveryMachine } from '../../src/machines/recovery-machine.js';
import { writeMachine } from '../../src/machines/write-machine.js';
import { expectGenerated } from '../helpers/generated-file.js';
import { renderSvg } from '../helpers/render-svg.js';

const machines: readonly (readonly [string, AnyStateMachine])[] = [
  ['checkpoint', checkpointMachine],
  ['write', writeMachine],
  ['detector', failureDetectorMachine],
  ['guard', guardMachine],
  ['recovery', recoveryMachine],
];

describe('a graph of a machine', () => {
  it('holds always, done, error, delayed, nested, final and targetless transitions', () => {
    const worker = createMachine({ id: 'worker' });
    const machine = setup({
      actors: { worker },
      guards: { isKind: (_, params: { kind: string }) => params.kind === 'a', isLate: () => true },
    }).createMachine({
      id: 'sample',
      initial: 'outer',
      on: { ping: { actions: 'count' as never } },
      states: {
        outer: {
          description: 'Holds another.',
          initial: 'inner',
          states: { inner: { on: { leave: '#sample.waiting' } } },
        },
        waiting: {
          invoke: { id: 'job', src: 'worker', onDone: 'judging', onError: 'end' },
          after: { 50: 'judging' },
        },
        judging: {
          always: [
            { guard: { type: 'isKind', params: { kind: 'a' } }, target: 'end' },
            { guard: 'isLate', target: 'waiting' },
            { target: 'outer' },
          ],
        },
        end: { type: 'final' },
      },
    });
    const { states, edges } = graphOf(machine);
    expect(
      states.map(({ path, kind, initial }) => `${path} ${kind}${initial ? ' *' : ''}`),
    ).toEqual([
      'outer compound *',
      'outer.inner atomic *',
      'waiting atomic',
      'judging atomic',
      'end final',
    ]);
    expect(states[0]?.description).toBe('Holds another.');
    expect(states[2]?.invokes).toEqual(['worker']);
    expect(edges.map(edgeKey)).toEqual([
      '(root) --ping--> (stays)',
      'outer.inner --leave--> waiting',
      'waiting --job.done--> judging',
      'waiting --job.error--> end',
      'waiting --after 50--> judging',
      'judging --always [isKind(a)]--> end',
      'judging --always [isLate]--> waiting',
      'judging --always--> outer',
    ]);
    expect(edges[0]?.actions).toEqual(['count']);
  });

  it.each(machines)('has every state and every transition of the %s machine', (_, machine) => {
    const { states, edges } = graphOf(machine);
    const configured = countOf(machine.config as Configuration);
    expect(states.length).toBe(configured.states);
    expect(edges.length).toBe(configured.transitions);
    expect(new Set(edges.map(edgeKey)).size).toBe(edges.length);
  });
});

describe('the machines of this package', () => {
  it.each(machines)('%s: says what each state is about', (_, machine) => {
    const bare = graphOf(machine).states.filter(({ description }) => description === undefined);
    expect(bare.map(({ path }) => path)).toEqual([]);
  });

  // Guard mode asks its store, which answers for the disk.
  const asking = machines.filter(([name]) => name !== 'guard');

  it.each(asking)('%s: answers the failure of every operation that it asks for', (_, machine) => {
    const { edges } = graphOf(machine);
    const moves = edges.filter(({ target }) => target !== undefined);
    const asked = moves.filter(({ event }) => /^[a-z]+[A-Z]\w*\.done$/.test(event));
    const unanswered = asked.filter(({ source, event }) => {
      const failed = event.replace(/done$/, 'failed');
      return !moves.some((edge) => edge.source === source && edge.event === failed);
    });
    expect(asked.length).toBeGreaterThan(4);
    expect(unanswered.map(edgeKey)).toEqual([]);
  });

  it.each(machines)('%s: can enter every state', (_, machine) => {
    const { states, edges } = graphOf(machine);
    const entered = new Set(edges.map(({ target }) => target));
    const lost = states.filter(({ path, initial }) => !initial && !entered.has(path));
    expect(lost.map(({ path }) => path)).toEqual([]);
  });
});

describe('a diagram', () => {
  const diagrams = machineDiagrams();

  it.each(diagrams)('of $name draws every transition that leads somewhere', ({ name, arrows }) => {
    const machine = machines.find(([id]) => id === name)?.[1] ?? checkpointMachine;
    const moves = graphOf(machine).edges.filter(({ target }) => target !== undefined);
    expect(arrows.flatMap(({ labels }) => labels).length).toBe(moves.length);
  });

  it('shows the six steps in their order, and failures apart from them', () => {
    const write = diagrams.find(({ name }) => name === 'write');
    const steps = (write?.states ?? []).filter(({ role }) => role === 'step');
    expect(steps.map(({ name, step }) => `${step} ${name}`)).toEqual([
      '1 writingIntent',
      '2 writingData',
      '3 syncingWal',
      '4 writingCheckpoint',
      '5 syncingCheckpoint',
      '6 deletingWal',
    ]);
    const arrows = write?.arrows ?? [];
    const main = arrows.filter(({ role }) => role === 'main');
    expect(main.map(({ target }) => target)).toEqual([
      ...steps.slice(1).map(({ name }) => name),
      'committed',
    ]);
    const failed = arrows.filter(({ labels }) => labels.some((label) => label.includes('.failed')));
    expect(failed.every(({ role }) => role === 'failure')).toBe(true);
  });

  it('keeps quotes, line breaks and markup of a description from ending its text', () => {
    const [base] = diagrams;
    const state = base?.states[0];
    if (base === undefined || state === undefined) throw new Error('no diagram');
    const description = 'a "b" <c> & d: e;\nf';
    const odd = { ...base, states: [{ ...state, description }], arrows: [] };
    expect(toDot(odd)).toContain('a &quot;b&quot; &lt;c&gt; &amp; d: e; f');
    expect(toDot(odd)).toContain('tooltip="a \\"b\\" <c> & d: e;\\nf"');
    expect(toMermaid(odd)).toContain(`<br/>a 'b' &lt;c&gt; &amp; d – e, f"`);
  });

  it.each(diagrams)('as Mermaid text is generated from the machine: $name', (diagram) => {
    expectGenerated(`docs/diagrams/${diagram.name}.mmd`, toMermaid(diagram));
  });

  it.each(diagrams)('as a picture is generated from the machine: $name', async (diagram) => {
    expectGenerated(`docs/diagrams/${diagram.name}.svg`, await renderSvg(toDot(diagram)));
  });
});

interface Configuration {
  readonly states?: Readonly<Record<string, Configuration>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly on?: Readonly<Record<string, unknown>>;
  readonly always?: unknown;
  readonly invoke?: { readonly onDone?: unknown; readonly onError?: unknown };
}

/** States and transitions as they were written down. */
function countOf(node: Configuration): { states: number; transitions: number } {
  const own = [...Object.values(node.on ?? {}), ...Object.values(node.after ?? {}), node.always];
  const all = [...own, node.invoke?.onDone, node.invoke?.onError];
  const written = all.flatMap((value) => (value === undefined ? [] : value));
  const inside = Object.values(node.states ?? {}).map(countOf);
  return {
    states: inside.reduce((sum, { states }) => sum + states + 1, 0),
    transitions: inside.reduce((sum, { transitions }) => sum + transitions, written.length),
  };
}
