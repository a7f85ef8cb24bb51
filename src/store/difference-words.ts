/**
 * Differences in words: values shortened to fit a line, one line for each change, and a whole
 * difference in a few words. What is printed this way may hold any character but a line break.
 */
import { parsePath } from '../format/yaml/yaml-path.js';
import { writeScalar } from '../format/yaml/yaml-scalar.js';
import { isList, isMap, type YamlValue } from '../format/yaml/yaml-value.js';
import type { StateChange } from './state-diff.js';

/** Characters of a value that are shown, unless told otherwise. */
const WIDTH = 60;
/** In a summary, paths and values have less room. */
const SUMMARY_WIDTH = 24;
const SUMMARY_PATH_WIDTH = 48;

/** A value on one line, as YAML in flow style, cut to `width` characters with an ellipsis. */
export function shortValue(value: YamlValue, width: number = WIDTH): string {
  const isScalar = !isList(value) && !isMap(value);
  return shorten(isScalar ? scalarText(value, width, false) : flowText(value, width), width);
}

/** A text cut to `width` characters, the last of which then is an ellipsis. */
export function shorten(text: string, width: number): string {
  const characters = [...text.slice(0, 2 * width + 2)];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}

/** Writes only about as much as is shown: a value may be as large as a whole state. */
function flowText(value: YamlValue, room: number): string {
  if (isList(value)) return flowBlock('[', ']', value, room, (item, left) => flowText(item, left));
  if (isMap(value)) {
    return flowBlock('{', '}', Object.entries(value), room, ([key, item], left) => {
      const name = scalarText(key, left);
      return `${name}: ${flowText(item, left - name.length)}`;
    });
  }
  return scalarText(value, room);
}

function flowBlock<Item>(
  open: string,
  close: string,
  items: readonly Item[],
  room: number,
  write: (item: Item, left: number) => string,
): string {
  let text = open;
  for (const [index, item] of items.entries()) {
    if (index > 0) text += ', ';
    if (text.length > room) return text;
    text += write(item, room - text.length);
  }
  return text + close;
}

function scalarText(value: Exclude<YamlValue, object>, room: number, inFlow = true): string {
  const shown = typeof value === 'string' ? value.slice(0, 2 * Math.max(1, room) + 2) : value;
  // Where a value is cut in the middle of a pair, the half that is left goes.
  const whole = typeof shown === 'string' ? shown.replace(/[\ud800-\udbff]$/, '') : shown;
  return writeScalar(whole ?? null, { quote: 'plain', inFlow, allowPlainDate: true });
}

/** One change on one line: `workflow.status: ACTIVE → DONE`. */
export function changeText({ kind, path, fromPath, from, to }: StateChange): string {
  const where = nameOfPath(path);
  const was = fromPath === undefined ? '' : ` (was ${nameOfPath(fromPath)})`;
  switch (kind) {
    case 'added':
      return `${where}: ${shortValue(to ?? null)}`;
    case 'removed':
      return `${where}: ${shortValue(from ?? null)}`;
    case 'changed':
      return `${where}${was}: ${shortValue(from ?? null)} → ${shortValue(to ?? null)}`;
    case 'moved':
      return `${where}${was}`;
  }
}

/** What changed in a few words: `phases[1].status: ACTIVE → COMPLETE, +2 paths`. */
export function summaryOf(changes: readonly StateChange[]): string {
  const [told] = changes.filter(({ kind }) => kind === 'changed').sort(byInterest);
  const rest = changes.filter((change) => change !== told);
  if (told === undefined) return countsOf(rest, true).join(', ');
  const [from, to] = [told.from ?? null, told.to ?? null].map((value) =>
    shortValue(value, SUMMARY_WIDTH),
  );
  const where = shorten(nameOfPath(told.path), SUMMARY_PATH_WIDTH);
  return [`${where}: ${from} → ${to}`, ...countsOf(rest, false)].join(', ');
}

/** What is counted; a single one is named where nothing else is. */
function countsOf(changes: readonly StateChange[], mayName: boolean): string[] {
  const of = (kind: StateChange['kind']) => changes.filter((change) => change.kind === kind);
  const name = (sign: string, list: readonly StateChange[]) => {
    const [first] = list;
    if (first === undefined) return [];
    if (list.length > 1 || !mayName) {
      return [`${sign}${list.length} ${list.length === 1 ? 'path' : 'paths'}`];
    }
    return [`${sign}${shorten(nameOfPath(first.path), SUMMARY_PATH_WIDTH)}`];
  };
  const [changed, moved] = [of('changed').length, of('moved').length];
  return [
    ...(changed > 0 ? [`${changed} more changed`] : []),
    ...name('+', of('added')),
    ...name('-', of('removed')),
    ...(moved > 0 ? [`${moved} moved`] : []),
  ];
}

const TELLING = /^(?:status|state|phase|stage|result|outcome|error)$/i;
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:/;

/** A status says more than other values, and they say more than the time of a change. */
function byInterest(left: StateChange, right: StateChange): number {
  return interestOf(right) - interestOf(left);
}

function interestOf({ path, to }: StateChange): number {
  if (typeof to === 'string' && TIME.test(to)) return 0;
  const last = parsePath(path).at(-1);
  return typeof last === 'string' && TELLING.test(last) ? 2 : 1;
}

function nameOfPath(path: string): string {
  return path === '' ? 'the whole state' : path;
}
