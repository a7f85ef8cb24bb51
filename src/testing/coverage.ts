/**
 * Which transitions of the machines a lab run has crashed at, measured against the transitions that
 * the statecharts have.
 */
import type { AnyStateMachine, InspectionEvent } from 'xstate';
import { edgeKey, graphOf } from '../inspector/machine-graph.js';

/** One row of the table: a transition and how many crash images were taken right after it. */
export interface CoverageRow {
  /** Id of the machine. */
  readonly machine: string;
  /** The rest of what {@link Coverage.keysOf} calls it. */
  readonly transition: string;
  /** How often the run was cut off there. */
  readonly crashes: number;
}

type Microstep = Extract<InspectionEvent, { type: '@xstate.microstep' }>;

/** Counts by transition. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  /** The transitions that one microstep took, as `machine: transition`. */
  static keysOf(event: Microstep): string[] {
    const { _transitions: transitions } = event;
    return transitions.flatMap((transition) => {
      const source = transition.source;
      const machine = source.machine.id;
      const graph = graphCache(source.machine);
      const index = graph.get(transition);
      return index === undefined ? [] : [`${machine}: ${index}`];
    });
  }

  /** Machine and state that a microstep has entered. */
  static stateOf(event: Microstep): string | undefined {
    const snapshot = event.snapshot as { value?: unknown; machine?: { id: string } };
    if (snapshot.value === undefined) return undefined;
    return `${snapshot.machine?.id ?? ''}: ${JSON.stringify(snapshot.value)}`;
  }

  /** Counts one crash image at each of these transitions. */
  count(transitions: readonly string[]): void {
    for (const key of transitions) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Adds the counts of another run. */
  add(other: Coverage): void {
    for (const [key, count] of other.#counts) {
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
    }
  }

  /** Every transition of these machines, in document order. */
  table(machines: readonly AnyStateMachine[]): CoverageRow[] {
    return machines.flatMap((machine) =>
      graphOf(machine).edges.map((edge) => {
        const transition = edgeKey(edge);
        const crashes = this.#counts.get(`${machine.id}: ${transition}`) ?? 0;
        return { machine: machine.id, transition, crashes };
      }),
    );
  }
}

const graphs = new WeakMap<object, Map<object, string>>();

/** Names of a machine's transition objects, built once. */
function graphCache(machine: AnyStateMachine): Map<object, string> {
  let names = graphs.get(machine);
  if (names === undefined) {
    names = new Map();
    for (const edge of graphOf(machine).edges) names.set(edge.transition, edgeKey(edge));
    graphs.set(machine, names);
  }
  return names;
}
