/**
 * A case of the crash lab as a run that can be looked at: the run up to the crash, what the crash left,
 * and what each recovery did, with the disk after every transition. All of it is done again, by this
 * version of the store, on simulated disks; time is counted in changes of the disk.
 */
import type { InspectionEvent } from 'xstate';
import { createTransitionRecorder } from '../audit/transition-recorder.js';
import { type AuditEntry, EMPTY_HEAD, sealEntry } from '../format/audit-entry.js';
import { readSeal } from '../format/seal.js';
import { kindOfFile, viewOfFile } from '../inspector/file-view.js';
import type {
  CheckpointView,
  CrashView,
  DiskFile,
  DiskFrame,
  FileView,
  MachineDrawing,
  RunModel,
} from '../inspector/run-model.js';
import { mount } from '../io/crash-images.js';
import type { DiskState } from '../io/disk-state.js';
import { describeState, SimulatedDisk } from '../io/simulated-disk.js';
import { type CaseFile, fromData } from './case-file.js';
import { Coverage } from './coverage.js';
import { detectorProgram } from './detector-lab.js';
import { storeProgram } from './explore.js';
import type { Probe, Program } from './explore-program.js';
import { replayCase } from './replay-case.js';
import { LAB_DIRECTORY, LAB_FILE } from './scenario.js';

/** Does a case again and tells what can be seen of it. */
export async function caseRun(
  found: CaseFile,
  { machines, title }: { readonly machines: readonly MachineDrawing[]; readonly title: string },
): Promise<RunModel> {
  const recording = new Recording();
  const crashes = found.detector
    ? await repeat(found, detectorProgram(found.detector), recording)
    : await repeat(found, storeProgram(found.scenario, found), recording);
  return {
    version: 1,
    title,
    source: 'case',
    machines,
    entries: recording.entries,
    checkpoints: [...recording.checkpoints.values()].sort((a, b) => a.sequence - b.sequence),
    disk: recording.frames,
    crashes,
    verdict: await verdictOf(found),
  };
}

async function repeat<Promised, Found>(
  { model, trail }: CaseFile,
  program: Program<Promised, Found>,
  recording: Recording,
): Promise<CrashView[]> {
  const crashes: CrashView[] = [];
  const disk = new SimulatedDisk({ model });
  await recording.follow<Promised>(disk, trail[0]?.at, (probe) => program.run(disk, probe));
  for (const [index, { at, fates, disk: left }] of trail.entries()) {
    const image = fromData(left);
    const last = recording.entries.length - 1;
    crashes.push({ at: last, moment: at, image: filesOf(image, image), fates });
    const next = mount(image, model);
    await recording.follow<Promised>(next, trail[index + 1]?.at, (probe) =>
      program.recover(next, probe, index + 1),
    );
  }
  return crashes;
}

async function verdictOf(found: CaseFile): Promise<NonNullable<RunModel['verdict']>> {
  const replayed = await replayCase(found);
  const [failure] = replayed?.failures ?? [];
  if (failure !== undefined) {
    return { holds: false, message: `${failure.check}: ${failure.message}` };
  }
  const before = found.check === '' ? '' : ` When it was saved, this did not: ${found.check}.`;
  return { holds: true, message: `Every check holds.${before}` };
}

/** When a crash came, as `FoundFailure` words it: the state, and how often the disk had changed. */
class CrashMoment {
  readonly #state: string | undefined;
  readonly #changes: number;
  #isReached = false;

  constructor(at: string | undefined) {
    const [, state, changes] = /^(.*), after (\d+) changes$/s.exec(at ?? '') ?? [];
    this.#state = state;
    this.#changes = changes === undefined ? Number.POSITIVE_INFINITY : Number(changes);
  }

