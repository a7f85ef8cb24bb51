/**
 * What must hold of the files that a crash or a recovery leaves, by the disk alone, without asking the
 * store: nothing is lost that was published, acknowledged or not understood, and readers find a whole
 * checkpoint at any time. `docs/testing.md` lists the checks.
 */
import { readSeal, type SealReading } from '../format/seal.js';
import { scanWal } from '../format/wal-scanner.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import type { DiskState } from '../io/disk-state.js';
import { type DiskMoment, describeState, visibleAt } from '../io/simulated-disk.js';
import { digestOf } from './digest.js';
import { type Allowed, canonical } from './expectation.js';
import type { Failure } from './explore-program.js';
import { LAB_DIRECTORY, LAB_FILE, type Scenario } from './scenario.js';
import { listOf, nameOf, type SealPromise } from './seal-promises.js';

/** The files of a disk by path; directories have no content. */
export type LabFiles = readonly { readonly path: string; readonly content?: Uint8Array }[];

const TARGET = `${LAB_DIRECTORY}/${LAB_FILE}`;
const ENTRY = new RegExp(`^${LAB_DIRECTORY}/checkpoints/0*(\\d+)\\.${LAB_FILE}$`);

const isLog = (path: string) => path.endsWith('/.checkpoint.wal');
const isTemporary = (path: string) => path.endsWith('.tmp');

/** The lock comes and goes, and is no state. */
export const isLock = (path: string): boolean => path.includes('/.checkpoint.lock');

const filesOf = new WeakMap<DiskState, LabFiles>();

/** A disk's files, walked once for each state. */
export function labFiles(state: DiskState): LabFiles {
  let files = filesOf.get(state);
  if (files === undefined) {
    files = describeState(state);
    filesOf.set(state, files);
  }
  return files;
}

/** No log and no temporary file is left. */
export function checkLeftovers(after: DiskState): Failure[] {
  const left = labFiles(after).filter(({ path }) => isLog(path) || isTemporary(path));
  return left.map(({ path }) => ({ check: 'leaves-nothing-behind', message: `left ${path}` }));
}

/**
 * Everything but temporary files, locks and logs that promised nothing, or were applied, is still
 * there: byte for byte, or as the same text under another seal.
 */
export function checkKept(
  before: LabFiles,
  after: DiskState,
  check: 'keeps-what-it-cannot-explain' | 'evidence-survives-crashes',
): Failure[] {
  const kept = new Set(labFiles(after).flatMap(({ content }) => digestsOf(content)));
  return before.flatMap(({ path, content }): Failure[] => {
    if (content === undefined || isTemporary(path) || isLock(path)) return [];
    if (digestsOf(content).some((digest) => kept.has(digest))) return [];
    if (isLog(path) && isSpent(content, kept)) return [];
    return [{ check, message: `the bytes of ${path} are gone` }];
  });
}

/** What of a disk is durable and seen: after a mere kill, some files are only the one or the other. */
export function durablySeen({ durable, pending, cached }: Omit<DiskMoment, 'model'>): LabFiles {
  const files = labFiles(durable);
  if (pending.length === 0) return files;
  const seen = labFiles(visibleAt({ durable, pending, cached }));
  const digestAt = new Map(seen.map(({ path, content }) => [path, content && digestOf(content)]));
  return files.filter(({ path, content }) => content && digestAt.get(path) === digestOf(content));
}

/**
 * Every acknowledged state that was replaced is there as a history entry that verifies, and so is the
 * last one, or it is the checkpoint.
 */
export function checkHistory(after: DiskState, { past = [], newest }: Allowed): Failure[] {
  const fail = (what: string) => [
    { check: 'history-is-complete', message: `${what} was acknowledged and is gone` },
  ];
  const files = labFiles(after).filter(({ path }) => path === TARGET || ENTRY.test(path));
  const isNewest = (path: string, content?: Uint8Array) => {
    const reading = readingOf(content);
    if (typeof newest === 'number') {
      return reading.kind === 'sealed' && reading.sequence === newest;
    }
    // What somebody else wrote has no seal of ours until a save puts it into history.
    return (path === TARGET || reading.kind === 'sealed') && valueIn(content) === newest;
  };
  if (newest !== undefined && !files.some(({ path, content }) => isNewest(path, content))) {
    return fail(typeof newest === 'number' ? `checkpoint ${newest}` : newest);
  }
  if (past.length === 0) return [];
  const sealed = files.filter(({ content }) => readingOf(content).kind === 'sealed');
  const found = new Set(sealed.map(({ content }) => valueIn(content)));
  const lost = past.find((value) => !found.has(value));
  return lost === undefined ? [] : fail(lost);
}

/** A later checkpoint has no lower epoch, and each opening of the store a higher one. */
export function checkEpochs(after: DiskState, { reopened = [] }: Allowed): Failure[] {
  const sealed = labFiles(after).flatMap(({ path, content }) => {
    const reading = path === TARGET || ENTRY.test(path) ? readingOf(content) : undefined;
    return reading?.kind === 'sealed' ? [reading] : [];
  });
  sealed.sort((left, right) => left.sequence - right.sequence);
  return sealed.flatMap(({ sequence, epoch }, index): Failure[] => {
    const opening = reopened.find(({ first }) => first === sequence);
    const isEarlier = (one: { readonly sequence: number }) =>
      opening !== undefined && one.sequence <= opening.last;
    const wrong = sealed
      .slice(0, index)
      .find((one) => one.epoch > epoch || (one.epoch === epoch && isEarlier(one)));
    if (wrong === undefined) return [];
    const message = `checkpoint ${sequence} has epoch ${epoch}, ${wrong.sequence} has ${wrong.epoch}`;
    return [{ check: 'epochs-rise', message }];
  });
}

