/**
 * What the `io` actor is told and answers: types only, shared by the machines and the actor. A machine
 * sends one `io.requested` on entering a state and leaves it on `<operation>.done` or
 * `<operation>.failed`; each request carries a number that is unique in its machine, and an answer with
 * another number is stale and ignored. What an embedding machine asks of the root machine
 * (`checkpoint.*`) is passed on to this actor, which has the content; `docs/embedding.md`.
 */
import type { ActorLogic, AnyActorRef, EventObject, Snapshot } from 'xstate';
import type { DetectorSettings } from '../format/health-format.js';
import type { YamlPath } from '../format/yaml/yaml-path.js';
import type {
  CheckpointIo,
  CheckpointSelector,
  IoFailure,
  IoOperations,
  OperationName,
} from './checkpoint-io.js';

/** The request for one operation, as the `io` actor receives it. */
export type IoRequest = {
  [Name in OperationName]: {
    readonly type: 'io.requested';
    readonly operation: Name;
    readonly input: IoOperations[Name]['input'];
    readonly id: number;
    readonly replyTo: AnyActorRef;
  };
}[OperationName];

/** The answer to operations `Names`: done with an output, or failed. */
export type IoReply<Names extends OperationName> = {
  [Name in Names]:
    | {
        readonly type: `${Name}.done`;
        readonly id: number;
        readonly output: IoOperations[Name]['output'];
      }
    | { readonly type: `${Name}.failed`; readonly id: number; readonly failure: IoFailure };
}[Names];

/** What every event to an embedded store may carry. */
export interface RequestAddress {
  /** Comes back in the answers: tells apart what was asked for. */
  readonly id?: string | number | undefined;
  /** Who is answered; the parent of the checkpoint actor if absent. */
  readonly replyTo?: AnyActorRef | undefined;
}

/** What every event that saves may carry; see {@link SaveOptions}. */
export interface SaveRequestOptions extends RequestAddress {
  /** A short name for this checkpoint. */
  readonly label?: string | undefined;
  /** Keeps it in history for good; needs a label. */
  readonly pinned?: boolean | undefined;
  /** Paths of the files that belong to it. */
  readonly artifacts?: readonly string[] | undefined;
  /** After which step it is answered; what the store says by default. */
  readonly durability?: 'logged' | 'committed' | undefined;
}

/**
 * What a machine that embeds a store sends to its checkpoint actor. The answers are
 * {@link CheckpointNotice}s. A state is cloned when the event is handled.
 */
export type CheckpointRequest<State = unknown> =
  | ({ readonly type: 'checkpoint.save'; readonly state: State } & SaveRequestOptions)
  | ({ readonly type: 'checkpoint.saveText'; readonly text: string } & SaveRequestOptions)
  | ({
      readonly type: 'checkpoint.set';
      readonly path: string | YamlPath;
      readonly value: unknown;
    } & SaveRequestOptions)
  | ({
      readonly type: 'checkpoint.delete';
      readonly path: string | YamlPath;
    } & SaveRequestOptions)
  | ({ readonly type: 'checkpoint.update' } & UpdateRecipe<State> & SaveRequestOptions)
  | ({
      readonly type: 'checkpoint.restore';
      readonly target:
        | CheckpointSelector
        | (Exclude<CheckpointSelector, string> & {
            readonly allowMissingArtifacts?: boolean | undefined;
          });
    } & RequestAddress)
  | ({ readonly type: 'checkpoint.check' } & RequestAddress)
  | ({ readonly type: 'checkpoint.flush' } & RequestAddress)
  | ({ readonly type: 'checkpoint.reportFailure'; readonly error: unknown } & RequestAddress)
  | ({ readonly type: 'checkpoint.markHealthy' } & RequestAddress)
  | { readonly type: 'checkpoint.heartbeat' }
  | ({ readonly type: 'checkpoint.close' } & RequestAddress);

/** How the next state comes from the newest one. */
export interface UpdateRecipe<State> {
  /** Changes its private copy of the state, or returns a new one; pure and synchronous. */
  recipe(draft: State): unknown;
}

/** What an embedded store has to tell somebody, on its way through the root machine. */
export interface NoticeDue {
  /** Its type as an event. */
  readonly type: 'notice.due';
  /** Comes back to the `io` actor in `notice.passed`. */
  readonly id: number;
  /** Who is told. */
  readonly to: AnyActorRef;
  /** What that one is told. */
  readonly notice: EventObject;
}

/** What the `io` actor is told. */
export type IoEvent =
  | IoRequest
  | CheckpointRequest
  | { readonly type: 'notice.passed'; readonly id: number };

/** Policies that come with the content, so that they are given once. */
export interface IoPolicies {
  /** What to do about edits made outside of the store. */
  readonly externalEdits?: 'adopt' | 'reject' | 'restore' | undefined;
  /** How often a failed sync is answered with a fresh file before the store halts. */
  readonly syncRetryLimit?: number | undefined;
  /** The failure detector's settings; there is no detector if absent. */
  readonly restore?: DetectorSettings | undefined;
  /** When logged saves are published; each at once if absent. */
  readonly publish?:
    | { readonly afterMs: number; readonly afterBytes: number; readonly afterSaves: number }
    | undefined;
}

/** The snapshot of the `io` actor. */
export type IoSnapshot = Snapshot<undefined> & {
  /** See {@link IoBehaviour.policies}. */
  readonly policies?: IoPolicies | undefined;
};

/** What one `io` actor does with what it is told. */
export interface IoBehaviour {
  /** Those that the root machine takes over. */
  readonly policies?: IoPolicies | undefined;
  /** The actor has been started. */
  start?(): void;
  /** Takes what the actor is told. */
  receive(event: IoEvent): void;
  /** The machine has ended, or was stopped. */
  stop?(): void;
}

/** What the root machine's `io` actor is made of: a port, or logic that makes one. */
export type IoInput = CheckpointIo | CheckpointIoLogic | undefined;

/**
 * Logic of the root machine's `io` actor: what `fileCheckpointIo()` and `createIoActor()` return. It can
 * be given as `input.io`, or provided as the actor `io`; each actor that is made of it is a store of
 * its own.
 */
export interface CheckpointIoLogic extends ActorLogic<IoSnapshot, IoEvent, IoInput> {
  /** Makes what one actor does. */
  readonly begin: (self: AnyActorRef, input: IoInput) => IoBehaviour;
}
