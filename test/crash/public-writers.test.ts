/**
 * Known-bad and known-good writers in the lab, this package's store among them: what each loses, and
 * when. Each writes to a real folder once; that run is recorded and crashed on the simulated disk. The
 * table in `docs/testing.md` is made from these results.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSeal } from '../../src/format/seal.js';
import type { SimulatedDisk } from '../../src/io/simulated-disk.js';
import { openCheckpointStore } from '../../src/store.js';
import { NodeFsTracer, type TraceMarks } from '../../src/testing/node-fs-tracer.js';
import type { WriterTrace } from '../../src/testing/traced-writer.js';
import {
  describeVerdict,
  exploreWriter,
  type WriterCrash,
  type WriterReport,
} from '../../src/testing/writer-lab.js';
import { expectGeneratedPart } from '../helpers/generated-file.js';

const NAME = 'ORCHESTRATION.yaml';
const FILE = `/${NAME}`;
const lines = (word: string) => `${`# ${word} ${'x'.repeat(60)}\n`.repeat(20)}v: ${word}\n`;
const oldText = lines('old');
const nextText = lines('new');
const bytes = (text: string) => new TextEncoder().encode(text);

interface Writer {
  readonly name: string;
  readonly save: (path: string, text: string, marks: TraceMarks) => Promise<void>;
  readonly recover?: (disk: SimulatedDisk) => Promise<void>;
}

const crashes: readonly WriterCrash[] = ['kill', 'ordered', 'posix-minimal'];

/** Imported after the tracer is in place: some writers keep node's functions from then on. */
async function publicWriters(): Promise<Writer[]> {
  const { writeFile: writeFileAtomically } = await import('atomically');
  const { Writer: StenoWriter } = await import('steno');
  // Its own types are a package that is not installed here.
  const name = 'write-file-atomic';
  const { default: writeFileAtomic } = (await import(name)) as {
    default: (path: string, text: string) => Promise<void>;
  };
  return [
    { name: '`writeFile` of `node:fs`', save: (path, text) => writeFile(path, text) },
    { name: '`steno`', save: (path, text) => new StenoWriter(path).write(text) },
    { name: '`atomically`', save: (path, text) => writeFileAtomically(path, text) },
    { name: '`write-file-atomic`', save: (path, text) => writeFileAtomic(path, text) },
    { name: 'temporary file, fsync, rename, fsync of the folder', save: saveByHand },
    { name: '`checkpoint-wal`', save: saveInStore, recover: recoverStore },
  ];
}

async function saveByHand(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'wx');
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await rename(temporary, path);
  const folder = await open(dirname(path), 'r');
  await folder.sync();
  await folder.close();
}

async function saveInStore(path: string, text: string, marks: TraceMarks): Promise<void> {
  const store = await openCheckpointStore({ directory: dirname(path), file: NAME, restore: false });
  marks.saving();
  await store.saveText(text);
  marks.saved();
  await store.close();
}

async function recoverStore(disk: SimulatedDisk): Promise<void> {
  const store = await openCheckpointStore({
    directory: '/',
    file: NAME,
    fileSystem: disk,
    restore: false,
  });
  expect([oldText, nextText]).toContain(store.text);
}

/** One recorded save of `nextText` over `oldText`. */
interface Recorded {
  readonly trace: WriterTrace;
  /** What the file really held at the end. */
  readonly left: Uint8Array;
  /** Why the writer said that it could not save; it may do so. */
  readonly error?: unknown;
}

const tracer = new NodeFsTracer();
const writers = new Map<string, Writer>();
const folders: string[] = [];

async function record({ save }: Writer, shortWrite?: number): Promise<Recorded> {
  const folder = await mkdtemp(join(tmpdir(), 'checkpoint-wal-writer-'));
  folders.push(folder);
  const path = join(folder, NAME);
  writeFileSync(path, oldText);
  let error: unknown;
  const act = async (marks: TraceMarks) => {
    await save(path, nextText, marks).catch((reason: unknown) => {
      error = reason;
    });
  };
  const trace = await tracer.trace(folder, act, shortWrite === undefined ? {} : { shortWrite });
  return {
    trace,
    left: Uint8Array.from(readFileSync(path)),
    ...(error !== undefined && { error }),
  };
}

/** The new text as this file holds it: the store adds a line of its own. */
function isNext(content: Uint8Array): boolean {
  const reading = readSeal(content);
  return 'text' in reading && reading.text === nextText;
}

async function crash(writer: Writer, kind: WriterCrash): Promise<WriterReport> {
  const { trace, left, error } = await record(writer);
  expect(error).toBeUndefined();
  expect(isNext(left)).toBe(true);
  const { recover } = writer;
  const judged = { trace, file: FILE, old: bytes(oldText), next: left, crash: kind };
  return await exploreWriter({ ...judged, ...(recover && { recover }) });
}