  /** Whether it is over by then. Called for each state and each change, in order. */
  isOver(state: string, changes: number): boolean {
    if (changes !== this.#changes) return changes > this.#changes;
    if (state === this.#state) this.#isReached = true;
    return this.#isReached && state !== this.#state;
  }
}

/** Entries, and the disk after each; those that come after the crash are left out. */
class Recording {
  readonly entries: AuditEntry[] = [];
  readonly frames: DiskFrame[] = [];
  readonly checkpoints = new Map<number, CheckpointView>();
  #changesBefore = 0;

  async follow<Promised>(
    disk: SimulatedDisk,
    crash: string | undefined,
    act: (probe: Probe<Promised>) => Promise<unknown>,
  ): Promise<void> {
    const moment = new CrashMoment(crash);
    let changes = 0;
    let state = 'start';
    let isOver = false;
    let isPaused = false;
    const changed = () => {
      changes += 1;
      isOver ||= moment.isOver(state, changes);
      if (!isOver && !isPaused) this.#look(disk);
    };
    disk.onChange(changed);
    const record = createTransitionRecorder({
      now: () => Date.UTC(2040, 0, 1),
      elapsedUs: () => (this.#changesBefore + changes) * 1000,
      process: '1@simulated',
      epoch: () => 0,
      includeMessages: true,
      take: (facts) => {
        this.entries.push(sealEntry(facts(), this.entries.at(-1) ?? EMPTY_HEAD).entry);
        this.#look(disk);
      },
    });
    await act({
      inspect: (event: InspectionEvent) => {
        if (event.type === '@xstate.microstep') state = Coverage.stateOf(event) ?? state;
        isOver ||= moment.isOver(state, changes);
        if (!isOver) record(event);
      },
      promises: () => {},
      outside: (doSomething) => {
        isPaused = true;
        doSomething();
        isPaused = false;
        changed();
      },
    });
    disk.onChange(undefined);
    this.#changesBefore += changes;
  }

  /** The disk as it is once the newest entry is there: it changes until the next one. */
  #look(disk: SimulatedDisk): void {
    const at = this.entries.length - 1;
    if (at < 0) return;
    const visible = disk.visible();
    const frame = { at, files: filesOf(visible, disk.moment().durable) };
    if (this.frames.at(-1)?.at === at) this.frames.pop();
    this.frames.push(frame);
    for (const { path, content } of describeState(visible)) {
      if (content !== undefined) this.#keep(nameIn(path), content);
    }
  }

  #keep(name: string | undefined, content: Uint8Array): void {
    if (name === undefined) return;
    const kind = kindOfFile(name, LAB_FILE);
    if (kind !== 'checkpoint' && kind !== 'history') return;
    const reading = readSeal(content);
    if (reading.kind !== 'sealed' || this.checkpoints.has(reading.sequence)) return;
    const { sequence, text, label } = reading;
    const { sha256 } = viewOfFile(kind, content);
    const facts = { ...(sha256 && { sha256 }), ...(label !== undefined && { label }) };
    this.checkpoints.set(sequence, { sequence, size: content.length, text, ...facts });
  }
}

/** Each file as processes see it, and as it would be after a power failure now. */
function filesOf(visible: DiskState, durable: DiskState): DiskFile[] {
  const files = new Map<string, { volatile?: FileView; durable?: FileView }>();
  for (const [side, state] of [
    ['volatile', visible],
    ['durable', durable],
  ] as const) {
    for (const { path, content } of describeState(state)) {
      const name = nameIn(path);
      if (name === undefined || content === undefined) continue;
      const view = viewOfFile(kindOfFile(name, LAB_FILE), content);
      files.set(name, { ...files.get(name), [side]: view });
    }
  }
  return [...files]
    .map(([name, views]) => ({ name, kind: kindOfFile(name, LAB_FILE), ...views }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

function nameIn(path: string): string | undefined {
  const start = `${LAB_DIRECTORY}/`;
  return path.startsWith(start) && !path.endsWith('/') ? path.slice(start.length) : undefined;
}
