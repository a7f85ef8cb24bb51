/**
 * What is handed to the user's inspector: nothing that a file or a state holds, in a form that any tool
 * can serialise, without touching what the machines work with.
 */
import { describe, expect, it } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { CheckpointError } from '../../../src/errors.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { createRedaction } from '../../../src/store/redact-inspection.js';
import type { CheckpointStoreOptions } from '../../../src/store/store-options.js';
import { openCheckpointStore } from '../../../src/store.js';

const redacting = createRedaction({ includeMessages: false });
const telling = createRedaction({ includeMessages: true });

/** An inspection event of an event, as the machines would send it. */
function inspected(event: { type: string; [name: string]: unknown }): InspectionEvent {
  const actorRef = { sessionId: 'x:1', send: () => {} } as unknown as InspectionEvent['actorRef'];
  return { type: '@xstate.event', rootId: 'x:0', sourceRef: undefined, actorRef, event };
}

function eventOf(event: InspectionEvent): Record<string, unknown> {
  if (!('event' in event)) throw new Error('no event');
  return event.event;
}

describe('a redaction', () => {
  it('tells codes, numbers, hashes and names, and of other texts the length', () => {
    const event = {
      type: 'health.changed',
      requestId: 3,
      change: { kind: 'failed', signal: 'reported', message: 'secret' },
      unheardOf: 'secret, too',
      digest: 'ab12',
    };
    expect(eventOf(redacting(inspected(event)))).toEqual({
      type: 'health.changed',
      requestId: 3,
      change: { kind: 'failed', signal: 'reported', message: '(6 characters)' },
      unheardOf: '(11 characters)',
      digest: 'ab12',
    });
    expect(eventOf(telling(inspected(event))).change).toEqual(event.change);
  });

  it('keeps coded errors what they are, without their words, and makes others plain', () => {
    const cause = Object.assign(new Error('secret cause'), { code: 'EIO' });
    const error = new CheckpointError(
      'SYNC_FAILED',
      'secret',
      { file: 'a', why: 'secret' },
      { cause },
    );
    const event = { type: 'x', failure: { error }, other: cause };
    const { failure, other } = eventOf(redacting(inspected(event))) as {
      failure: { error: CheckpointError };
      other: unknown;
    };
    expect(failure.error).toBeInstanceOf(CheckpointError);
    expect(JSON.parse(JSON.stringify(failure.error))).toEqual({
      code: 'SYNC_FAILED',
      message: '(6 characters)',
      file: 'a',
      why: '(6 characters)',
      cause: '(12 characters)',
    });
    expect(other).toEqual({ name: 'Error', code: 'EIO', message: '(12 characters)' });
    expect(String(failure.error.stack)).not.toContain('secret');
    expect(error.message).toBe('secret');
  });

  it('makes bigints, bytes, functions, circles and what is too much serialise', () => {
    const circle: Record<string, unknown> = {};
    circle.again = circle;
    const event = {
      type: 'x',
      big: 12345678901234567890n,
      bytes: new Uint8Array(9),
      port: { write: () => {}, history: { list: () => {} } },
      map: new Map([['secret', 'secret']]),
      circle,
      many: Array.from({ length: 5000 }, (_, index) => index),
      label: 'x'.repeat(100_000),
    };
    const json = JSON.stringify(eventOf(redacting(inspected(event))));
    expect(json.length).toBeLessThan(3000);
    expect(json).not.toContain('secret');
    expect(JSON.parse(json)).toMatchObject({
      big: '12345678901234567890',
      bytes: '(9 bytes)',
      port: { history: {} },
      map: '(Map)',
    });
    expect(json).toContain('{"more":4900}');
  });

  it('makes one copy of an event, so that tools can tell it again', () => {
    const event = { type: 'x', message: 'secret' };
    const first = redacting(inspected(event));
    expect(eventOf(redacting(inspected(event)))).toBe(eventOf(first));
    expect(event).toEqual({ type: 'x', message: 'secret' });
  });
});

async function inspectionOf(
  options: Partial<CheckpointStoreOptions<undefined>>,
  act: (store: Awaited<ReturnType<typeof openCheckpointStore>>) => Promise<unknown>,
) {
  const events: InspectionEvent[] = [];
  const fileSystem = new MemoryFileSystem();
  const inspect = (event: InspectionEvent) => void events.push(event);
  const store = await openCheckpointStore({ directory: '/store', fileSystem, inspect, ...options });
  await act(store);
  await store.close();
  return { events, store };
}

describe("a store's inspector", () => {
  it('is told the very actors, but where they are announced, with their types and ids', async () => {
    const { events, store } = await inspectionOf({}, (open) => open.set('a', 1));
    const ofRoot = events.filter(({ actorRef }) => actorRef === store.actor);
    expect(ofRoot.length).toBeGreaterThan(10);
    const announced = events.filter(({ type }) => type === '@xstate.actor');
    const ids = announced.map(({ actorRef }) => ('id' in actorRef ? actorRef.id : undefined));
    expect(ids).toEqual(expect.arrayContaining(['io', 'recovery', 'write', 'detector']));
    expect(announced[0]?.actorRef.sessionId).toBe(store.actor.sessionId);
  });

  it('is told actors that keep messages to themselves when a tool asks them for a snapshot', async () => {
    const asked = async (includeMessages: boolean) => {
      const { events } = await inspectionOf({ includeMessages }, (open) =>
        open.reportFailure('secret'),
      );
      const actors = events.flatMap((event) =>
        event.type === '@xstate.actor' ? [event.actorRef] : [],
      );
      return JSON.stringify(actors.map((actor) => actor.getSnapshot()));
    };
    expect(await asked(false)).not.toContain('secret');
    expect(await asked(true)).toContain('secret');
  });

  it('is told snapshots that answer as the originals do', async () => {
    const { events, store } = await inspectionOf({}, (open) => open.set('a', 1));
    const snapshots = events.filter(
      (event) => event.type === '@xstate.snapshot' && event.actorRef === store.actor,
    );
    const last = snapshots.at(-1);
    if (last?.type !== '@xstate.snapshot') throw new Error('no snapshot');
    const snapshot = last.snapshot as ReturnType<typeof store.actor.getSnapshot>;
    expect(snapshot.value).toBe('closed');
    expect(snapshot.matches('closed')).toBe(true);
    expect(snapshot.can({ type: 'close.requested' })).toBe(
      store.actor.getSnapshot().can({ type: 'close.requested' }),
    );
    expect(snapshot.context.sequence).toBe(1);
  });

  it('changes nothing that the machines work with', async () => {
    const run = async (options: Partial<CheckpointStoreOptions<undefined>>) => {
      const { store } = await inspectionOf(options, (open) => open.reportFailure('secret'));
      return store.health?.failures.map(({ message }) => message);
    };
    expect(await run({})).toEqual(['secret']);
    expect(await run({ includeMessages: true })).toEqual(['secret']);
  });
});
