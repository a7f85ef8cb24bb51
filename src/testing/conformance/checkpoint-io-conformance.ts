/**
 * What every implementation of the port must do, as data that any test framework can run: a store on
 * it keeps its promises when its program is killed, or its storage fails, at any operation. Drives the
 * port through the same machines that a store uses. `docs/testing.md` shows how to use it.
 */
import { CheckpointError } from '../../errors.js';
import type { CheckpointContent, CheckpointIo } from '../../io/checkpoint-io.js';
import type { Durability } from '../../machines/checkpoint-messages.js';
import type { CheckpointStoreOptions } from '../../store/store-options.js';
import { type CheckpointStore, openCheckpointStore } from '../../store.js';
import { codeIn, equal, isTrue } from './assert.js';
import { type CutMoment, cutIo, failingIo } from './cut-io.js';
import type { ConformanceCase } from './file-system-conformance.js';

/** One storage to test, empty at first. */
export interface CheckpointIoSubject {
  /** A port of its own on this storage, as a program that has just been started makes one. */
  open(content: CheckpointContent): CheckpointIo;
  /** Whoever used a port until now is dead: what the storage keeps for a living owner is void. */
  kill(): void | Promise<void>;
  /** Removes everything; called once, after the case. */
  dispose(): void | Promise<void>;
}

/** A storage whose text somebody else can change. */
export interface EditableCheckpointIoSubject extends CheckpointIoSubject {
  /** Replaces the stored text, without the store's knowledge. */
  edit(text: string): void | Promise<void>;
}

type Store = CheckpointStore<unknown>;
type Wrap = (io: CheckpointIo) => CheckpointIo;
type Options = Pick<CheckpointStoreOptions, 'externalEdits'>;

/** Opens a store on a new port of the subject. The directory has no meaning to it. */
function open(subject: CheckpointIoSubject, wrap: Wrap = (io) => io, options: Options = {}) {
  return openCheckpointStore<unknown>({
    restore: false,
    audit: false,
    ...options,
    directory: 'conformance',
    io: (content) => wrap(subject.open(content)),
  });
}

function conformanceCase<Subject extends CheckpointIoSubject>(
  group: string,
  title: string,
  test: (subject: Subject, fresh: () => Promise<Subject>) => Promise<void>,
): ConformanceCase<Subject> {
  return {
    group,
    title,
    async run(create) {
      const subjects: Subject[] = [];
      const fresh = async () => {
        const subject = await create();
        subjects.push(subject);
        return subject;
      };
      try {
        await test(await fresh(), fresh);
      } finally {
        for (const subject of subjects) await subject.dispose();
      }
    },
  };
}

/** A text whose every byte matters: no final newline, two kinds of line ends, more than one chunk. */
const oddText = `# ü €\r\nv: 1 # kept\n${'# filler\n'.repeat(20_000)}w:   "x"`;
const first = 'v: 1\n';
const second = 'v: 2 # second\n';

/** After `first` was saved: runs a save of `second` and says how far it came. */
async function saveSecond(
  store: Store,
  durability: Durability = 'committed',
): Promise<'saved' | CheckpointError> {
  try {
    await store.saveText(second, { durability });
    return 'saved';
  } catch (error) {
    if (error instanceof CheckpointError) return error;
    throw error;
  }
}

async function withFirst(subject: CheckpointIoSubject): Promise<void> {
  const store = await open(subject);
  await store.saveText(first);
  await store.close();
}

/** What a new program finds, and that the next finds the same. */
async function found(subject: CheckpointIoSubject): Promise<{ text: string; sequence: number }> {
  const store = await open(subject);
  const { text = '(none)', sequence } = store;
  await subject.kill();
  const again = await open(subject);
  equal(again.text ?? '(none)', text, 'the text that a second recovery finds');
  equal(again.sequence, sequence, 'the sequence number that a second recovery finds');
  await again.close();
  return { text, sequence };
}

