/**
 * Loggers: pino fits as it is, and its lines tell errors by code and message.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { failNth } from '../../../src/io/fault-rules.js';
import { FaultyFileSystem } from '../../../src/io/faulty-file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { loggable } from '../../../src/store/log-events.js';
import type { CheckpointLogger } from '../../../src/store/store-options.js';
import { openCheckpointStore } from '../../../src/store.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

/** A real pino, and what it has written. */
function realPino() {
  const lines: Line[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line) as Line);
      done();
    },
  });
  const logger = pino({ level: 'debug' }, stream);
  const said = (message: string) => lines.find(({ msg }) => msg === message);
  return { logger, lines, said };
}

const { warn, error } = pino.levels.values;

describe('a logger', () => {
  it('may be a pino or the console, by type', () => {
    expectTypeOf<ReturnType<typeof pino>>().toExtend<CheckpointLogger>();
    expectTypeOf<Console>().toExtend<CheckpointLogger>();
  });

  it('of pino is told how the store was opened', async () => {
    const { logger, said } = realPino();
    const fileSystem = new MemoryFileSystem();
    await (await openCheckpointStore({ directory: '/s', fileSystem, logger })).close();
    expect(said('the store is open')).toMatchObject({ sequence: 0, lost: [] });
  });

  it('of pino is told failed saves with code, message and what is known of their outcome', async () => {
    const { logger, said } = realPino();
    const fileSystem = new FaultyFileSystem(
      new MemoryFileSystem(),
      failNth({ operation: 'write', path: /wal$/ }, 'ENOSPC'),
    );
    const store = await openCheckpointStore({ directory: '/s', fileSystem, logger });
    await expect(store.save({ a: 1 })).rejects.toThrow();
    await store.close();
    const line = said('a save failed');
    expect(line?.level).toBe(warn);
    expect(line?.error).toMatchObject({
      code: 'NO_SPACE',
      message: expect.stringContaining('.checkpoint.wal'),
      outcome: 'notSaved',
    });
  });

  it('of pino is told edits, restores and failures', async () => {
    const { logger, said } = realPino();
    const directory = freshFolder();
    const store = await openCheckpointStore({ directory, logger });
    await store.save({ a: 1 });
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), 'a: 2\n');
    await store.check();
    await store.restore('previous');
    await store.reportFailure('tests failed');
    await store.close();
    expect(said('the checkpoint was edited outside')).toMatchObject({
      action: 'adopted',
      level: warn,
    });
    expect(said('an earlier checkpoint was restored')).toMatchObject({ cause: 'requested' });
    expect(said('the store is failing')).toMatchObject({
      report: { failures: [{ signal: 'reported', message: 'tests failed' }] },
    });
  });

  it('of pino is told what inspectors and subscribers throw, with message and stack', async () => {
    const { logger, said } = realPino();
    const inspect = () => {
      throw Object.assign(new RangeError('an inspector broke'), { code: 'EBROKEN' });
    };
    const fileSystem = new MemoryFileSystem();
    const store = await openCheckpointStore({ directory: '/s', fileSystem, logger, inspect });
    store.subscribe(() => {
      throw 'a subscriber broke';
    });
    await store.close();
    expect(said('the inspector threw')).toMatchObject({
      level: error,
      error: {
        name: 'RangeError',
        code: 'EBROKEN',
        message: 'an inspector broke',
        stack: expect.stringContaining('log-events.test'),
      },
    });
    expect(said('a subscriber threw')).toMatchObject({
      error: { message: 'a subscriber broke' },
      event: 'recovered',
    });
  });

  it('is told anything that can be thrown as plain JSON', () => {
    for (const thrown of [new Error('x'), 'x', undefined, null, 5n, Symbol('x'), { a: 1 }]) {
      const facts = loggable(thrown);
      expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
      expect(typeof facts.message).toBe('string');
    }
  });
});
