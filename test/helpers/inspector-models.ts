/**
 * Runs as the inspector shows them, made by real stores: one on a real disk with a sync that fails, one
 * on a simulated disk that loses its power, and long ones that repeat the rounds of the first.
 */
import { readFileSync } from 'node:fs';
import {
  type AuditEntry,
  type AuditFacts,
  EMPTY_HEAD,
  sealEntry,
} from '../../src/format/audit-entry.js';
import { sha256Hex } from '../../src/format/bytes.js';
import { machineDiagrams } from '../../src/inspector/machine-diagrams.js';
import type {
  CheckpointView,
  DiskFile,
  DiskFrame,
  FileView,
  MachineDrawing,
  RunModel,
} from '../../src/inspector/run-model.js';
import type { CheckpointIo } from '../../src/io/checkpoint-io.js';
import { crashImages, mount } from '../../src/io/crash-images.js';
import type { DiskState } from '../../src/io/disk-state.js';
import { describeState, SimulatedDisk } from '../../src/io/simulated-disk.js';
import type { AuditOptions } from '../../src/store/audit-trail.js';
import { type CheckpointStore, openCheckpointStore } from '../../src/store.js';
import { faultyIo } from '../../src/testing/faulty-io.js';
import { freshFolder } from './temporary-folders.js';
import { AFTER_PHASE_2 } from './three-phases.js';

const DIRECTORY = '/orchestration';

/** The statecharts as the documents show them. */
export function drawings(): MachineDrawing[] {
  return machineDiagrams().map(({ name, title, states }) => ({
    name,
    title,
    svg: readFileSync(new URL(`../../docs/diagrams/${name}.svg`, import.meta.url), 'utf8'),
    failureStates: states.filter(({ role }) => role === 'failure').map(({ path }) => path),
  }));
}

/** Entries of stores that were watched. */
class Recording {
  readonly entries: AuditEntry[] = [];
  readonly checkpoints: CheckpointView[] = [];
  readonly #start = performance.now();
  epoch = 1;