/** Runs `act` on a store that is killed at an operation; whether that operation was reached. */
async function killAt(
  subject: CheckpointIoSubject,
  index: number,
  moment: CutMoment,
  act: (store: Store) => Promise<void>,
): Promise<boolean> {
  let reached: Promise<'killed'> | undefined;
  const opening = open(subject, (io) => {
    const cut = cutIo(io, index, moment);
    reached = cut.reached;
    return cut.io;
  });
  const whole = opening.then(act).then(() => 'ended' as const);
  const end = await Promise.race([whole, ...(reached ? [reached] : [])]);
  // Answers that were given before the kill are heard; what was cut off never answers.
  await new Promise((resolve) => setTimeout(resolve, 0));
  await subject.kill();
  return end === 'killed';
}

/** No protocol has as many operations; a port that never ends is a failure, not a hang. */
const OPERATIONS_MAX = 200;

async function forEachOperation(test: (index: number) => Promise<boolean>): Promise<void> {
  for (let index = 0; index < OPERATIONS_MAX; index += 1) if (!(await test(index))) return;
  isTrue(false, `a save and a close end within ${OPERATIONS_MAX} operations`);
}

function isAllowed(text: string, asked: boolean, saved: boolean, where: string): void {
  const allowed = saved ? [second] : asked ? [first, second] : [first];
  isTrue(allowed.includes(text), `${where}: found ${JSON.stringify(text)}, allowed ${allowed}`);
}

const kills = (moment: CutMoment, durability: Durability) =>
  conformanceCase(
    'kills',
    `a program killed ${moment} any operation keeps what it has ${durability}, or has the old state`,
    async (_, fresh) =>
      forEachOperation(async (index) => {
        const subject = await fresh();
        await withFirst(subject);
        let asked = false;
        let saved = false;
        const wasReached = await killAt(subject, index, moment, async (store) => {
          asked = true;
          saved = (await saveSecond(store, durability)) === 'saved';
          await store.close();
        });
        const { text } = await found(subject);
        isAllowed(text, asked, saved, `killed ${moment} operation ${index}`);
        return wasReached;
      }),
  );

/** One recovery is killed at each operation, after a save that was killed at each. */
const killedRecoveries = conformanceCase<CheckpointIoSubject>(
  'kills',
  'a recovery killed before any operation is finished by the next',
  async (_, fresh) =>
    forEachOperation(async (index) => {
      let wasReached = false;
      await forEachOperation(async (inner) => {
        const subject = await fresh();
        await withFirst(subject);
        let saved = false;
        wasReached = await killAt(subject, index, 'after', async (store) => {
          saved = (await saveSecond(store)) === 'saved';
        });
        const again = await killAt(subject, inner, 'before', async () => {});
        const where = `killed after operation ${index}, then before ${inner}`;
        isAllowed((await found(subject)).text, true, saved, where);
        return again;
      });
      return wasReached;
    }),
);

const failures = (code: 'WRITE_FAILED' | 'SYNC_FAILED' | 'READ_FAILED') =>
  conformanceCase(
    'failures',
    `an operation that fails with ${code} costs no promise, and no state that was saved`,
    async (_, fresh) =>
      forEachOperation(async (index) => {
        const subject = await fresh();
        await withFirst(subject);
        let failed: () => string | undefined = () => undefined;
        const wrap: Wrap = (io) => {
          const failing = failingIo(io, index, code);
          failed = failing.failed;
          return failing.io;
        };
        const store = await open(subject, wrap).catch(() => undefined);
        const outcome = store === undefined ? undefined : await saveSecond(store);
        await store?.close();
        await subject.kill();
        const isTakenBack =
          outcome instanceof CheckpointError && outcome.details.outcome === 'notSaved';
        const asked = outcome !== undefined && !isTakenBack;
        const { text } = await found(subject);
        isAllowed(text, asked, outcome === 'saved', `${failed() ?? 'nothing'} failed`);
        return failed() !== undefined;
      }),
  );

