/**
 * Which machines have a diagram, and what is said and left out in it: the one place where a drawing
 * knows more than the machine does. The renderers know none of these names.
 */
import type { AnyStateMachine } from 'xstate';
import { checkpointMachine } from '../machines/checkpoint-machine.js';
import { failureDetectorMachine } from '../machines/failure-detector-machine.js';
import { guardMachine } from '../machines/guard-machine.js';
import { recoveryMachine } from '../machines/recovery-machine.js';
import { writeMachine } from '../machines/write-machine.js';
import { type GraphEdge, type GraphState, graphOf } from './machine-graph.js';

/** How a state is shown. */
type StateRole = 'step' | 'ordinary' | 'success' | 'failure';

/** A state in a diagram. */
export interface DiagramState extends GraphState {
  readonly role: StateRole;
  /** The number of the protocol's step, from 1, for the six of them. */
  readonly step: number | undefined;
}

/** All transitions from one state to another, as one arrow. */
export interface DiagramArrow {
  readonly source: string;
  readonly target: string;
  /** One for each transition: `syncWal.failed [isSyncFailure]`, then `or [mustNotTakeBack]`. */
  readonly labels: readonly string[];
  readonly role: 'main' | 'ordinary' | 'failure';
}

/** What a renderer draws. */
export interface Diagram {
  /** The id of its machine; also the name of its files. */
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly title: string;
  readonly states: readonly DiagramState[];
  readonly arrows: readonly DiagramArrow[];
  /** Final states that nearly every state can fail into: drawn beside each of them. */
  readonly repeated: readonly string[];
  /** Pairs of states that stand side by side: a step, and at its left what undoes it. */
  readonly beside: readonly (readonly [string, string])[];
}

interface DiagramOptions {
  readonly machine: AnyStateMachine;
  readonly title: string;
  /** The way that all goes well, in order. */
  readonly mainWay: readonly string[];
  /** The states that are steps of the write protocol, in order. */
  readonly steps?: readonly string[];
  /** States that are entered only because something failed. */
  readonly failureStates: readonly string[];
  readonly repeated?: readonly string[];
  readonly beside?: readonly (readonly [string, string])[];
}

/** Guards that only pair a reply with its request: every reply has one, so showing it tells nothing. */
const pairingGuards = new Set(['isCurrent', 'isStale']);

/** Guards that are true only if something failed. */
const failureGuards = new Set(['hasFailed']);

const sixSteps = [
  'writingIntent',
  'writingData',
  'syncingWal',
  'writingCheckpoint',
  'syncingCheckpoint',
  'deletingWal',
];

/** The diagrams of this package: the store, its failure detector, guard mode, a round of the write protocol, recovery. */
export function machineDiagrams(): Diagram[] {
  return [
    diagramOf('checkpoint', {
      machine: checkpointMachine,
      title: 'The life of a store',
      mainWay: [
        'locking',
        'recovering',
        'assessing',
        'ready',
        'checkingForEdits',
        'saving',
        'ready',
      ],
      failureStates: ['halted', 'unlocking', 'refused', 'keepingRefused', 'keepingDamage'],
    }),
    diagramOf('detector', {
      machine: failureDetectorMachine,
      title: 'The failure detector',
      mainWay: [
        'memory.idle',
        'memory.reading',
        'memory.judging',
        'memory.recording',
        'memory.deciding',
        'memory.idle',
      ],
      failureStates: ['memory.stopping'],
    }),
    diagramOf('guard', {
      machine: guardMachine,
      title: 'Guard mode',
      mainWay: [
        'guarding.settling',
        'guarding.looking',
        'guarding.judging',
        'guarding.waiting',
        'guarding.settling',
      ],
      failureStates: ['guarding.rechecking'],
    }),
    diagramOf('write', {
      machine: writeMachine,
      title: 'One save: the six steps of the write protocol',
      mainWay: [...sixSteps, 'committed'],
      steps: sixSteps,
      failureStates: ['droppingWal', 'droppingTemporary', 'abandoning', 'failed', 'halted'],
      repeated: ['halted'],
      beside: [
        ['syncingWal', 'droppingWal'],
        ['syncingCheckpoint', 'droppingTemporary'],
      ],
    }),
    diagramOf('recovery', {
      machine: recoveryMachine,
      title: 'Recovery, at every open',
      mainWay: [
        'checkingWal',
        'checkingCheckpoint',
        'decidingCheckpoint',
        'removingLeftovers',
        'ready',
      ],
      failureStates: ['refused'],
      repeated: ['refused'],
    }),
  ];
}

function diagramOf(name: string, options: DiagramOptions): Diagram {
  const { machine, title, steps = [], failureStates, repeated = [], beside = [] } = options;
  const graph = graphOf(machine);
  const states = graph.states.map((state): DiagramState => {
    const step = steps.indexOf(state.path);
    const role = roleOf(state, step >= 0, failureStates);
    return { ...state, role, step: step < 0 ? undefined : step + 1 };
  });
  const arrows = arrowsOf(graph.edges, options);
  return { name, machine, title, states, arrows, repeated, beside };
}

function roleOf(
  { kind, path }: GraphState,
  isStep: boolean,
  failures: readonly string[],
): StateRole {
  if (isStep) return 'step';
  if (failures.includes(path)) return 'failure';
  return kind === 'final' ? 'success' : 'ordinary';
}

function arrowsOf(edges: readonly GraphEdge[], options: DiagramOptions): DiagramArrow[] {
  const arrows = new Map<string, DiagramArrow>();
  for (const [index, edge] of edges.entries()) {
    if (edge.target === undefined) continue;
    const { source, target } = edge;
    const role = roleOfEdge(edge, options);
    const key = `${source}\n${target}\n${role}`;
    const before = arrows.get(key)?.labels ?? [];
    const label = labelOf(edge, edges.slice(0, index));
    const again = before.length > 0 && label.startsWith(`${edge.event} [`);
    const short = again ? label.replace(`${edge.event} `, 'or ') : label;
    arrows.set(key, { source, target, labels: [...before, short], role });
  }
  return [...arrows.values()];
}

function roleOfEdge(
  edge: GraphEdge,
  { mainWay, failureStates }: DiagramOptions,
): DiagramArrow['role'] {
  const failed = /\.(failed|error)$/.test(edge.event) || failureGuards.has(edge.guard ?? '');
  if (failed || failureStates.includes(edge.target ?? '')) return 'failure';
  const isMain = mainWay.some(
    (path, index) => path === edge.source && mainWay[index + 1] === edge.target,
  );
  return isMain ? 'main' : 'ordinary';
}

function labelOf(edge: GraphEdge, earlier: readonly GraphEdge[]): string {
  const { event } = edge;
  const named = conditionOf(edge);
  const isLast = earlier.some(
    (other) =>
      other.source === edge.source && other.event === event && conditionOf(other) !== undefined,
  );
  const condition = named ?? (isLast ? 'else' : undefined);
  if (event === 'always') return condition === undefined ? '' : `[${condition}]`;
  return condition === undefined ? event : `${event} [${condition}]`;
}

function conditionOf({ guard }: GraphEdge): string | undefined {
  return guard === undefined || pairingGuards.has(guard) ? undefined : guard;
}
