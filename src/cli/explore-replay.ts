/**
 * A saved case of the lab for a person: the disk before and after each crash, what recovery then did,
 * and whether the check still does not hold.
 */
import { readSeal } from '../format/seal.js';
import { scanWal } from '../format/wal-scanner.js';
import type { DiskState } from '../io/disk-state.js';
import { describeState } from '../io/simulated-disk.js';
import { type CaseFile, fromData } from '../testing/case-file.js';
import { describeFaults, describeStep } from '../testing/describe-scenario.js';
import { describeFault } from '../testing/faulty-io.js';
import { replayCase } from '../testing/replay-case.js';
import { LAB_FILE } from '../testing/scenario.js';
import type { Colors } from './context.js';
import { printable } from './words.js';

/** What a replay shows. */
export interface Replay {
  readonly text: string;
  readonly data: object;
  /** Whether a check still does not hold after recovering the last image. */
  readonly stillFails: boolean;
}

/** Shows a case, and recovers its last image with this version. */
export async function describeCase(found: CaseFile, colors: Colors): Promise<Replay> {
  const { scenario, model, trail, check, message } = found;
  const lines = [
    `${colors.bold(scenario.name)} (${model}, seed ${found.seed})`,
    ...scenario.steps.map((step) => `  ${printable(describeStep(step))}`),
    ...faultLines(found).map((line) => `  ${printable(line)}`),
    `${colors.red(`${check}:`)} ${printable(message)}`,
  ];
  for (const [index, { at, fates, disk }] of trail.entries()) {
    lines.push('', colors.bold(`crash ${index + 1}: ${printable(at)}`));
    lines.push(...fates.map((fate) => `  ${printable(fate)}`), '  the disk then holds:');
    lines.push(...diskLines(fromData(disk)));
  }
  const after = await recoverLast(found);
  lines.push('', colors.bold('recovered with this version:'), ...after.lines);
  return {
    text: `${lines.join('\n')}\n`,
    data: { ...found, recovered: after.data },
    stillFails: after.stillFails,
  };
}

function faultLines({ scenario, runFaults = [], recoveryFaults = [] }: CaseFile): string[] {
  return [
    ...describeFaults(scenario),
    ...runFaults.map((fault) => `in the run, ${describeFault(fault)}`),
    ...recoveryFaults.map((fault) => `in the first recovery, ${describeFault(fault)}`),
  ];
}

async function recoverLast(found: CaseFile) {
  const replayed = await replayCase(found);
  if (replayed === undefined) {
    return { lines: ['  there is no crash in this case'], data: {}, stillFails: false };
  }
  const { disk, outcome, failures } = replayed;
  const stillFails = failures.length > 0;
  const told = failures.map(
    ({ check, message }) => `  STILL FAILS ${check}: ${printable(message)}`,
  );
  if (!outcome.ready) {
    const why = outcome.error instanceof Error ? outcome.error.message : String(outcome.error);
    const data = { refused: why, failures };
    return { lines: [`  refused: ${printable(why)}`, ...told], data, stillFails };
  }
  const { recovery, text, sequence } = outcome.store;
  const lines = [
    ...recovery.decisions.map(({ label, because }) => `  ${label}: ${because}`),
    ...recovery.lost.map((lost) => `  lost: ${lost}`),
    ...recovery.kept.map(({ file, reason }) => `  kept: ${file} (${reason})`),
    `  checkpoint ${sequence}: ${JSON.stringify(text)}`,
    '  the disk then holds:',
    ...diskLines(disk.visible()),
    ...told,
  ];
  return { lines, data: { sequence, text, recovery, failures }, stillFails };
}

function diskLines(state: DiskState): string[] {
  return describeState(state).map(({ path, content }) =>
    content === undefined
      ? `    ${printable(path)}`
      : `    ${printable(path)}  ${content.length} bytes  ${describeContent(path, content)}`,
  );
}

function describeContent(path: string, content: Uint8Array): string {
  if (path.endsWith('.wal')) {
    const scan = scanWal(content, { target: LAB_FILE });
    return `log: ${scan.kind}${scan.kind === 'sealed' ? ` (save ${scan.last.intent.sequence})` : ''}`;
  }
  const reading = readSeal(content);
  const sequence = 'sequence' in reading ? ` ${reading.sequence}` : '';
  const text = 'text' in reading ? ` ${printable(JSON.stringify(reading.text.slice(0, 60)))}` : '';
  return `${reading.kind}${sequence}${text}`;
}