/** The suite. Run each case on a storage of its own: `await run(() => subject)`. */
export const checkpointIoConformance: readonly ConformanceCase<CheckpointIoSubject>[] = [
  conformanceCase(
    'states',
    'a new storage holds no state, and nothing is wrong with that',
    async (subject) => {
      const store = await open(subject);
      equal(store.text, undefined, 'the text of a new store');
      equal(store.sequence, 0, 'the sequence number of a new store');
      equal(store.recovery.clean, true, 'whether its recovery is clean');
      await store.close();
    },
  ),
  conformanceCase(
    'states',
    'a saved text comes back byte for byte, and its number with it',
    async (subject) => {
      const store = await open(subject);
      const { sequence } = await store.saveText(oddText);
      await store.close();
      const again = await open(subject);
      isTrue(again.text === oddText, 'the text comes back as it was saved');
      equal(again.sequence, sequence, 'its sequence number');
      equal(again.recovery.clean, true, 'whether the recovery after a close is clean');
      await again.close();
    },
  ),
  conformanceCase(
    'states',
    'sequence numbers rise with every save, also over programs',
    async (subject) => {
      let last = 0;
      for (const text of [first, second, first]) {
        const store = await open(subject);
        const { sequence } = await store.saveText(text);
        isTrue(sequence > last, `${sequence} is higher than ${last}`);
        last = sequence;
        await store.close();
      }
    },
  ),
  conformanceCase(
    'states',
    'saves asked for together are all answered, and the last one stays',
    async (subject) => {
      const store = await open(subject);
      const saves = [1, 2, 3, 4, 5].map((value) => store.set('v', value));
      equal((await Promise.all(saves)).length, 5, 'the number of answers');
      await store.close();
      equal((await found(subject)).text, 'v: 5\n', 'the text');
    },
  ),
  conformanceCase(
    'the lock',
    'a second program is refused with LOCKED until the first closes or dies',
    async (subject) => {
      const codeOfOpening = () =>
        open(subject).then((store) => store.close().then(() => 'ok'), codeIn);
      const store = await open(subject);
      equal(await codeOfOpening(), 'LOCKED', 'a second opening');
      equal(await codeOfOpening(), 'LOCKED', 'a third opening, after a refused one');
      await store.close();
      equal(await codeOfOpening(), 'ok', 'an opening after a close');
      await open(subject);
      await subject.kill();
      equal(await codeOfOpening(), 'ok', 'an opening after a kill');
    },
  ),
  kills('before', 'committed'),
  kills('after', 'committed'),
  kills('before', 'logged'),
  kills('after', 'logged'),
  killedRecoveries,
  failures('WRITE_FAILED'),
  failures('SYNC_FAILED'),
  failures('READ_FAILED'),
];

/** Further cases, for a storage that somebody else can edit. */
export const checkpointIoEditConformance: readonly ConformanceCase<EditableCheckpointIoSubject>[] =
  [
    conformanceCase(
      'edits',
      'an edit made while no store is open becomes the state, under a higher number',
      async (subject) => {
        await withFirst(subject);
        await subject.edit('v: 10 # edited\n');
        const store = await open(subject);
        equal(store.text, 'v: 10 # edited\n', 'the text');
        isTrue(store.sequence > 1, 'the edit has a number of its own');
        await store.close();
      },
    ),
    conformanceCase(
      'edits',
      'an edit made while a store is open is seen before the next save',
      async (subject) => {
        await withFirst(subject);
        const store = await open(subject);
        await subject.edit('v: 1\nw: edited\n');
        await store.set('v', 2);
        equal(store.text, 'v: 2\nw: edited\n', 'the text');
        await store.close();
      },
    ),
    conformanceCase(
      'edits',
      'under the policy reject an edit refuses the save and is left alone',
      async (subject) => {
        await withFirst(subject);
        const store = await open(subject, undefined, { externalEdits: 'reject' });
        await subject.edit('v: 10\n');
        const outcome = await saveSecond(store);
        equal(
          outcome === 'saved' ? outcome : outcome.code,
          'EDITED_OUTSIDE',
          'the outcome of the save',
        );
        await store.close();
        equal((await found(subject)).text, 'v: 10\n', 'the text');
      },
    ),
  ];
