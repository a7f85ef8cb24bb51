/**
 * Whether a snapshot that was saved fits the machine that is to go on from it. XState drops children
 * without logic in silence, and takes any value for a state: here both are told.
 */
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { CheckpointError } from '../errors.js';
import { isMachine } from './rebuild-machine.js';

interface PersistedActor {
  readonly value?: unknown;
  readonly children?: Readonly<
    Record<string, { readonly src?: unknown; readonly snapshot: object }>
  >;
  readonly durable?: {
    readonly outbox?: readonly { readonly kind: string; readonly type?: string }[];
  };
}

/**
 * Checks a persisted snapshot against a machine, children included.
 * @throws CheckpointError `CHILD_LOGIC_MISSING`, `SNAPSHOT_INVALID`
 */
export function checkSnapshot(logic: AnyActorLogic, persisted: object, where = ''): void {
  if (!isMachine(logic)) return;
  const { value, children = {}, durable } = persisted as PersistedActor;
  checkStates(logic, value, where);
  for (const { kind, type } of durable?.outbox ?? []) {
    if (kind === 'action' && type !== undefined && !(type in logic.implementations.actions)) {
      throw new CheckpointError(
        'CHILD_LOGIC_MISSING',
        `The action '${type}' is still to be done, and the machine '${logic.id}' has no such action any more. Give it back, or raise the version and migrate.`,
        { path: where, action: type },
      );
    }
  }
  for (const [id, child] of Object.entries(children)) {
    const path = where === '' ? id : `${where}.${id}`;
    const found = typeof child.src === 'string' ? findLogic(logic, child.src) : undefined;
    if (found === undefined) throw missingLogic(logic, path, child.src);
    checkSnapshot(found, child.snapshot, path);
  }
}

/**
 * Checks that every child can be found again by name, before a snapshot is saved.
 * @throws CheckpointError `CHILD_LOGIC_MISSING`
 */
export function checkChildren(
  machine: string,
  children: Readonly<Record<string, { readonly src?: unknown } | undefined>>,
): void {
  for (const [id, child] of Object.entries(children)) {
    if (typeof child?.src === 'string') continue;
    throw new CheckpointError(
      'CHILD_LOGIC_MISSING',
      child === undefined
        ? `The machine '${machine}' has no logic for its child '${id}'. Give it one in setup({ actors }) or by provide().`
        : `The child '${id}' of '${machine}' was spawned from logic without a name: the next run could not find it again. Name it in setup({ actors }) and spawn it by that name.`,
      { path: id },
    );
  }
}

function missingLogic(machine: AnyStateMachine, path: string, src: unknown): CheckpointError {
  return new CheckpointError(
    'CHILD_LOGIC_MISSING',
    `The saved child '${path}' runs ${typeof src === 'string' ? `'${src}'` : 'logic without a name'}, and the machine '${machine.id}' has no such actor. Give it back, or raise the version and migrate.`,
    { path, ...(typeof src === 'string' && { src }) },
  );
}

/** Logic by its name, or by the place of the `invoke` that it stands in. */
function findLogic(machine: AnyStateMachine, src: string): AnyActorLogic | undefined {
  const inline = /^xstate\.invoke\.(\d+)\.(.*)$/s.exec(src);
  if (inline === null) return machine.implementations.actors[src] as AnyActorLogic | undefined;
  const [, index = '0', node = ''] = inline;
  try {
    const { invoke } = machine.getStateNodeById(node).config;
    const one: unknown = Array.isArray(invoke) ? invoke[Number(index)] : invoke;
    const logic = (one as { readonly src?: unknown } | undefined)?.src;
    return typeof logic === 'object' ? (logic as AnyActorLogic) : undefined;
  } catch {
    return undefined;
  }
}

function checkStates(machine: AnyStateMachine, value: unknown, where: string): void {
  const unknown = unknownState(machine.root as unknown as StateNodeLike, value);
  if (unknown === undefined) return;
  throw new CheckpointError(
    'SNAPSHOT_INVALID',
    `The saved state '${unknown}' does not exist in the machine '${machine.id}'. Give it back, or raise the version and migrate.`,
    { path: where === '' ? 'value' : `${where}.value`, state: unknown },
  );
}

interface StateNodeLike {
  readonly id: string;
  readonly states: Readonly<Record<string, StateNodeLike>>;
}

function unknownState(node: StateNodeLike, value: unknown): string | undefined {
  if (typeof value === 'string') {
    return node.states[value] === undefined ? `${node.id}.${value}` : undefined;
  }
  if (typeof value !== 'object' || value === null) return value === undefined ? undefined : node.id;
  for (const [key, inner] of Object.entries(value)) {
    const state = node.states[key];
    const found = state === undefined ? `${node.id}.${key}` : unknownState(state, inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
