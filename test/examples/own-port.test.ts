/**
 * An example for `docs/testing.md`: a store on a database instead of files. The port is the one thing
 * to write; the conformance suite shows that it keeps the protocol's promises. The "database" is an
 * object in memory whose fields change one at a time, as rows committed one by one would.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type CheckpointContent,
  CheckpointError,
  type CheckpointIo,
  type HealthMemory,
  openCheckpointStore,
} from '../../src/index.js';
import {
  type CheckpointIoSubject,
  checkpointIoConformance,
  checkpointIoEditConformance,
  type EditableCheckpointIoSubject,
} from '../../src/testing/conformance/checkpoint-io-conformance.js';

interface Row {
  readonly text: string;
  readonly sequence: number;
}

/** Five tables: the current row, the log, history, what is remembered of failures, and who has it open. */
class Database {
  current: (Row & { readonly publishedText: string }) | undefined;
  log: (Row & { readonly sealed: boolean; readonly label?: string | undefined }) | undefined;
  readonly history = new Map<number, string>();
  health: HealthMemory | undefined;
  owner: object | undefined;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** What differs between this port and broken ones, so that the suite can be seen to fail. */
interface Mistakes {
  readonly forgetsToSeal?: boolean;
  readonly forgetsTheLog?: boolean;
  readonly sharesTheLock?: boolean;
}

function createDatabaseIo(
  database: Database,
  content: CheckpointContent,
  mistakes: Mistakes = {},
): CheckpointIo {
  const me = {};
  let round: (Row & { readonly label?: string | undefined }) | undefined;
  /** What this program last knew to be stored. */
  let known: string | undefined;
  const checkOwner = () => {
    if (database.owner !== me && !mistakes.sharesTheLock) {
      throw new CheckpointError('LOCK_LOST', 'another program has taken the store over');
    }
  };
  const roundInFlight = () => {
    if (round === undefined) throw new TypeError('no round is in flight');
    return round;
  };
  const problemOf = (text: string) => {
    try {
      void content.validate(text);
      return undefined;
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      return { code: error.code, message: error.message };
    }
  };
  const take = (row: Row) => {
    known = row.text;
    content.rebase({ text: row.text, sequence: row.sequence });
  };
  const highest = () => Math.max(0, database.current?.sequence ?? 0, ...database.history.keys());
  return {
    acquireLock() {
      if (database.owner !== undefined && !mistakes.sharesTheLock) {
        throw new CheckpointError('LOCKED', 'the store is open in another program');
      }
      database.owner = me;
      return { directory: 'database', target: 'database', lock: 'memory', warnings: [] };
    },
    releaseLock() {
      if (database.owner === me) database.owner = undefined;
      return undefined;
    },
    checkWal: () => ({ present: database.log !== undefined }),
    readWal: () => ({ size: database.log?.text.length ?? 0 }),
    verifyWal() {
      const { log, current } = database;
      const size = log?.text.length ?? 0;
      if (log === undefined) return { verdict: 'absent', relation: 'none', size };
      const facts = { sequence: log.sequence, size };
      if (!log.sealed) return { verdict: 'unsealed', relation: 'none', ...facts };
      if (current === undefined) return { verdict: 'sealed', relation: 'missing', ...facts };
      if (current.sequence > log.sequence)
        return { verdict: 'sealed', relation: 'newer', ...facts };
      const isPublished = current.sequence === log.sequence;
      const isEdited = current.text !== current.publishedText;
      if (isPublished) {
        const relation = isEdited ? 'editedAfterImage' : 'afterImage';
        return { verdict: 'sealed', relation, ...facts };
      }
      return { verdict: 'sealed', relation: isEdited ? 'other' : 'preImage', ...facts };
    },
    quarantineWal({ reason }) {
      database.log = undefined;
      return { kept: { file: 'the log', reason } };
    },
    finishWal: () => undefined,
    loadWal() {
      if (database.log === undefined) throw new TypeError('there is no log');
      round = database.log;
      return { sequence: round.sequence };
    },
    checkCheckpoint() {
      const { current, history } = database;
      const everPublished = current !== undefined || history.size > 0;
      const facts = { highestSequence: highest(), everPublished };
      if (current === undefined) return { condition: 'missing', size: 0, ...facts };
      const { text, sequence, publishedText } = current;
      const row = { sequence, size: text.length, ...facts };
      const problem = problemOf(text);
      if (problem !== undefined) return { condition: 'damaged', problem, ...row };
      if (text !== publishedText) return { condition: 'edited', ...row };
      take(current);
      return { condition: 'sealed', ...row };
    },
    findInHistory(search) {
      const unwanted = new Set(search?.except);
      const wanted = [...database.history].filter(([, text]) => !unwanted.has(sha256(text)));
      const [sequence] = wanted.map(([key]) => key).sort((a, b) => b - a);
      const newest =
        sequence === undefined ? {} : { newest: { sequence, file: `row ${sequence}` } };
      return { ...newest, refused: [], entries: database.history.size };
    },
    keepCheckpoint({ reason }) {
      const { current } = database;
      if (current === undefined) return {};
      known = current.text;
      return { kept: { file: 'the edited row', reason } };
    },
    adoptCheckpoint({ sequence }) {
      if (database.current === undefined) throw new TypeError('there is nothing to adopt');
      const { text } = database.current;
      database.current = { text, sequence, publishedText: text };
      take(database.current);
      return { size: text.length };
    },
    removeLeftovers: () => ({ removed: [] }),
    readHealth() {
      const { health, current } = database;
      return {
        ...(health && { memory: health }),
        nowMs: Date.now(),
        ...(current && {
          current: { sequence: current.sequence, digest: sha256(current.text) },
        }),
      };
    },
    writeHealth({ memory }) {
      checkOwner();
      database.health = memory;
      return undefined;
    },
    observeCheckpoint() {
      checkOwner();
      const text = database.current?.text;
      if (text === known) {
        return { change: 'unchanged', sealed: database.current?.publishedText === text };
      }
      if (text === undefined) return { change: 'missing' };
      const problem = problemOf(text);
      return problem === undefined
        ? { change: 'edited', size: text.length }
        : { change: 'damaged', size: text.length, problem };
    },
    async writeIntent({ sequence, label, source }) {
      checkOwner();
      const text =
        source.kind === 'requests'
          ? (await content.textFor(source.requestIds)).text
          : (database.history.get(source.sequence) ?? '');
      if (database.log !== undefined) throw new CheckpointError('LOG_IN_THE_WAY', 'a log is there');
      round = { sequence, text, label };
      return { bytes: 0 };
    },
    writeData() {
      if (!mistakes.forgetsTheLog) database.log = { ...roundInFlight(), sealed: false };
      return { bytes: roundInFlight().text.length };
    },
    syncWal() {
      const { log } = database;
      if (log !== undefined && !mistakes.forgetsToSeal) database.log = { ...log, sealed: true };
      return undefined;
    },
    writeCheckpoint: () => ({ bytes: roundInFlight().text.length }),
    syncCheckpoint() {
      checkOwner();
      const { current } = database;
      const { text, sequence } = roundInFlight();
      if (current !== undefined) database.history.set(current.sequence, current.text);
      database.current = { text, sequence, publishedText: text };
      take(database.current);
      return {};
    },
    deleteWal() {
      database.log = undefined;
      round = undefined;
      return undefined;
    },
    dropWal() {
      database.log = undefined;
      return undefined;
    },
    dropTemporary: () => undefined,
    abandonRound() {
      database.log = undefined;
      round = undefined;
      return undefined;
    },
  };
}

function subjectOf(mistakes: Mistakes = {}): EditableCheckpointIoSubject {
  const database = new Database();
  return {
    open: (content) => createDatabaseIo(database, content, mistakes),
    kill: () => {
      database.owner = undefined;
    },
    edit: (text) => {
      if (database.current !== undefined) database.current = { ...database.current, text };
    },
    dispose: () => {},
  };
}

describe('a store on a database', () => {
  it.each([...checkpointIoConformance])('$group: $title', ({ run }) => run(subjectOf));
  it.each([...checkpointIoEditConformance])('$group: $title', ({ run }) => run(subjectOf));

  it('is opened like any other', async () => {
    const database = new Database();
    const io = (content: CheckpointContent) => createDatabaseIo(database, content);
    const store = await openCheckpointStore({ directory: 'unused', io });
    await store.save({ status: 'ACTIVE' });
    await store.close();
    expect(database.current?.text).toBe('status: ACTIVE\n');
  });
});

describe('the conformance suite', () => {
  const failing = async (mistakes: Mistakes): Promise<string[]> => {
    const failed: string[] = [];
    const create = (): CheckpointIoSubject => subjectOf(mistakes);
    for (const { title, run } of checkpointIoConformance) {
      await run(create).catch(() => failed.push(title));
    }
    return failed;
  };

  it.each([
    [
      'never seals its log',
      { forgetsToSeal: true },
      'killed before any operation keeps what it has logged',
    ],
    [
      'writes no log',
      { forgetsTheLog: true },
      'killed before any operation keeps what it has logged',
    ],
    ['locks nobody out', { sharesTheLock: true }, 'a second program is refused with LOCKED'],
  ])('fails a port that %s', async (_, mistakes, title) => {
    expect((await failing(mistakes)).join('\n')).toContain(title);
  });
});