/**
 * Whoever reads the file at any time, also before a recovery, finds all of some checkpoint, or what
 * somebody else has put there.
 */
export function checkReaders(
  before: DiskState,
  { past = [] }: Allowed,
  scenario: Scenario,
): Failure[] {
  const content = labFiles(before).find(({ path }) => path === TARGET)?.content;
  const fail = (message: string) => [{ check: 'readers-find-a-whole-checkpoint', message }];
  if (content === undefined) {
    const mayBeMissing = scenario.file === undefined && past.length === 0;
    return mayBeMissing ? [] : fail('the file on disk is missing');
  }
  const reading = readingOf(content);
  if (reading.kind === 'sealed' || outsideTexts(scenario).has(new TextDecoder().decode(content))) {
    return [];
  }
  return fail(`the file on disk is ${reading.kind}`);
}

const textsOf = new WeakMap<Scenario, ReadonlySet<string>>();

/** What others than the store write into the file. */
function outsideTexts(scenario: Scenario): ReadonlySet<string> {
  let texts = textsOf.get(scenario);
  if (texts === undefined) {
    const steps = scenario.steps.flatMap((step) =>
      step.do === 'edit' || step.do === 'damage' ? [step.text] : [],
    );
    texts = new Set(scenario.file === undefined ? steps : [scenario.file, ...steps]);
    textsOf.set(scenario, texts);
  }
  return texts;
}

const readings = new WeakMap<Uint8Array, SealReading>();
const nothing = new Uint8Array(0);

/** A file's seal, read once for each array. */
function readingOf(content: Uint8Array = nothing): SealReading {
  let reading = readings.get(content);
  if (reading === undefined) {
    reading = readSeal(content);
    readings.set(content, reading);
  }
  return reading;
}

const fileValues = new WeakMap<Uint8Array, string>();

/** The canonical value of a file's text, computed once for each array; of what is no state, no value. */
function valueIn(content: Uint8Array = nothing): string | undefined {
  let value = fileValues.get(content);
  if (value !== undefined) return value;
  const reading = readingOf(content);
  if (!('text' in reading)) return undefined;
  try {
    value = canonical(parseYaml(reading.text).value);
  } catch {
    return undefined;
  }
  fileValues.set(content, value);
  return value;
}

const digests = new WeakMap<Uint8Array, readonly string[]>();

/** Digests of a file's bytes and of its text without the seal. */
function digestsOf(content: Uint8Array | undefined): readonly string[] {
  if (content === undefined) return [];
  let found = digests.get(content);
  if (found === undefined) {
    const reading = readingOf(content);
    const whole = digestOf(content);
    found = 'text' in reading ? [whole, `text ${reading.text}`] : [whole];
    digests.set(content, found);
  }
  return found;
}

const spent = new WeakMap<Uint8Array, 'always' | 'never' | { readonly image: string }>();

/** Whether a log promised nothing, or what it promised is among what is kept. */
function isSpent(log: Uint8Array, kept: ReadonlySet<string>): boolean {
  let found = spent.get(log);
  if (found === undefined) {
    const scan = scanWal(log, { target: LAB_FILE });
    const isUnsealed = scan.kind === 'torn' || scan.kind === 'unsealed';
    // What lies behind the saves that verify, and is no mere beginning of one, may have been promised.
    const isWhole = scan.kind === 'sealed' && scan.tail.kind !== 'damaged';
    found = isUnsealed ? 'always' : isWhole ? { image: digestOf(scan.image) } : 'never';
    spent.set(log, found);
  }
  return typeof found === 'string' ? found === 'always' : kept.has(found.image);
}

/** Compares the checkpoints that a recovery has left with what was promised of them. */
export function checkSeals(after: DiskState, promises: readonly SealPromise[]): Failure[] {
  if (promises.length === 0) return [];
  const sealed = labFiles(after).flatMap(({ path, content }) => {
    const reading = path === TARGET || ENTRY.test(path) ? readingOf(content) : undefined;
    return reading?.kind === 'sealed' ? [reading] : [];
  });
  const check = 'keeps-labels-pins-and-artifacts';
  return promises.flatMap(({ sequence, names, lists, stays }): Failure[] => {
    const copies = sealed.filter((reading) => reading.sequence === sequence);
    if (copies.length === 0 && stays) {
      return [{ check, message: `the pinned checkpoint ${sequence} is gone` }];
    }
    return copies.flatMap((reading): Failure[] => {
      const name = nameOf(reading);
      const list = listOf(reading.artifacts.map(({ path }) => path));
      if (names.includes(name) && lists.includes(list)) return [];
      const message = `checkpoint ${sequence} has ${name} and ${list}, allowed were ${names.join(' or ')} and ${lists.join(' or ')}`;
      return [{ check, message }];
    });
  });
}
