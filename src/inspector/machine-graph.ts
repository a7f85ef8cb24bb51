/**
 * A statechart as a plain graph: every state, every transition, read from the machine itself, so that
 * diagrams and coverage can't drift from what runs. XState's own graph leaves out `always`; this
 * walks the state nodes. Pure; runs no machine. What is drawn of it: `machine-diagrams.ts`.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** One state. */
export interface GraphState {
  /** Keys from the root, joined by dots: unique in its machine. */
  readonly path: string;
  /** The last key of the path. */
  readonly name: string;
  /** Path of the enclosing state; the empty string at the top. */
  readonly parent: string;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** Whether its parent starts in it. */
  readonly initial: boolean;
  readonly description: string | undefined;
  /** Machines that run while it is active, by the name of their logic. */
  readonly invokes: readonly string[];
}

/** One transition. Transitions of one state on one event are tried in the order in which they stand. */
export interface GraphEdge {
  /** Path of the state that it leaves; the empty string for the root's own. */
  readonly source: string;
  /** Path of the state that it enters; absent where it only runs actions. */
  readonly target: string | undefined;
  /** As it is shown: `syncWal.done`, `write.done` for an invoked machine, `always`. */
  readonly event: string;
  /** The guard's name, with its constant parameters: `hasDecided(apply)`. */
  readonly guard: string | undefined;
  readonly actions: readonly string[];
  /** XState's own object for it, by which a running machine names what it takes. */
  readonly transition: object;
}

/** A machine's states and transitions, in document order. */
export interface MachineGraph {
  readonly id: string;
  readonly description: string | undefined;
  readonly states: readonly GraphState[];
  readonly edges: readonly GraphEdge[];
}

/** Reads the graph of a machine. */
export function graphOf(machine: AnyStateMachine): MachineGraph {
  const nodes = [...descendants(machine.root)];
  return {
    id: machine.id,
    description: machine.root.description,
    states: nodes.map(stateOf),
    edges: [machine.root, ...nodes].flatMap(edgesOf),
  };
}

/** A name for a transition that stays the same while the machine does: for counting what was taken. */
export function edgeKey({ source, event, guard, target }: GraphEdge): string {
  const condition = guard === undefined ? '' : ` [${guard}]`;
  return `${source || '(root)'} --${event}${condition}--> ${target ?? '(stays)'}`;
}

function* descendants(node: AnyStateNode): Generator<AnyStateNode> {
  const children: AnyStateNode[] = Object.values(node.states);
  for (const child of children) {
    yield child;
    yield* descendants(child);
  }
}

const pathOf = (node: AnyStateNode): string => node.path.join('.');

function stateOf(node: AnyStateNode): GraphState {
  const { parent } = node;
  const starts: readonly AnyStateNode[] =
    parent?.type === 'compound' ? parent.initial.target : [node];
  return {
    path: pathOf(node),
    name: node.key,
    parent: parent === undefined ? '' : pathOf(parent),
    kind: node.type,
    initial: starts.includes(node),
    description: node.description,
    invokes: node.invoke.map(({ src }) => (typeof src === 'string' ? src : '(inline)')),
  };
}

interface Transition {
  readonly target: readonly AnyStateNode[] | undefined;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

function edgesOf(node: AnyStateNode): GraphEdge[] {
  const groups: [string, readonly Transition[]][] = [...node.transitions.entries()];
  if (node.always !== undefined) groups.push(['', node.always]);
  return groups.flatMap(([descriptor, transitions]) =>
    transitions.flatMap((transition) => {
      const { guard, actions, target: entered } = transition;
      const targets = entered ?? [undefined];
      return targets.map((target) => ({
        source: pathOf(node),
        target: target && pathOf(target),
        event: nameOfEvent(descriptor),
        guard: guard === undefined ? undefined : nameOf(guard),
        actions: actions.map(nameOf),
        transition,
      }));
    }),
  );
}

/** XState's own events by the names that its users write. */
function nameOfEvent(descriptor: string): string {
  const actor = /^xstate\.(done|error)\.actor\.(.+)$/.exec(descriptor);
  if (actor) return `${actor[2]}.${actor[1]}`;
  const state = /^xstate\.done\.state\.(.+)$/.exec(descriptor);
  if (state) return `${state[1]} is final`;
  const delay = /^xstate\.after\.([^.]+)\./.exec(descriptor);
  if (delay) return `after ${delay[1]}`;
  return descriptor === '' ? 'always' : descriptor;
}

/** The name of an action or a guard; constant parameters in parentheses, computed ones left out. */
function nameOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'function') return value.name || '(inline)';
  if (typeof value !== 'object' || value === null || !('type' in value)) return '(inline)';
  const params = 'params' in value ? value.params : undefined;
  if (typeof params !== 'object' || params === null) return String(value.type);
  return `${String(value.type)}(${Object.values(params).join(', ')})`;
}
