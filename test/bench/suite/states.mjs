/**
 * The states that are saved: made up in any size, with comments, and real orchestration files where they
 * lie beside the checkout. Each knows its text, one field in the middle of it, and a list to append to.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isCollection, isPair, isScalar, isSeq, parseDocument, stringify, visit } from 'yaml';
import { DEMO_ORCHESTRATION } from '../../../build/cli/demo-orchestration.js';

const realFolder = new URL('../../../../shared/data/orchestrations/', import.meta.url);

/** Names that {@link loadState} takes. */
export const stateNames = [
  '1 KB',
  'example',
  '256 fields',
  '40 KB',
  'real 15 KB',
  'real 40 KB',
  'real 60 KB',
  '1 MB list',
  '1 MB keys',
  '10 MB list',
  '10 MB keys',
];

const realFiles = { 'real 15 KB': '23.yaml', 'real 40 KB': '05.yaml', 'real 60 KB': '29.yaml' };

/** Whether there is such a state here: real files are not part of the project. */
export const hasState = (name) => !(name in realFiles) || existsSync(realPath(name));

const realPath = (name) => fileURLToPath(new URL(realFiles[name], realFolder));

/** A state by its name. */
export function loadState(name) {
  if (name in realFiles) return written(name, readFileSync(realPath(name), 'utf8'));
  if (name === 'example') return written(name, DEMO_ORCHESTRATION);
  if (name === '256 fields') return made(name, fields(256));
  const [size, unit, kind = 'list'] = name.split(' ');
  const bytes = Number(size) * (unit === 'MB' ? 1e6 : 1e3);
  return made(name, kind === 'keys' ? keys(bytes) : list(bytes));
}

/** One long list under one key. */
function list(bytes) {
  const lines = ['# What the agents did, in order.', 'run: nightly', 'step: s0', 'items:'];
  const items = [];
  for (let length = 80; length < bytes; ) {
    const item = { id: `item-${pad(items.length)}`, status: 'done', agent: 'reviewer', tries: 1 };
    if (items.length % 20 === 0) lines.push(`  # batch ${items.length / 20}, checked by hand`);
    items.push(item);
    const text = `  - id: ${item.id}\n    status: done # as reported\n    agent: reviewer\n    tries: 1`;
    lines.push(text);
    length += text.length + 3;
  }
  const middle = items.length >> 1;
  return {
    lines,
    value: { run: 'nightly', step: 's0', items },
    field: ['items', middle, 'status'],
    marker: `id: item-${pad(middle)}\n    status: `,
    list: ['items'],
  };
}

/** Many keys at the top, each with a small map. */
function keys(bytes) {
  const lines = ['# What is known of each task.', 'log:', '  - begun'];
  const value = { log: ['begun'] };
  let count = 0;
  for (let length = 60; length < bytes; count += 1) {
    const task = { status: 'done', owner: 'builder', tries: 2, note: 'nothing to add' };
    const name = `task-${pad(count)}`;
    value[name] = task;
    const text = `# ${name} was planned by hand\n${name}:\n  status: done\n  owner: builder # of the team\n  tries: 2\n  note: nothing to add`;
    lines.push(text);
    length += text.length + 1;
  }
  const middle = `task-${pad(count >> 1)}`;
  const marker = `\n${middle}:\n  status: `;
  return { lines, value, field: [middle, 'status'], marker, list: ['log'] };
}

/** One field for each of many callers. */
function fields(count) {
  const names = Array.from({ length: count }, (_, n) => `agent-${pad(n)}`);
  return {
    lines: [
      '# One line an agent.',
      'agents:',
      ...names.map((name) => `  ${name}: idle`),
      'log: []',
    ],
    value: { agents: Object.fromEntries(names.map((name) => [name, 'idle'])), log: [] },
    field: ['agents', names[0]],
    fields: names.map((name) => ['agents', name]),
    marker: `${names[0]}: `,
    list: ['log'],
  };
}

const pad = (number) => String(number).padStart(6, '0');

function made(name, { lines, value, marker, ...rest }) {
  const text = `${lines.join('\n')}\n`;
  const start = text.indexOf(marker) + marker.length;
  const end = /[ \n]/.exec(text.slice(start, start + 100)).index + start;
  return complete({ name, text, start, end, value, ...rest });
}

/** A file as somebody wrote it: a scalar in the middle is its field, a list of the file what grows. */
function written(name, text) {
  const document = parseDocument(text);
  const found = { lists: [], scalars: [] };
  visit(document, {
    Scalar: (key, node, path) => key === 'value' && found.scalars.push({ node, path }),
    Seq: (_, node, path) => !node.flow && found.lists.push({ path: pathOf([...path, node]) }),
  });
  const plain = found.scalars.filter(({ node }) => node.type === 'PLAIN');
  const nearest = plain.toSorted((a, b) => distance(a, text) - distance(b, text))[0];
  const [start, end] = nearest.node.range;
  const field = pathOf([...nearest.path, nearest.node]);
  const { path: list } = found.lists.at(-1);
  return complete({ name, text, start, end, value: document.toJS(), field, list });
}

const distance = ({ node }, text) => Math.abs(node.range[0] - text.length / 2);

/** The keys and indices that lead to the last of a chain of nodes. */
function pathOf(chain) {
  return chain.flatMap((node, index) => {
    if (isPair(node) && isScalar(node.key)) return [node.key.value];
    const next = chain[index + 1];
    return isSeq(node) && isCollection(node) && next ? [node.items.indexOf(next)] : [];
  });
}

function complete(state) {
  const { text, start, end, value, list } = state;
  const marks = ['a', 'b'];
  const whole = lazily((n) => changedLeaves(value, marks[n]));
  const texts = lazily((n) => stringify(whole(n)));
  return {
    ...state,
    bytes: Buffer.byteLength(text),
    listLength: list.reduce((here, step) => here[step], value).length,
    /** The text with the field changed, as if somebody else had rendered it already. */
    withField: (n) => `${text.slice(0, start)}s${n}${text.slice(end)}`,
    /** A text with as many bytes as an entry more takes. */
    withEntry: (n) => `${text}  - entry ${n} was appended\n`,
    /** The state with every leaf changed, in turn one of two. */
    whole: (n) => whole(n % marks.length),
    /** That, as text. */
    withAll: (n) => texts(n % marks.length),
  };
}

/** Makes each of a numbered few when it is asked for, and keeps it. */
function lazily(make) {
  const made = [];
  return (n) => {
    made[n] ??= make(n);
    return made[n];
  };
}

function changedLeaves(value, mark) {
  if (Array.isArray(value)) return value.map((one) => changedLeaves(one, mark));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, one]) => [key, changedLeaves(one, mark)]);
    return Object.fromEntries(entries);
  }
  if (typeof value === 'number') return mark === 'a' ? value + 1 : value + 2;
  if (typeof value === 'boolean') return mark === 'a' ? !value : value;
  return `${mark} ${value}`;
}