  /** Settings for the audit of one store: its entries are taken over here. */
  audit(process: string, took?: () => void): AuditOptions {
    const began = (performance.now() - this.#start) * 1000;
    return {
      onEntry: (entry) => {
        // What the record says of itself is for runs that come from one.
        if (entry.machine === 'audit') return;
        const elapsedUs = Math.round(began + entry.elapsedUs);
        this.take({ ...entry, process, elapsedUs, epoch: this.epoch });
        took?.();
      },
    };
  }

  /** Chains facts to those before. */
  take(facts: AuditFacts): void {
    const last = this.entries.at(-1);
    const head = last === undefined ? EMPTY_HEAD : { number: last.number, hash: last.hash };
    this.entries.push(sealEntry(facts, head).entry);
  }

  /** What the store's checkpoint is now. */
  keep(store: CheckpointStore<unknown>, label?: string): void {
    const text = store.text ?? '';
    const bytes = new TextEncoder().encode(text);
    const named = label === undefined ? {} : { label };
    const { sequence } = store;
    this.checkpoints.push({
      sequence,
      size: bytes.length,
      sha256: sha256Hex(bytes),
      text,
      ...named,
    });
  }
}

/** What the orchestrator of these runs does. */
const STEPS: readonly (readonly [path: string, value: unknown, label: string])[] = [
  ['phases[2].status', 'ACTIVE', 'phase 3 begins'],
  ['phases[2].agents[0].status', 'ACTIVE', 'agent-3 begins'],
  ['metrics.tests_passed', 431, 'tests again'],
  ['next_step', 'Wait for the last region', 'two regions live'],
];

/** A run on a real disk. The sync of its third save fails once, and is done anew. */
export async function recordedModel(overrides: Partial<RunModel> = {}): Promise<RunModel> {
  const recording = new Recording();
  const store = await openCheckpointStore({
    directory: freshFolder(),
    audit: recording.audit('4127@build-1'),
    restore: { mode: 'manual' },
    around: (io) => faultyIo(io, [{ operation: 'syncWal', nth: 3, kind: 'sync' }]),
  });
  await store.saveText(AFTER_PHASE_2, { label: 'phase 2 complete' });
  recording.keep(store, 'phase 2 complete');
  for (const [path, value, label] of STEPS) {
    await store.set(path, value, { label });
    recording.keep(store, label);
  }
  await store.close();
  const { entries, checkpoints } = recording;
  return {
    version: 1,
    title: 'orchestration/ORCHESTRATION.yaml',
    source: 'audit',
    machines: drawings(),
    entries,
    chain: { intact: true, message: `${entries.length} entries, from 1 to ${entries.length}` },
    checkpoints,
    ...overrides,
  };
}

/** The same round over and over, until there are so many entries. */
export async function longModel(count: number): Promise<RunModel> {
  const model = await recordedModel();
  const isRoundStart = ({ machine, event }: AuditEntry) =>
    machine === 'checkpoint' && event === 'save.requested';
  const start = model.entries.findIndex(isRoundStart);
  const end = model.entries.findIndex(({ event }) => event === 'xstate.done.actor.write');
  const opening = model.entries.slice(0, start);
  const round = model.entries.slice(start, end + 1);
  const entries = [...opening];
  for (let sequence = 1; entries.length < count; sequence += 1) {
    const at = entries.at(-1)?.elapsedUs ?? 0;
    const first = round[0]?.elapsedUs ?? 0;
    for (const entry of round) {
      if (entries.length >= count) break;
      // Every round takes its own time, and now and then the disk takes long.
      const pace = 1 + ((sequence * 7919) % 31) / 10 + (sequence % 977 === 0 ? 40 : 0);
      const elapsedUs = at + 100 + Math.round((entry.elapsedUs - first) * pace);
      const number = entries.length + 1;
      entries.push({ ...entry, number, elapsedUs, sequence });
    }
  }
  const chain = { intact: true, message: `${count} entries, from 1 to ${count}` };
  return { ...model, title: 'a long run', entries, checkpoints: [], chain };
}

/** A run on a simulated disk whose power fails in step 5 of its third save; then its recovery. */
export async function crashedModel(): Promise<RunModel> {
  const recording = new Recording();
  const disk = new SimulatedDisk();
  const frames: DiskFrame[] = [];
  const filmed = (watched: SimulatedDisk) => () => {
    frames.push({ at: recording.entries.length - 1, files: filesOf(watched) });
  };
  let crash: () => void = () => {};
  const crashed = new Promise<void>((resolve) => {
    crash = resolve;
  });
  const store = await openCheckpointStore({
    directory: DIRECTORY,
    fileSystem: disk,
    audit: recording.audit('1@the-lab', filmed(disk)),
    restore: false,
    around: (io) => stoppingAt(io, 'syncCheckpoint', 3, crash),
  });
  await store.saveText(AFTER_PHASE_2);
  recording.keep(store);
  await store.set('phases[2].status', 'ACTIVE');
  recording.keep(store);
  // Nobody will ever answer this one.
  store.set('phases[2].agents[0].status', 'ACTIVE').catch(() => {});
  await crashed;
  const at = recording.entries.length - 1;
  const [image] = [...crashImages(disk.moment(), { limit: 12, seed: 5 }).images].slice(3);
  if (image === undefined) throw new Error('there is no crash image');
  const mounted = mount(image.state, disk.model);
  recording.epoch = 2;
  const second = await openCheckpointStore({
    directory: DIRECTORY,
    fileSystem: mounted,
    audit: recording.audit('2@the-lab', filmed(mounted)),
    restore: false,
  });
  recording.keep(second);
  await second.close();
  return {
    version: 1,
    title: 'case: power failure in step 5 of the third save',
    source: 'case',
    machines: drawings(),
    entries: recording.entries,
    checkpoints: recording.checkpoints,
    disk: frames,
    crashes: [
      {
        at,
        moment: 'power failure in syncingCheckpoint, before the rename',
        image: namedFiles(image.state).map(({ content, ...file }) => ({
          ...file,
          volatile: viewOf(content),
          durable: viewOf(content),
        })),
        fates: image.fates,
      },
    ],
    verdict: {
      holds: true,
      message:
        'recovery found checkpoint 3, which the log had promised; a second recovery changed nothing',
    },
  };
}

/** A port whose `nth` call of an operation is the last thing that happens. */
function stoppingAt(
  io: CheckpointIo,
  operation: 'syncCheckpoint',
  nth: number,
  stop: () => void,
): CheckpointIo {
  let count = 0;
  return {
    ...io,
    [operation]: (input: undefined) => {
      count += 1;
      if (count < nth) return io[operation](input);
      stop();
      return new Promise(() => {});
    },
  };
}

interface NamedFile {
  readonly name: string;
  readonly kind: DiskFile['kind'];
  readonly content: Uint8Array;
}

function filesOf(disk: SimulatedDisk): DiskFile[] {
  const files = new Map<string, DiskFile>();
  for (const { content, ...file } of namedFiles(disk.moment().durable)) {
    files.set(file.name, { ...file, durable: viewOf(content) });
  }
  for (const { content, ...file } of namedFiles(disk.visible())) {
    files.set(file.name, { ...file, ...files.get(file.name), volatile: viewOf(content) });
  }
  return [...files.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

function namedFiles(state: DiskState): NamedFile[] {
  return describeState(state).flatMap(({ path, content }) => {
    if (content === undefined || !path.startsWith(DIRECTORY)) return [];
    const name = path.slice(DIRECTORY.length + 1);
    return [{ name, kind: kindOf(name), content }];
  });
}

function kindOf(name: string): DiskFile['kind'] {
  if (name === 'ORCHESTRATION.yaml') return 'checkpoint';
  if (name.startsWith('checkpoints/')) return 'history';
  if (name.endsWith('.tmp')) return 'temporary';
  if (name === '.checkpoint.wal') return 'wal';
  return name === '.checkpoint.lock' ? 'lock' : 'other';
}

function viewOf(content: Uint8Array): FileView {
  const sequence = /^# checkpoint-wal.*?\bsequence[=: ](\d+)/m.exec(
    new TextDecoder().decode(content),
  )?.[1];
  const named = sequence === undefined ? {} : { sequence: Number(sequence) };
  return { size: content.length, sha256: sha256Hex(content), ...named };
}
