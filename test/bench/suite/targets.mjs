/**
 * The targets that the project has set itself, each as a ratio of two things measured in the same run, and
 * whether it is met. What was not measured is said not to be.
 */

import { pairedRatio } from './statistics.mjs';

/** @typedef {{ number: number, target: string, measured: string, verdict: string }} TargetRow */

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

const atMost = (limit) => (value) => value <= limit;
const atLeast = (limit) => (value) => value >= limit;
const times = (value) => `${value.toFixed(value < 10 ? 2 : 0)}×`;

/** One row; `variants` are `[words, value]`, of which the first one decides. */
function row(number, target, holds, variants, show = times) {
  const known = variants.filter(([, value]) => value !== undefined);
  const measured = known.map(([words, value]) => (words ? `${show(value)} ${words}` : show(value)));
  return { number, target, measured: measured.join('; ') || '–', verdict: verdictOf(known, holds) };
}

function verdictOf(known, holds) {
  if (known.length === 0) return 'not measured';
  const [first, ...others] = known.map(([, value]) => holds(value));
  if (first) return 'met';
  return others.some(Boolean) ? 'met in part' : 'missed';
}

function everySave(look) {
  const id = '1 KB set';
  return [
    row(1, '1 KB, committed: at most 1.25× its own system calls', atMost(1.25), [
      ['as shipped', look.ratio(id, 'ours', 'calls-of-ours')],
      ['without audit and detector', look.ratio(id, 'ours-lean', 'calls-of-ours-lean')],
      ['the same, blocking', look.ratio(id, 'ours-lean-blocking', 'calls-of-ours-lean-blocking')],
    ]),
    row(1, '1 KB, committed: no slower than better-sqlite3 DELETE/FULL', atMost(1), [
      ['as shipped', look.ratio(id, 'ours', 'sqlite-delete')],
      ['without audit and detector', look.ratio(id, 'ours-lean', 'sqlite-delete')],
      ['the same, blocking', look.ratio(id, 'ours-lean-blocking', 'sqlite-delete')],
    ]),
  ];
}

function logged(look) {
  const id = '1 KB set';
  return [
    row(2, '1 KB, logged: at most 1.3× a bare append + fdatasync', atMost(1.3), [
      ['as shipped', look.ratio(id, 'ours-later', 'append')],
      ['without audit and detector', look.ratio(id, 'ours-lean-later', 'append')],
      ['the same, of a write into preallocated', look.ratio(id, 'ours-lean-later', 'overwrite')],
    ]),
    row(2, '1 KB, logged, blocking: no slower than better-sqlite3 WAL/FULL', atMost(1), [
      ['without audit and detector', look.ratio(id, 'ours-lean-later-blocking', 'sqlite-wal')],
    ]),
    row(
      2,
      '1 KB, logged: the event loop is not blocked (delay, p99, at most that of bare appends + 1 ms)',
      atMost(1),
      [['ms more', loopDelayBeyond(look, id, 'ours-later', 'append')]],
      (value) => value.toFixed(2),
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
    row(3, '256 callers: at least 20× the rate of better-sqlite3 WAL/FULL', atLeast(20), [
      ['as shipped', rate('ours')],
      ['without audit and detector', rate('ours-lean')],
      ['published later', rate('ours-later')],
    ]),
  ];
}

function realFile(look) {
  const id = look.row('real 40 KB set', 'ours') ? 'real 40 KB set' : '40 KB set';
  const cpu = (name) => look.ratio(id, 'yaml-document', name, 'cpuMs');
  return [
    row(4, '40 KB file, one field: at most 1.5× its own I/O', atMost(1.5), [
      ['as shipped', look.ratio(id, 'ours', 'calls-of-ours')],
      ['without audit and detector', look.ratio(id, 'ours-lean', 'calls-of-ours-lean')],
    ]),
    row(4, '40 KB file, one field: 5× less CPU than parseDocument + toString', atLeast(5), [
      ['less as shipped', cpu('ours')],
      ['less without audit and detector', cpu('ours-lean')],
    ]),
  ];
}

function largeStates(look) {
  const rows = [];
  for (const change of ['set', 'update']) {
    const variants = ['list', 'keys'].map((shape) => [
      `(${shape === 'list' ? 'one long list' : 'many keys'})`,
      look.ratio(`1 MB ${shape} ${change}`, 'yaml-stringify', 'ours'),
    ]);
    rows.push(
      row(
        5,
        `1 MB, one field by ${change}: 20× faster than yaml + write-file-atomic`,
        atLeast(20),
        variants,
      ),
    );
  }
  const growth = (shape, name) => look.across([`10 MB ${shape} set`, name], ['40 KB set', name]);
  rows.push(
    row(5, '10 MB, logged: at most 3× of 40 KB', atMost(3), [
      ['(one long list)', growth('list', 'ours-later')],
      ['(many keys)', growth('keys', 'ours-later')],
    ]),
  );
  return rows;
}

function opening(look) {
  const ratio = (name) => look.ratio('open 10 MB list', name, 'read-hash');
  return [
    row(6, 'opening 10 MB: less than 3× reading and hashing it', atMost(3), [
      ['as shipped', ratio('ours')],
      ['without audit and detector', ratio('ours-lean')],
    ]),
  ];
}

function recovery(look) {
  const ratio = (state, name) => look.ratio(`recover ${state}`, name, 'read-hash-write');
  return [
    row(7, 'recovery: at most 2× reading, hashing and writing once', atMost(2), [
      ['10 MB, as shipped', ratio('10 MB list', 'ours')],
      ['10 MB, without audit and detector', ratio('10 MB list', 'ours-lean')],
      ['40 KB, as shipped', ratio('40 KB', 'ours')],
      ['40 KB, without audit and detector', ratio('40 KB', 'ours-lean')],
    ]),
  ];
}

function lab(crashLab) {
  const show = (value) => Math.round(value).toString();
  const variants = [
    ['images', crashLab?.imagesPerCpuSecond],
    ['of them distinct', crashLab?.distinctPerCpuSecond],
  ];
  return [row(8, 'crash lab: 10,000 images a second and core', atLeast(10_000), variants, show)];
}

function starting(startUp) {
  const show = (value) => `${value.toFixed(0)} ms`;
  const whole = startUp && startUp.import.medianMs - startUp.node.medianMs;
  return [
    row(
      9,
      'import of the library: under 60 ms',
      atMost(60),
      [
        ['', startUp?.importing.medianMs],
        ['more than bare node', whole],
      ],
      show,
    ),
    row(
      9,
      '`checkpoint-wal status`: under 150 ms',
      atMost(150),
      [['', startUp?.status.medianMs]],
      show,
    ),
  ];
}
