/**
 * The targets that the project has set itself, each as a ratio of two things measured in the same run, and
 * whether it holds. What was not measured is said not to be.
 */
import { pairedRatio } from './statistics.mjs';

/** @typedef {{ number: number, target: string, wanted: string, measured: string, verdict: string }} TargetRow */

/** The rows, from the results of a run as `run.mjs` writes them. @returns {TargetRow[]} */
export function judgeTargets({ workloads, startUp, crashLab }) {
  const look = new Results(workloads);
  return [
    ...everySave(look),
    ...logged(look),
    ...callers(look),
    ...realFile(look),
    ...largeStates(look),
    ...opening(look),
    ...recovery(look),
    ...lab(crashLab),
    ...starting(startUp),
  ];
}

class Results {
  #workloads;

  constructor(workloads) {
    this.#workloads = workloads;
  }

  row(id, name) {
    const rows = this.#workloads.find((workload) => workload.id === id)?.rows;
    return rows?.find((row) => row.name === name && row.medianMs !== undefined);
  }

  /** How many times as much `name` takes as `base` does on one workload; `undefined` if not measured. */
  ratio(id, name, base, key = 'medianMs') {
    const [one, other] = [this.row(id, name), this.row(id, base)];
    if (one === undefined || other === undefined) return undefined;
    return key === 'medianMs' ? pairedRatio(one.rounds, other.rounds) : one[key] / other[key];
  }

  /** Likewise, on one workload and on another. */
  across([id, name], [baseId, base]) {
    const one = this.row(id, name)?.medianMs;
    const other = this.row(baseId, base)?.medianMs;
    return one === undefined || other === undefined ? undefined : one / other;
  }
}

