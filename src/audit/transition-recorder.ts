/**
 * Turns what XState tells an inspector into facts for the audit: one for each transition of each
 * machine. Takes them at the microstep, which comes before the actions of the transition, and so before
 * the target state asks for I/O. Never throws, and never touches an actor: doing so inside of an
 * inspector would wedge the machine's mailbox.
 */
import type { InspectionEvent } from 'xstate';
import type { AuditFacts } from '../format/audit-entry.js';
import { type Disclosure, describeEvent } from './transition-details.js';

/** What the recorder needs to know of the world. */
export interface TransitionRecorderOptions extends Disclosure {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Microseconds since the run began. */
  readonly elapsedUs: () => number;
  /** `<pid>@<host>` */
  readonly process: string;
  /** The writer's epoch, as far as it is known. */
  readonly epoch: () => number;
  /**
   * Told each transition, as a function that makes its facts: what was true at the transition is kept
   * already, what is expensive is left until somebody has the time.
   */
  readonly take: (facts: () => AuditFacts) => void;
}

type Microstep = Extract<InspectionEvent, { type: '@xstate.microstep' }>;

interface MachineSnapshot {
  readonly value: unknown;
  readonly context: Readonly<Record<string, unknown>>;
}

/** The widest a time can be in ISO 8601 with four digits of the year. */
const TIME_MAX = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** An inspector for a root actor. */
export function createTransitionRecorder(
  options: TransitionRecorderOptions,
): (event: InspectionEvent) => void {
  const states = new WeakMap<object, string[]>();
  const senders = new WeakMap<object, string>();
  /** Events whose facts were told: of the transitions that follow from one event, the first tells them. */
  const told = new WeakSet<object>();

  const record = (
    { actorRef, event }: { readonly actorRef: object; readonly event: object },
    machine: string,
    snapshot: MachineSnapshot,
    guards: readonly string[],
  ) => {
    const before = states.get(actorRef) ?? [];
    const after = leavesOf(snapshot.value);
    states.set(actorRef, after);
    const by = senders.get(event) ?? (isReply(event) ? 'io' : '');
    const [ms, elapsedUs] = [options.now(), options.elapsedUs()];
    const [sequence, epoch] = [sequenceOf(snapshot), options.epoch()];
    const isTold = told.has(event);
    told.add(event);
    options.take(() => ({
      time: isoTime(ms),
      elapsedUs: Math.max(0, Math.round(elapsedUs)),
      machine,
      ...changeOf(before, after),
      event: 'type' in event && typeof event.type === 'string' ? event.type : '',
      by,
      sequence,
      epoch,
      process: options.process,
      details: {
        ...(isTold ? {} : describeEvent(event, options)),
        ...(guards.length > 0 && { guard: guards.join(', ') }),
      },
    }));
  };

  return (inspected) => {
    if (inspected.type === '@xstate.event') {
      const { event, sourceRef, actorRef } = inspected;
      if (sourceRef !== undefined) senders.set(event, idOf(sourceRef));
      if (event.type !== 'xstate.init') return;
      const machine = machineOf(actorRef);
      if (machine === undefined || !('getSnapshot' in actorRef)) return;
      const snapshot: unknown = actorRef.getSnapshot();
      if (isMachineSnapshot(snapshot)) {
        record({ actorRef, event: { type: event.type } }, machine, snapshot, []);
      }
      return;
    }
    if (inspected.type !== '@xstate.microstep' || inspected._transitions.length === 0) return;
    const { actorRef, event, snapshot } = inspected;
    const machine = machineOf(actorRef);
    if (machine === undefined || !isMachineSnapshot(snapshot)) return;
    record({ actorRef, event }, machine, snapshot, guardsOf(inspected));
  };
}

/** The id of a machine's logic; `undefined` for actors of other kinds, as the one that does I/O. */
function machineOf(actor: unknown): string | undefined {
  const logic = (actor as { readonly logic?: unknown }).logic;
  if (typeof logic !== 'object' || logic === null) return undefined;
  return 'root' in logic && 'id' in logic && typeof logic.id === 'string' ? logic.id : undefined;
}

/** The name of an actor: of a machine the machine's, as ids of roots are made up by the system. */
function idOf(actor: object): string {
  return machineOf(actor) ?? ('id' in actor && typeof actor.id === 'string' ? actor.id : '');
}

/** Whether an event answers an operation: the actor that does I/O answers without naming itself. */
function isReply(event: object): boolean {
  const { type, id } = event as { readonly type?: unknown; readonly id?: unknown };
  return typeof id === 'number' && typeof type === 'string' && /\.(done|failed)$/.test(type);
}

function isMachineSnapshot(snapshot: unknown): snapshot is MachineSnapshot {
  return (
    typeof snapshot === 'object' &&
    snapshot !== null &&
    'value' in snapshot &&
    'context' in snapshot
  );
}

/** The innermost active states, as paths: `saving`, or `memory.idle` and `uptime.counting`. */
export function leavesOf(value: unknown, above: readonly string[] = []): string[] {
  if (typeof value === 'string') return [[...above, value].join('.')];
  if (typeof value !== 'object' || value === null) return [];
  const entries = Object.entries(value);
  if (entries.length === 0) return [above.join('.')];
  return entries.flatMap(([name, inner]) => leavesOf(inner, [...above, name]));
}

/** What differs; of machines with parallel states, only the regions that moved. */
function changeOf(before: readonly string[], after: readonly string[]) {
  const left = before.filter((path) => !after.includes(path));
  const entered = after.filter((path) => !before.includes(path));
  if (left.length === 0 && entered.length === 0) {
    const stays = after.join(', ');
    return { from: stays, to: stays };
  }
  return { from: left.join(', '), to: entered.join(', ') };
}

function sequenceOf({ value, context }: MachineSnapshot): number {
  const { sequence, highestSequence } = context;
  // A round works on the next number, which is not that of the current checkpoint yet.
  const named = value === 'saving' ? highestSequence : sequence;
  return Number.isSafeInteger(named) && (named as number) >= 0 ? (named as number) : 0;
}

function guardsOf({ _transitions: transitions }: Microstep): string[] {
  return transitions.flatMap(({ guard }) => {
    if (typeof guard === 'string') return [guard];
    return isNamed(guard) ? [guard.type] : [];
  });
}

function isNamed(guard: unknown): guard is { readonly type: string } {
  return (
    typeof guard === 'object' && guard !== null && 'type' in guard && typeof guard.type === 'string'
  );
}

/** The time that was written last: most entries of a round have the same. */
let lastTime = { ms: 0, text: new Date(0).toISOString() };

/** A time as entries hold it, whatever a clock says. */
export function isoTime(ms: number): string {
  const inRange = Number.isFinite(ms) ? Math.min(Math.max(Math.floor(ms), 0), TIME_MAX) : 0;
  if (lastTime.ms !== inRange) lastTime = { ms: inRange, text: new Date(inRange).toISOString() };
  return lastTime.text;
}
