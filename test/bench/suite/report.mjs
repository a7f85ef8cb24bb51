/** The results of a run as Markdown: the targets first, then one table for each workload. */
import { contenders } from '../contenders/index.mjs';
import { describeMachine } from './machine-facts.mjs';

/** The whole report; for the terminal as well, tables being readable as they are. */
export function reportOf(results) {
  const { machine, scale, targets, workloads, startUp, crashLab, missing, leftOut } = results;
  const parts = [
    `Measured ${results.date.slice(0, 10)} with checkpoint-wal ${results.version} (${scale} run): ${describeMachine(machine)}.`,
  ];
  if (missing.length > 0) parts.push(`Not here, so not measured: ${missing.join('; ')}.`);
  if (leftOut.length > 0) parts.push(`Left out, as time was up: ${leftOut.join(', ')}.`);
  if (targets) parts.push('### Targets', targetTable(targets));
  for (const workload of workloads) parts.push(`### ${titleOf(workload)}`, workloadTable(workload));
  if (startUp) parts.push('### Starting', startTable(startUp));
  if (crashLab) parts.push('### The crash lab', labSentence(crashLab));
  return parts.join('\n\n');
}

function targetTable(targets) {
  const rows = targets.map(({ number, target, wanted, measured, verdict }) => [
    number,
    target,
    wanted,
    measured,
    verdict,
  ]);
  return table(['', 'target', 'wanted', 'measured', 'verdict'], rows);
}

const words = {
  set: 'one field changed',
  update: 'one field changed by a function',
  append: 'one list entry appended',
  all: 'everything changed',
};

function titleOf({ does, state, change, callers, bytes }) {
  const size = bytes ? `, ${bytes.toLocaleString('en')} bytes` : '';
  if (does === 'open') return `Opening: ${state}${size}`;
  if (does === 'recover') return `Recovery after a kill: ${state}${size}`;
  const who = callers === 1 ? '' : `, ${callers} callers at once`;
  return `Saving: ${state}${size}, ${words[change]}${who}`;
}

function workloadTable({ rows, base }) {
  const head = ['', 'ratio', 'median ms', 'p99 ms', 'min ms', 'CPU ms', 'loop p99 ms', 'peak MB'];
  const sorted = rows.toSorted((a, b) => (a.medianMs ?? 1e9) - (b.medianMs ?? 1e9));
  const lines = sorted.map((row) => {
    const { title, kind } = contenders[row.name];
    const name = kind === 'ours' ? `**${title}**` : title;
    if (row.problem) return [`${name}: ${short(row.problem)}`, ...Array(head.length - 1).fill('–')];
    const ratio = row.name === base ? '1' : number(row.ratio);
    const values = [row.medianMs, row.p99Ms, row.minMs, row.cpuMs, row.loopDelayMs];
    return [name, ratio, ...values.map(number), Math.round(row.maxRssMb)];
  });
  return `Ratios to: ${contenders[base].title}.\n\n${table(head, lines)}`;
}

const short = (problem) => problem.split(/[;\n]/, 1)[0].slice(0, 80).replaceAll('|', '\\|');

function startTable(startUp) {
  const names = {
    node: '`node -e 0`',
    import: "the same with `import 'checkpoint-wal'`",
    importing: 'of which the import',
    status: '`checkpoint-wal status`',
  };
  const rows = Object.entries(names).map(([name, title]) => {
    const { medianMs, p99Ms, minMs } = startUp[name];
    return [title, number(medianMs), number(p99Ms), number(minMs)];
  });
  return table(['', 'median ms', 'p99 ms', 'min ms'], rows);
}

function labSentence({ images, distinct, cpuSeconds, imagesPerCpuSecond, distinctPerCpuSecond }) {
  const count = (value) => Math.round(value).toLocaleString('en');
  return (
    `${count(images)} crash images checked in ${cpuSeconds.toFixed(1)} s of processor time, ` +
    `${count(imagesPerCpuSecond)} a second; ${count(distinct)} of them differed from all others ` +
    `(${count(distinctPerCpuSecond)} a second), the rest equalled one that was checked.`
  );
}

/** Three digits that count. */
function number(value) {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3);
}

/** A Markdown table; the columns after the first that hold numbers are set to the right. */
function table(head, rows) {
  const isNumeric = head.map((_, column) =>
    rows.every((cells) => /^[\d.,–]+$/.test(String(cells[column]))),
  );
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = line(isNumeric.map((right) => (right ? '--:' : '---')));
  return [line(head), rule, ...rows.map(line)].join('\n');
}
