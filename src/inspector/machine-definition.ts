/**
 * A machine as data: its configuration as XState takes it, with everything left out that only code can
 * say. What `createMachine` makes of it has the same states, transitions, guards and actions, by name.
 * Pure; runs no machine.
 */
import type { AnyStateMachine } from 'xstate';
import { graphOf } from './machine-graph.js';

/** Plain data, as JSON holds it. */
export type Plain = null | boolean | number | string | readonly Plain[] | PlainObject;

/** An object of {@link Plain} members. */
export interface PlainObject {
  readonly [name: string]: Plain;
}

/** What one needs to know of a machine before opening it. */
export interface MachineSummary {
  readonly id: string;
  readonly description?: string;
  /** How many there are, nested ones included. */
  readonly states: number;
  readonly transitions: number;
  /** Events that it takes, by the names that diagrams use; each once, in document order. */
  readonly events: readonly string[];
  readonly guards: readonly string[];
  /** Actions of transitions. */
  readonly actions: readonly string[];
  /** Actors that its states invoke, by the names of their logic. */
  readonly invokes: readonly string[];
}

/**
 * The configuration of a machine without functions: context, input and computed parameters stay out,
 * names of guards, actions, actors and delays stay in.
 */
export function definitionOf(machine: AnyStateMachine): PlainObject {
  return plainObject(machine.config);
}

/** Counts and names. */
export function summaryOf(machine: AnyStateMachine): MachineSummary {
  const { id, description, states, edges } = graphOf(machine);
  const unique = (names: readonly (string | undefined)[]) => [
    ...new Set(names.filter((name) => name !== undefined)),
  ];
  return {
    id,
    ...(description !== undefined && { description }),
    states: states.length,
    transitions: edges.length,
    events: unique(edges.map(({ event }) => event).filter((event) => event !== 'always')),
    guards: unique(edges.map(({ guard }) => guard)),
    actions: unique(edges.flatMap(({ actions }) => actions)),
    invokes: unique(states.flatMap(({ invokes }) => invokes)),
  };
}

function plainOf(value: unknown): Plain | undefined {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value)) return value.map(plainOf).filter((item) => item !== undefined);
  return typeof value === 'object' ? plainObject(value) : undefined;
}

function plainObject(value: object): PlainObject {
  const members = Object.entries(value).map(([name, member]) => [name, plainOf(member)] as const);
  return Object.fromEntries(
    members.filter((pair): pair is [string, Plain] => pair[1] !== undefined),
  );
}
