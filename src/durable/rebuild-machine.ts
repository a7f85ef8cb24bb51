/**
 * A machine with other logic for its actors: those that it names, and those that stand inline in an
 * `invoke`. States, guards and actions stay what they are.
 */
import { type AnyActorLogic, type AnyStateMachine, createMachine } from 'xstate';

/** What is put in the place of an actor's logic. */
export type ReplaceLogic = (logic: AnyActorLogic, name: string) => AnyActorLogic;

interface StateConfig {
  readonly invoke?: unknown;
  readonly states?: Readonly<Record<string, StateConfig>>;
}

/** Whether logic is that of a statechart. */
export function isMachine(logic: AnyActorLogic): logic is AnyStateMachine {
  return 'implementations' in logic && 'root' in logic && 'provide' in logic;
}

/** See the head of this file. The machine that is given is not changed. */
export function rebuildMachine(machine: AnyStateMachine, replace: ReplaceLogic): AnyStateMachine {
  const { actors, ...implementations } = machine.implementations;
  const replaced = Object.entries(actors).map(([name, logic]) => [
    name,
    isLogic(logic) ? replace(logic, name) : logic,
  ]);
  const config = replaceInline(machine.config as StateConfig, replace);
  return createMachine(config as Parameters<typeof createMachine>[0]).provide({
    ...implementations,
    actors: Object.fromEntries(replaced),
  });
}

function replaceInline(config: StateConfig, replace: ReplaceLogic): StateConfig {
  const { invoke, states } = config;
  return {
    ...config,
    ...(invoke !== undefined && {
      invoke: Array.isArray(invoke)
        ? invoke.map((one) => replaceSource(one, replace))
        : replaceSource(invoke, replace),
    }),
    ...(states && {
      states: Object.fromEntries(
        Object.entries(states).map(([key, state]) => [key, replaceInline(state, replace)]),
      ),
    }),
  };
}

function replaceSource(invoke: unknown, replace: ReplaceLogic): unknown {
  if (typeof invoke !== 'object' || invoke === null || !('src' in invoke)) return invoke;
  const { src } = invoke;
  const name = 'id' in invoke && typeof invoke.id === 'string' ? invoke.id : 'invoke';
  return isLogic(src) ? { ...invoke, src: replace(src, name) } : invoke;
}

function isLogic(value: unknown): value is AnyActorLogic {
  return (
    typeof value === 'object' &&
    value !== null &&
    'transition' in value &&
    'getInitialSnapshot' in value
  );
}