/** What becomes of the file when one write of the save, each in turn, is cut short: the worst of it. */
async function afterShortWrites(writer: Writer): Promise<string> {
  const { operations } = (await record(writer)).trace;
  const countWrites = (part: typeof operations) =>
    part.filter(({ kind }) => kind === 'write').length;
  const begun = operations.findIndex(({ kind }) => kind === 'saving');
  const first = countWrites(operations.slice(0, Math.max(begun, 0)));
  const saved = operations.findIndex(({ kind }) => kind === 'saved');
  const found = new Set<string>();
  for (let index = first; index < countWrites(operations.slice(0, saved)); index += 1) {
    found.add(await afterShortWrite(writer, index));
  }
  const worstFirst = ['torn, and said to be saved', 'torn', 'fails, keeps the old'];
  return worstFirst.find((one) => found.has(one)) ?? 'holds';
}

async function afterShortWrite(writer: Writer, index: number): Promise<string> {
  const { left, error } = await record(writer, index);
  if (isNext(left)) return 'holds';
  if (error === undefined) return 'torn, and said to be saved';
  return new TextDecoder().decode(left) === oldText ? 'fails, keeps the old' : 'torn';
}

beforeAll(async () => {
  await tracer.install();
  for (const writer of await publicWriters()) writers.set(writer.name, writer);
});

afterAll(() => {
  tracer.uninstall();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const writer = (name: string): Writer => {
  const found = writers.get(name);
  if (found === undefined) throw new TypeError(`no writer ${name}`);
  return found;
};

const verdicts = async (name: string, kind: WriterCrash) => {
  const { atomic, durable } = await crash(writer(name), kind);
  return [atomic.first?.found ?? 'holds', durable.first?.found ?? 'holds'];
};

describe('a writer in the lab', () => {
  it.each([
    ['`writeFile` of `node:fs`', 'kill', 'empty', 'holds'],
    ['`writeFile` of `node:fs`', 'ordered', 'empty', 'old'],
    ['`steno`', 'kill', 'holds', 'holds'],
    ['`steno`', 'ordered', 'empty', 'old'],
    ['`atomically`', 'ordered', 'holds', 'old'],
    ['`write-file-atomic`', 'ordered', 'holds', 'old'],
    ['`write-file-atomic`', 'posix-minimal', 'holds', 'old'],
  ] as const)(
    'shows what %s loses by %s: atomic %s, durable %s',
    async (name, kind, ...expected) => {
      expect(await verdicts(name, kind)).toEqual(expected);
    },
  );

  it.each(['temporary file, fsync, rename, fsync of the folder', '`checkpoint-wal`'])(
    'loses nothing by any crash: %s',
    async (name) => {
      for (const kind of crashes) expect(await verdicts(name, kind)).toEqual(['holds', 'holds']);
    },
  );

  it('tells a writer that goes on after a short write from one that does not look', async () => {
    expect(await afterShortWrites(writer('`checkpoint-wal`'))).toBe('holds');
    expect(await afterShortWrites(writer('`atomically`'))).toBe('torn, and said to be saved');
  });
});

describe('the table of writers in docs/testing.md', () => {
  it('is generated from these results', async () => {
    const rows = [
      '| writer | killed | power, `ordered` | power, `posix-minimal` | a short write |',
    ];
    rows.push('|---|---|---|---|---|');
    for (const one of writers.values()) {
      const cells: string[] = [];
      for (const kind of crashes) cells.push(cellOf(await crash(one, kind)));
      rows.push(`| ${[one.name, ...cells, await afterShortWrites(one)].join(' | ')} |`);
    }
    expectGeneratedPart('docs/testing.md', 'public-writers', rows.join('\n'));
  }, 60_000);
});

/** The numbers of states depend on names of temporary files and are left out; so are those names. */
function cellOf({ atomic, durable }: WriterReport): string {
  const words = (verdict: WriterReport['atomic']) =>
    describeVerdict(verdict)
      .replace(/ \(\d+ states?\)$/, '')
      .replaceAll(FILE, 'the file')
      .replaceAll(/\/\S*(?:ORCHESTRATION)\S*/g, 'a temporary file')
      .replaceAll(/the file\.\S+/g, 'a temporary file');
  if (atomic.holds && durable.holds) return 'holds';
  const parts = [
    ...(atomic.holds ? [] : [`**not atomic**: ${words(atomic)}`]),
    ...(durable.holds ? [] : [`**not durable**: ${words(durable)}`]),
  ];
  return parts.join('; ');
}

describe('the recorder', () => {
  it('leaves node as it was', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'checkpoint-wal-writer-')), 'file');
    folders.push(dirname(path));
    await writeFile(path, 'untraced');
    expect(await readFile(path, 'utf8')).toBe('untraced');
  });
});
