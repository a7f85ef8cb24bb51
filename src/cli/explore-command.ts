/**
 * `explore`: the crash lab on the command line; `explore --replay CASE`: a saved case, step by step.
 * Documented in `docs/cli.md` and `docs/testing.md`.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { PersistenceModel } from '../io/simulated-disk.js';
import { type CaseFile, parseCaseFile } from '../testing/case-file.js';
import { exampleCase } from '../testing/example-case.js';
import { type LabProgress, type LabReport, runLab } from '../testing/lab.js';
import { parseFaults, parseScenario } from '../testing/parse-scenario.js';
import type { Scenario, ScenarioFaults } from '../testing/scenario.js';
import { labScenarios } from '../testing/scenarios.js';
import { InterruptedError, UsageError } from './cli-error.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { describeCase } from './explore-replay.js';
import { readBytes } from './read-input.js';

interface ExploreFlags {
  readonly seed: number;
  readonly depth: number;
  readonly images: number;
  readonly model: PersistenceModel | 'both';
  readonly scenario?: string;
  readonly runFaults?: string;
  readonly recoveryFaults?: string;
  readonly time?: number;
  readonly save?: string;
  readonly replay?: string;
  readonly example?: string;
  readonly coverage?: boolean;
}

const EXAMPLES = `
Examples:
  checkpoint-wal explore
  checkpoint-wal explore --time 60s --seed 7 --images 256
  checkpoint-wal explore --scenario mine.json --save failing.json
  checkpoint-wal explore --replay failing.json`;

/** Adds the command. */
export function addExploreCommand(program: Command, launch: Launch): Command {
  return program
    .command('explore')
    .summary('crash a store everywhere, on a simulated disk')
    .description(
      'Runs scenarios on a simulated disk, cuts the power at every moment and again inside the ' +
        'recoveries, and checks that every promise is kept. Without --time: one round. Exits with 1 ' +
        'if a check did not hold.',
    )
    .option('--seed <N>', 'seed of what is sampled', parseWhole, 1)
    .option('--depth <N>', 'how many crashes in a row', parseWhole, 2)
    .option('--images <N>', 'most crash images of one moment', parseWhole, 64)
    .addOption(
      new Option('--model <MODEL>', 'what the disk keeps: see docs/fault-model.md')
        .choices(['posix-minimal', 'ordered', 'both'])
        .default('both'),
    )
    .option('--scenario <FILE>', 'a scenario or a list of them, as JSON')
    .option('--run-faults <FILE>', 'a rule for faults of the file system in the run, as JSON')
    .option('--recovery-faults <FILE>', 'the same in the first recovery of each crash')
    .option('--time <TIME>', 'how long: 60s, 10m; rounds with new seeds until then', parseTime)
    .option('--save <FILE>', 'where to save the first failing case')
    .option('--coverage', 'print how often each transition was crashed at')
    .option('--example <FILE>', 'write a case of one crash in the middle of a save, which holds')
    .option('--replay <CASE>', 'show a saved case instead, step by step, and recover it again')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ExploreFlags, command: Command) => {
      await launch(command, (context) => {
        if (flags.example !== undefined) return writeExample(context, flags, flags.example);
        return flags.replay === undefined
          ? exploreStores(context, flags)
          : replay(context, flags.replay);
      });
    });
}

async function exploreStores(context: CliContext, flags: ExploreFlags): Promise<ExitCode> {
  const { environment, progress } = context;
  const scenarios = await scenariosOf(context, flags);
  let latest: LabProgress | undefined;
  const report = await progress.during(
    () => describeProgress(latest),
    () =>
      runLab({
        scenarios,
        withFailures: isWholeLab(flags),
        models: flags.model === 'both' ? ['posix-minimal', 'ordered'] : [flags.model],
        seed: flags.seed,
        depth: flags.depth,
        imagesPerMoment: [flags.images, Math.max(1, Math.floor(flags.images / 8))],
        failuresMax: 1,
        timeMs: flags.time,
        signal: environment.signal,
        onProgress: (now) => {
          latest = now;
        },
      }),
    { atOnce: true },
  );
  const [first] = report.cases;
  if (first !== undefined && flags.save !== undefined) {
    writeFileSync(resolve(environment.cwd, flags.save), `${JSON.stringify(first, null, 1)}\n`);
  }
  context.result(toJsonReport(report, flags), describeReport(report, flags));
  const { reason } = environment.signal;
  if (report.interrupted && reason instanceof InterruptedError) return reason.exitCode;
  return report.cases.length > 0 || gapsOf(report, flags).length > 0 ? EXIT.error : EXIT.ok;
}

/** For who wants to see what a case looks like while nothing is broken. */
async function writeExample(
  context: CliContext,
  flags: ExploreFlags,
  file: string,
): Promise<ExitCode> {
  const model = flags.model === 'both' ? 'ordered' : flags.model;
  const [scenario] = await scenariosOf(context, flags);
  const state = 'syncingCheckpoint';
  const found = scenario && (await exampleCase({ scenario, model, seed: flags.seed, state }));
  if (found === undefined) throw new UsageError(`The scenario never comes to ${state}.`);
  writeFileSync(resolve(context.environment.cwd, file), `${JSON.stringify(found, null, 1)}\n`);
  context.result(
    { file, scenario: found.scenario.name, model, at: found.trail[0]?.at },
    `${file}: ${found.scenario.name}, the power fails in ${state}. Look at it with: checkpoint-wal inspect --case ${file}\n`,
  );
  return EXIT.ok;
}

