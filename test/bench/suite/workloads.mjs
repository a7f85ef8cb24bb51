/**
 * What is measured: which states, which change, how many callers, and who takes part. Counts are for one
 * round; a batch ends early when its budget is used up.
 */

const floors = ['append', 'overwrite'];
const blockingFloors = ['append-blocking', 'overwrite-blocking'];
const peers = [
  'write-file-atomic',
  'atomically',
  'yaml-stringify',
  'sqlite-wal',
  'sqlite-delete',
  'lmdb',
];
const everySave = ['calls-of-ours', 'ours', 'calls-of-ours-lean', 'ours-lean'];
const blocking = ['calls-of-ours-lean-blocking', 'ours-blocking', 'ours-lean-blocking'];
const logged = ['ours-logged', 'ours-lean-logged'];
const loggedBlocking = ['ours-logged-blocking', 'ours-lean-logged-blocking'];
const few = ['yaml-stringify', 'sqlite-wal', 'calls-of-ours', 'ours', 'ours-logged'];

const small = { rounds: 8, count: 40, budgetMs: 120, warmUpMs: 3000 };
const medium = { rounds: 5, count: 20, budgetMs: 120, warmUpMs: 2500 };
const large = { rounds: 4, count: 10, budgetMs: 200, warmUpMs: 1500 };
const huge = { rounds: 3, count: 20, budgetMs: 500, warmUpMs: 1000 };

const save = (id, state, change, who, size, base) => ({
  id,
  does: 'save',
  state,
  change,
  callers: 1,
  who,
  base,
  ...size,
});
const together = (callers) => ({
  ...save(
    `${callers} callers`,
    '256 fields',
    'set',
    [...peers, 'ours', 'ours-lean', 'ours-logged', 'ours-lean-logged'],
    medium,
    'sqlite-wal',
  ),
  callers,
  count: Math.max(3, Math.round(80 / callers)),
});
const start = (does, state, who, base, size = large) => ({
  id: `${does} ${state}`,
  does,
  state,
  callers: 1,
  who,
  base,
  ...size,
});

const save10MB = (shape, change) =>
  save(
    `10 MB ${shape} ${change}`,
    `10 MB ${shape}`,
    change,
    [
      'write-file-atomic',
      'yaml-stringify',
      'sqlite-wal',
      'ours',
      'ours-logged',
      'ours-lean-logged',
    ],
    huge,
    'write-file-atomic',
  );

/** What is opened, and recovered. */
const started = ['1 KB', 'example', 'real 40 KB', '40 KB', '1 MB list', '10 MB list'];
const openers = [
  'read-hash',
  'yaml-stringify',
  'sqlite-wal',
  'sqlite-delete',
  'lmdb',
  'ours',
  'ours-lean',
];
const recoverers = [
  'read-hash-write',
  'yaml-stringify',
  'sqlite-wal',
  'lmdb',
  'ours',
  'ours-lean',
  'ours-logged',
];

/** In the order of the report. `base` is what the ratios in the table refer to. */
export const workloads = [
  save(
    '1 KB set',
    '1 KB',
    'set',
    [
      ...floors,
      ...blockingFloors,
      ...peers,
      ...everySave,
      ...blocking,
      'ours-early',
      ...logged,
      ...loggedBlocking,
    ],
    small,
    'append',
  ),
  save(
    'real 40 KB set',
    'real 40 KB',
    'set',
    [...floors, ...peers, 'yaml-document', ...everySave, ...logged],
    medium,
    'calls-of-ours',
  ),
  ...['example', 'real 15 KB', 'real 60 KB', '40 KB'].map((state) =>
    save(`${state} set`, state, 'set', [...few, 'yaml-document'], medium, 'calls-of-ours'),
  ),
  ...['append', 'all'].map((change) =>
    save(`1 KB ${change}`, '1 KB', change, few, small, 'yaml-stringify'),
  ),
  ...['append', 'all', 'update'].map((change) =>
    save(`40 KB ${change}`, '40 KB', change, few, large, 'yaml-stringify'),
  ),
  ...['list set', 'list update', 'list append', 'list all', 'keys set', 'keys update'].map(
    (name) => {
      const [shape, change] = name.split(' ');
      return save(`1 MB ${name}`, `1 MB ${shape}`, change, few, large, 'yaml-stringify');
    },
  ),
  ...['list', 'keys'].map((shape) => save10MB(shape, 'set')),
  ...['append', 'all'].map((change) => save10MB('list', change)),
  together(1),
  together(16),
  together(256),
  ...started.map((state) => start('open', state, openers, 'read-hash')),
  ...started.map((state) => start('recover', state, recoverers, 'read-hash-write')),
];

/** Those that the targets are judged by run first, should time be short; of them the longest last. */
const judged =
  /^(1 KB set|(real )?40 KB set|1 MB .* (set|update)|10 MB .* set|256|open 10|recover (40|10))/;
for (const workload of workloads) {
  const isLong = workload.state.startsWith('10 MB');
  workload.urgency = (judged.test(workload.id) ? 2 : 0) + (isLong ? 0 : 1);
}

/** The same with as few repeats as give a first impression (`quick`), or as show that it works (`smoke`). */
export function scaled(workload, scale) {
  if (scale === 'full') return workload;
  const { rounds, count, budgetMs } = workload;
  if (scale === 'smoke') {
    return { ...workload, rounds: 1, count: 2, budgetMs: 50, warmUpMs: 1, isHasty: true };
  }
  return {
    ...workload,
    rounds: Math.min(rounds, 3),
    count: Math.ceil(count / 2),
    budgetMs: budgetMs / 2,
  };
}

/** Left out where a first impression is enough, or only a sign of life. */
export function isIn(workload, scale) {
  if (scale === 'full') return true;
  const inQuick =
    /^((1 KB|real 40 KB|40 KB) set|1 MB list (set|update)|10 MB list set|256|(open|recover) (40|10))/;
  const inSmoke = /^(1 KB (set|append|all)|40 KB update|16 callers|(open|recover) 1 KB)/;
  return (scale === 'quick' ? inQuick : inSmoke).test(workload.id);
}
