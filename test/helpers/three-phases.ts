/**
 * A workflow of three phases as it stands in the field: a file with comments that people wrote, the
 * artifacts of its agents, and the steps that its orchestrator takes. Shared by the scenario tests, which
 * take it through the library, the command line and a crash loop.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { readSeal, removeSealLines } from '../../src/format/seal.js';
import { linesOf } from './line-changes.js';

/** The state as the orchestrator knows it. */
export interface Workflow {
  workflow: { name: string; status: string; current_phase: number };
  phases: {
    name: string;
    status: string;
    agents: { name: string; status: string; artifact: string | null }[];
  }[];
  metrics: { tests_passed: number; coverage: number; quality: number };
  blockers: string[];
  next_step: string;
}

/** The file when phase 2 is done and phase 3 is next. */
export const AFTER_PHASE_2 = `# =============================================================================
# ORCHESTRATION: tariff-service, from one region to three
# =============================================================================
# Written by the orchestrator, read by its agents, edited by hand in between.

workflow:
  name: tariff-service              # also the name of the branch
  status: ACTIVE                    # PENDING | ACTIVE | FAILED | COMPLETE
  current_phase: 3
  owner: 'Noor'                     # decides when two agents disagree

# -----------------------------------------------------------------------------
# PHASES: strictly one after the other
# -----------------------------------------------------------------------------
phases:
  # Reading only: production is not touched before phase 3.
  - name: survey
    status: COMPLETE
    agents:
      - name: agent-1
        status: COMPLETE
        artifact: artifacts/survey.md       # signed off on Monday

  # Two agents side by side. The second builds on the first one's schema.
  - name: build
    status: COMPLETE                # never set back without asking the owner
    agents:
      - name: agent-1
        status: COMPLETE
        artifact: artifacts/schema.sql
      - name: agent-2
        status: COMPLETE            # took two attempts; see the notes
        artifact: artifacts/tariffs.bin     # 200 kB, binary
        notes: |
          Rates are per kWh, not per MWh.
          # this line is text, not a comment

  - name: roll-out
    status: PENDING
    agents:
      - name: agent-3
        status: PENDING
        artifact: null              # written when the last region is live

# Measured after each phase, on the build machine.
metrics:
  tests_passed: 412
  coverage: 0.91                    # of lines
  quality:  0.95                    # below 0.90 the owner is asked

blockers: []                        # empty means: go on

# What whoever reads this file does next.
next_step: "Start phase 3: roll out region by region"
`;

/** What the checkpoint after phase 2 refers to. */
export const ARTIFACTS_OF_PHASE_2 = [
  'artifacts/survey.md',
  'artifacts/schema.sql',
  'artifacts/tariffs.bin',
] as const;

/** The label of the checkpoint after phase 2. */
export const GOOD_LABEL = 'phase 2 complete';

/** What {@link corrupt} does, value by value. */
export const CORRUPTION: readonly (readonly [path: string, value: unknown])[] = [
  ['workflow.status', 'FAILED'],
  ['workflow.current_phase', 2],
  ['phases[1].status', 'FAILED'],
  ['phases[1].agents[1].status', 'FAILED'],
  ['phases[1].agents[1].artifact', null],
  ['metrics.tests_passed', 97],
  ['metrics.coverage', 0.4],
  ['metrics.quality', 0.31],
  ['blockers', ['agent-2 lost its artifact']],
  ['next_step', 'Call the owner'],
];

/** Writes the artifacts of phases 1 and 2 under a folder. */
export function writeArtifacts(root: string): void {
  mkdirSync(join(root, 'artifacts'), { recursive: true });
  const [survey, schema, tariffs] = ARTIFACTS_OF_PHASE_2;
  writeFileSync(join(root, survey), '# Survey\n\nThree regions, two currencies.\n');
  writeFileSync(join(root, schema), 'CREATE TABLE tariff (region TEXT, rate NUMERIC);\n');
  writeFileSync(
    join(root, tariffs),
    Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251)),
  );
}

/** Takes from the state all that it can lose while its file stays well-formed. */
export function corrupt(state: Workflow): void {
  state.workflow.status = 'FAILED';
  state.workflow.current_phase = 2;
  const [, build] = state.phases;
  const agent = build?.agents[1];
  if (build === undefined || agent === undefined) throw new Error('phase 2 has two agents');
  build.status = 'FAILED';
  Object.assign(agent, { status: 'FAILED', artifact: null });
  state.metrics = { tests_passed: 97, coverage: 0.4, quality: 0.31 };
  state.blockers.push('agent-2 lost its artifact');
  state.next_step = 'Call the owner';
}

/** Ends phase 3; its artifact is the given one. */
export function finishPhase3(state: Workflow, artifact: string): void {
  const rollOut = state.phases[2];
  const agent = rollOut?.agents[0];
  if (rollOut === undefined || agent === undefined) throw new Error('phase 3 has an agent');
  rollOut.status = 'COMPLETE';
  Object.assign(agent, { status: 'COMPLETE', artifact });
  state.workflow.status = 'COMPLETE';
  state.next_step = 'Nothing: all regions are live';
}

/** The comments of a text, in order: whole lines as they are, others from their `#` on. */
export function commentsOf(text: string): string[] {
  return linesOf(text).flatMap((line) => /^ *#.*\n|#.*\n/.exec(line)?.[0] ?? []);
}

/** Expects the file on disk to be sealed, and its text to be this one, byte for byte. */
export function expectOnDisk(file: string, text: string): void {
  const reading = readSeal(readFileSync(file));
  expect(reading).toMatchObject({ kind: 'sealed' });
  expect('text' in reading ? reading.text : undefined).toBe(text);
}

/** The text of a file that may have been edited under its seal. */
export function textOf(file: string): string {
  return removeSealLines(readFileSync(file, 'utf8'));
}

/** What comes and goes with a run, and the record of it. */
const notTheUsers = new Set(['.checkpoint.lock', 'audit.jsonl']);

/** Every file under a folder, with its bytes; the lock is left out, as each opening renews it. */
export function filesUnder(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && !notTheUsers.has(entry.name));
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path).toString('base64')]));
}

/** Writes a further artifact under a folder. */
export function writeArtifact(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