/** Whether the lab does all that it has, rather than what it is told to. */
function isWholeLab({ scenario, runFaults, recoveryFaults }: ExploreFlags): boolean {
  return scenario === undefined && runFaults === undefined && recoveryFaults === undefined;
}

/** The scenarios, each with the faults that the flags name beside those of its own. */
async function scenariosOf(context: CliContext, flags: ExploreFlags): Promise<Scenario[]> {
  const scenarios =
    flags.scenario === undefined
      ? [...labScenarios]
      : parseScenario(await readText(context, flags.scenario));
  const faults: ScenarioFaults = {
    ...(flags.runFaults && { run: parseFaults(await readText(context, flags.runFaults)) }),
    ...(flags.recoveryFaults && {
      recovery: parseFaults(await readText(context, flags.recoveryFaults)),
    }),
  };
  return scenarios.map((one) => ({ ...one, faults: { ...one.faults, ...faults } }));
}

/** Transitions that a whole round should have crashed at. Told only where the lab's own round was whole. */
function gapsOf(report: LabReport, flags: ExploreFlags): readonly string[] {
  const { uncovered, cases, interrupted } = report;
  const isOwn = isWholeLab(flags) && flags.time === undefined;
  const isWhole = isOwn && !interrupted && cases.length === 0;
  return isWhole && flags.depth > 1 ? uncovered : [];
}

async function replay(context: CliContext, file: string): Promise<ExitCode> {
  const found = parseCaseFile(await readText(context, file));
  const { text, data, stillFails } = await describeCase(found, context.colors);
  context.result(data, text);
  return stillFails ? EXIT.error : EXIT.ok;
}

const FILE_BYTES_MAX = 64 * 1024 * 1024;

async function readText(context: CliContext, file: string): Promise<string> {
  const path = resolve(context.environment.cwd, file);
  return new TextDecoder().decode(await readBytes(context, path, FILE_BYTES_MAX));
}

function perSecond(count: number, elapsedMs: number): number {
  return elapsedMs <= 0 ? 0 : Math.round((count * 1000) / elapsedMs);
}

function describeProgress(progress: LabProgress | undefined): string {
  if (progress === undefined) return 'exploring';
  const { counts, elapsedMs, model } = progress;
  const rate = perSecond(counts.images, elapsedMs);
  return `${counts.images} images (${rate}/s), ${counts.distinct} distinct, ${counts.failures} failures, ${model}`;
}

function toJsonReport({ cases, ...report }: LabReport, { seed, depth }: ExploreFlags): object {
  return { seed, depth, ...report, failures: cases };
}

function describeReport(report: LabReport, flags: ExploreFlags): string {
  const { counts, cases, coverage, elapsedMs, runs, exhaustiveRuns } = report;
  const crashed = coverage.filter(({ crashes }) => crashes > 0).length;
  const lines = [
    `${counts.images} crash images of ${counts.moments} moments in ${(elapsedMs / 1000).toFixed(1)} s (${perSecond(counts.images, elapsedMs)}/s)`,
    `${counts.distinct} of them distinct: what comes of each was checked (${perSecond(counts.distinct, elapsedMs)}/s)`,
    `${counts.recovered} recoveries were run; of ${counts.distinct - counts.recovered} it was known that they do the same as another`,
    `${runs} runs, ${exhaustiveRuns} exhaustive, the others sampled; seed ${flags.seed}, depth ${flags.depth}`,
    `${crashed} of ${coverage.length} transitions were crashed at`,
    ...(flags.coverage === true ? coverageLines(report) : []),
    ...gapsOf(report, flags).map((name) => `NOT CRASHED AT, and not listed with a reason: ${name}`),
    ...(cases.length === 0
      ? ['every check held']
      : cases.flatMap((one) => failureLines(one, flags))),
  ];
  return `${lines.join('\n')}\n`;
}

function coverageLines({ coverage }: LabReport): string[] {
  return coverage.map(
    ({ machine, transition, crashes }) =>
      `${String(crashes).padStart(9)}  ${machine}: ${transition}`,
  );
}

function failureLines(failed: CaseFile, { save, seed, depth, images }: ExploreFlags): string[] {
  const again =
    save === undefined
      ? `checkpoint-wal explore --seed ${seed} --depth ${depth} --images ${images} --model ${failed.model} --save case.json`
      : `checkpoint-wal explore --replay ${save}`;
  return [
    `FAILED ${failed.check}: ${failed.message}`,
    `  scenario: ${failed.scenario.name}; model: ${failed.model}`,
    ...failed.trail.flatMap(({ at, fates }, index) => [
      `  crash ${index + 1} at ${at}`,
      ...fates.map((fate) => `    ${fate}`),
    ]),
    `  again: ${again}`,
  ];
}

function parseWhole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('a whole number from 1 on is needed');
  }
  return value;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration in milliseconds. */
function parseTime(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const unit = UNITS[found?.[2] ?? ''];
  if (found === null || unit === undefined) {
    throw new InvalidArgumentError('a time as 60s, 10m or 500ms is needed');
  }
  return Number(found[1]) * unit;
}