const times = (value) => `${value.toFixed(value < 10 ? 2 : 0)}×`;
const milliseconds = (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const count = (value) => Math.round(value).toLocaleString('en');

const atMost = (limit, show = times) => ({
  wanted: `at most ${show(limit)}`,
  holds: (value) => value <= limit,
  show,
});
const atLeast = (limit, show = times) => ({
  wanted: `at least ${show(limit)}`,
  holds: (value) => value >= limit,
  show,
});

/** One row; `variants` are `[words, value]`, of which the first one decides. */
function row(number, target, { wanted, holds, show }, variants) {
  const known = variants.filter(([, value]) => value !== undefined);
  const measured = known.map(([words, value]) => (words ? `${show(value)} ${words}` : show(value)));
  // Fewer promises, or others, may hold in part; they don't stand in for what was asked.
  const decided = variants[0][1] === undefined ? undefined : known.map(([, value]) => holds(value));
  return {
    number,
    target,
    wanted,
    measured: measured.join('; ') || '–',
    verdict: verdictOf(decided),
  };
}

function verdictOf(decided) {
  if (decided === undefined) return 'not measured';
  const [first, ...others] = decided;
  if (first) return 'holds';
  return others.some(Boolean) ? 'holds in part' : 'missed';
}

function everySave(look) {
  const id = '1 KB set';
  return [
    row(1, '1 KB, every save: against its own bare system calls, syncs alike', atMost(1.25), [
      ['as shipped', look.ratio(id, 'ours', 'calls-of-ours')],
      ['lean', look.ratio(id, 'ours-lean', 'calls-of-ours-lean')],
      ['lean, blocking', look.ratio(id, 'ours-lean-blocking', 'calls-of-ours-lean-blocking')],
    ]),
    row(1, '1 KB, every save: against better-sqlite3 DELETE/FULL, which blocks', atMost(1), [
      ['as shipped', look.ratio(id, 'ours', 'sqlite-delete')],
      ['lean', look.ratio(id, 'ours-lean', 'sqlite-delete')],
      ['as shipped, blocking', look.ratio(id, 'ours-blocking', 'sqlite-delete')],
      ['lean, blocking', look.ratio(id, 'ours-lean-blocking', 'sqlite-delete')],
    ]),
  ];
}

function logged(look) {
  const id = '1 KB set';
  return [
    row(2, '1 KB, logged: against a bare write into a preallocated file + fdatasync', atMost(1.3), [
      ['as shipped', look.ratio(id, 'ours-logged', 'overwrite')],
      ['lean', look.ratio(id, 'ours-lean-logged', 'overwrite')],
      ['lean, blocking', look.ratio(id, 'ours-lean-logged-blocking', 'overwrite-blocking')],
      ['lean, against an append', look.ratio(id, 'ours-lean-logged', 'append')],
    ]),
    row(2, '1 KB, logged, blocking: against better-sqlite3 WAL/FULL', atMost(1), [
      ['as shipped', look.ratio(id, 'ours-logged-blocking', 'sqlite-wal')],
      ['lean', look.ratio(id, 'ours-lean-logged-blocking', 'sqlite-wal')],
    ]),
    row(
      2,
      '1 KB, logged: delay of the event loop (p99) beyond that of bare writes + fdatasync',
      atMost(1, milliseconds),
      [
        ['as shipped', loopDelayBeyond(look, id, 'ours-logged', 'overwrite')],
        ['lean', loopDelayBeyond(look, id, 'ours-lean-logged', 'overwrite')],
      ],
    ),
  ];
}

function loopDelayBeyond(look, id, name, base) {
  const one = look.row(id, name)?.loopDelayMs;
  const other = look.row(id, base)?.loopDelayMs;
  return one === undefined || other === undefined ? undefined : Math.max(0, one - other);
}

function callers(look) {
  const rate = (name) => look.ratio('256 callers', 'sqlite-wal', name);
  return [
    row(3, '256 callers: rate against better-sqlite3 WAL/FULL, a transaction a save', atLeast(20), [
      ['as shipped', rate('ours')],
      ['lean', rate('ours-lean')],
      ['logged', rate('ours-logged')],
      ['logged, lean', rate('ours-lean-logged')],
    ]),
  ];
}

function realFile(look) {
  const id = look.row('real 40 KB set', 'ours') ? 'real 40 KB set' : '40 KB set';
  const cpu = (name) => look.ratio(id, 'yaml-document', name, 'cpuMs');
  return [
    row(4, '40 KB file, one field: against its own bare system calls', atMost(1.5), [
      ['as shipped', look.ratio(id, 'ours', 'calls-of-ours')],
      ['lean', look.ratio(id, 'ours-lean', 'calls-of-ours-lean')],
    ]),
    row(4, '40 KB file, one field: CPU saved against parseDocument + toString', atLeast(5), [
      ['as shipped', cpu('ours')],
      ['lean', cpu('ours-lean')],
      ['logged', cpu('ours-logged')],
    ]),
  ];
}

/** Long lists and many keys are found and spliced in different ways: both are measured, the worse decides. */
function largeStates(look) {
  const ofShapes = (worse, value) =>
    Object.entries({ list: 'one long list', keys: 'many keys' })
      .map(([shape, words]) => [words, value(shape)])
      .toSorted(([, a], [, b]) => badness(worse, b) - badness(worse, a));
  const faster = ['set', 'update'].map((change) =>
    row(
      5,
      `1 MB, one field by ${change}: faster than yaml.stringify + write-file-atomic`,
      atLeast(20),
      ofShapes('less', (shape) => look.ratio(`1 MB ${shape} ${change}`, 'yaml-stringify', 'ours')),
    ),
  );
  const growth = (shape) =>
    look.across([`10 MB ${shape} set`, 'ours-logged'], ['40 KB set', 'ours-logged']);
  return [
    ...faster,
    row(5, '10 MB, one field, logged: against 40 KB, logged', atMost(3), ofShapes('more', growth)),
  ];
}

/** What was not measured is worst: nothing is decided without it. */
const badness = (worse, value = Number.MAX_VALUE) =>
  value === Number.MAX_VALUE || worse === 'more' ? value : -value;

function opening(look) {
  const ratio = (name) => look.ratio('open 10 MB list', name, 'read-hash');
  return [
    row(6, 'opening 10 MB: against reading and hashing it', atMost(3), [
      ['as shipped', ratio('ours')],
      ['lean', ratio('ours-lean')],
    ]),
  ];
}

function recovery(look) {
  const ratio = (state, name) => look.ratio(`recover ${state}`, name, 'read-hash-write');
  const against = 'against reading, hashing and writing once';
  return [
    row(7, `recovery of 10 MB: ${against}`, atMost(2), [
      ['as shipped', ratio('10 MB list', 'ours')],
      ['lean', ratio('10 MB list', 'ours-lean')],
    ]),
    row(7, `recovery of 40 KB: ${against}`, atMost(2), [
      ['as shipped', ratio('40 KB', 'ours')],
      ['lean', ratio('40 KB', 'ours-lean')],
    ]),
  ];
}

function lab(crashLab) {
  return [
    row(8, 'crash images checked for each second of a core', atLeast(10_000, count), [
      ['', crashLab?.imagesPerCpuSecond],
      ['distinct ones', crashLab?.distinctPerCpuSecond],
    ]),
  ];
}

function starting(startUp) {
  const whole = startUp && startUp.import.medianMs - startUp.node.medianMs;
  return [
    row(9, 'import of the library', atMost(60, milliseconds), [
      ['', startUp?.importing.medianMs],
      ['as a process that imports it, beyond bare node', whole],
    ]),
    row(9, '`checkpoint-wal status`', atMost(150, milliseconds), [['', startUp?.status.medianMs]]),
  ];
}
