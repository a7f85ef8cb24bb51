/**
 * A store watched by the real client, server and receiver of `@statelyai/inspect`: everything of it
 * arrives there, and nothing that a file, a state or a message holds.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  createWebSocketInspector,
  createWebSocketReceiver,
  type StatelyInspectionEvent,
} from '@statelyai/inspect';
import { createInspectorServer } from '@statelyai/inspect/server';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openCheckpointStore } from '../../../src/store.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

const CANARY = 'canary-5e8f';
/** Of what a message about broken YAML quotes. */
const BROKEN = `status: [${CANARY}\n  oops: ]\n`;

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !holds(); ) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A server with one client that sends and one that collects what arrives. */
async function inspector() {
  const port = await freePort();
  const server = createInspectorServer({ port, autoOpen: false });
  endings.push(() => server.stop());
  const received: StatelyInspectionEvent[] = [];
  const url = `ws://localhost:${port}`;
  createWebSocketReceiver({ server: url }).subscribe((event) => void received.push(event));
  const client = createWebSocketInspector({ url });
  endings.push(() => client.stop());
  await until(() => {
    client.event('ping', { type: 'ping' });
    return received.length > 0;
  }, 'the first message');
  const settled = async (what: (event: StatelyInspectionEvent) => boolean) => {
    await until(() => received.some(what), 'the last message');
    await new Promise((resolve) => setTimeout(resolve, 50));
    return received.filter(({ sessionId }) => sessionId !== 'ping');
  };
  return { inspect: client.inspect, settled };
}

const hasClosed = (event: StatelyInspectionEvent) =>
  event.type === '@xstate.snapshot' &&
  (event.snapshot as { value?: unknown }).value === 'closed' &&
  event.sessionId === event.rootId;

/** A life of a store in which a canary sits wherever a user's text can be. */
async function livingDangerously(includeMessages: boolean) {
  const { inspect, settled } = await inspector();
  const directory = freshFolder();
  const file = join(directory, 'ORCHESTRATION.yaml');
  writeFileSync(file, `status: "${CANARY}" # ${CANARY}\n`);
  const schema = z.looseObject({ status: z.string().refine((text) => text !== 'bad', CANARY) });
  const options = { directory, schema, inspect, includeMessages };
  const store = await openCheckpointStore({ ...options, restore: { threshold: 100 } });
  await store.set('secret', CANARY);
  await store.save({ status: CANARY, list: [{ [CANARY]: CANARY }] });
  await store.reportFailure(new Error(`reported ${CANARY}`));
  await expect(store.save({ status: 'bad' })).rejects.toThrow(CANARY);
  writeFileSync(file, BROKEN);
  const { problem } = await store.check();
  expect(problem?.message).toBeTruthy();
  writeFileSync(file, `status: bad # ${CANARY}\n`);
  await store.check();
  await store.restore('previous');
  await store.close();
  const received = await settled(hasClosed);
  return { received, text: JSON.stringify(received), store };
}

describe('the Stately inspector', () => {
  it("is sent the store's actors with their definitions, its events, and its snapshots", async () => {
    const { received, store } = await livingDangerously(false);
    const root = store.actor.sessionId;
    const actors = received.filter((event) => event.type === '@xstate.actor');
    const named = Object.fromEntries(actors.map((actor) => [actor.name, actor]));
    for (const name of ['checkpoint', 'io', 'recovery', 'write', 'detector']) {
      expect(named, name).toHaveProperty(name);
    }
    expect(named.checkpoint?.sessionId).toBe(root);
    expect(named.io?.parentId).toBe(root);
    expect(JSON.parse(named.write?.definition ?? '{}')).toMatchObject({ id: 'write' });
    const events = received.filter((event) => event.type === '@xstate.event');
    const types = events.map(({ event }) => event.type);
    for (const type of ['save.requested', 'syncWal.done', 'io.requested', 'close.requested']) {
      expect(types).toContain(type);
    }
    const states = received
      .filter((event) => event.type === '@xstate.snapshot')
      .map(({ snapshot }) => (snapshot as { value?: unknown }).value);
    expect(states).toEqual(expect.arrayContaining(['ready', 'saving', 'syncingWal', 'closed']));
  });

  it('is sent nothing that a state, a file or a message holds', async () => {
    const { received, text } = await livingDangerously(false);
    const quoting = received.filter((event) => JSON.stringify(event).includes(CANARY));
    expect(quoting).toEqual([]);
    expect(text).toContain(`"message":"(${`reported ${CANARY}`.length} characters)"`);
    expect(text).not.toContain('[Circular]');
    const sizes = received.map((event) => JSON.stringify(event).length);
    expect(
      Math.max(...sizes.filter((_, index) => received[index]?.type !== '@xstate.actor')),
    ).toBeLessThan(16_000);
  });

  it('is sent no quotation of damage that is found at open, or of what an earlier run has told', async () => {
    const { inspect, settled } = await inspector();
    const directory = freshFolder();
    const restore = { threshold: 100 };
    const before = await openCheckpointStore({ directory, restore });
    await before.set('status', 'ACTIVE');
    await before.reportFailure(`earlier ${CANARY}`);
    await before.close();
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), BROKEN);
    const store = await openCheckpointStore({ directory, restore, inspect });
    expect(store.recovery.clean).toBe(false);
    expect(JSON.stringify(store.health)).toContain(CANARY);
    await store.close();
    const received = await settled(hasClosed);
    expect(JSON.stringify(received)).toContain('INVALID_YAML');
    expect(received.filter((event) => JSON.stringify(event).includes(CANARY))).toEqual([]);
  });

  it('is sent the messages where that is asked for, and still neither states nor files', async () => {
    const { text } = await livingDangerously(true);
    expect(text).toContain(`reported ${CANARY}`);
    const others = text.replaceAll(`reported ${CANARY}`, '');
    // Messages about what is wrong may quote it; that is what was asked for.
    const quotes = [...others.matchAll(/"(\w+)":"[^"]*canary-5e8f/g)].map(([, member]) => member);
    expect(new Set(quotes)).toEqual(new Set(['message']));
  });
});
