/**
 * Paths into a state: reading, writing and following them. A path is a list of map keys and list
 * indexes; as text it is dotted and bracketed, `phases[0].status`. Values are plain data, so every
 * key (`__proto__`, `constructor`) is followed as own data only.
 */
import { CheckpointError } from '../../errors.js';
import { isList, isMap, setKey, type YamlMap, type YamlValue } from './yaml-value.js';

/** Steps from the root: a string is a map's key, a number a list's index. The root is the empty path. */
export type YamlPath = readonly (string | number)[];

const BARE_KEY = /^[A-Za-z_$][\w$-]*$/;

/**
 * Reads a path: keys separated by dots, indexes in brackets, and any key in brackets and quotes
 * (`a["b.c"]`, `a['x']`; double quotes read JSON escapes, in single quotes `''` is a quote).
 * The empty text is the root. A number after a dot is a key; {@link getAt} and {@link setAt} let it
 * stand for an index where it meets a list.
 *
 * @throws CheckpointError `INVALID_PATH` with the 1-based `column` of what can't be read.
 */
export function parsePath(text: string): YamlPath {
  const steps: (string | number)[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '[') {
      const step = readBracket(text, at);
      steps.push(step.value);
      at = step.end;
      continue;
    }
    if (text[at] === '.') {
      if (at === 0) throw invalidPath(text, at, 'a path does not start with a dot');
      at += 1;
    } else if (at > 0) {
      throw invalidPath(text, at, 'after a closing bracket comes a dot or a bracket');
    }
    const end = endOfKey(text, at);
    if (end === at) throw invalidPath(text, at, 'a key is missing here (quote an empty key: [""])');
    steps.push(text.slice(at, end));
    at = end;
  }
  return steps;
}

function endOfKey(text: string, from: number): number {
  let end = from;
  while (end < text.length && text[end] !== '.' && text[end] !== '[') {
    if (text[end] === ']') throw invalidPath(text, end, 'this bracket was never opened');
    end += 1;
  }
  return end;
}

function readBracket(text: string, at: number): { value: string | number; end: number } {
  const quoted = /^\[(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\]/s.exec(text.slice(at));
  if (quoted) {
    const inner = quoted[0].slice(1, -1);
    return { value: readQuoted(text, at + 1, inner), end: at + quoted[0].length };
  }
  const close = text.indexOf(']', at);
  if (close === -1) throw invalidPath(text, at, 'this bracket is never closed');
  const inner = text.slice(at + 1, close);
  const index = /^(?:0|[1-9]\d*)$/.test(inner) ? Number(inner) : Number.NaN;
  if (!Number.isSafeInteger(index)) {
    throw invalidPath(text, at + 1, 'brackets hold an index from 0 or a key in quotes');
  }
  return { value: index, end: close + 1 };
}

function readQuoted(text: string, at: number, quoted: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1).replaceAll("''", "'");
  try {
    return JSON.parse(quoted) as string;
  } catch (cause) {
    throw invalidPath(text, at, 'this key is not a JSON string', { cause });
  }
}

function invalidPath(text: string, at: number, why: string, options?: { cause: unknown }) {
  const column = at + 1;
  const message = `The path ${JSON.stringify(text)} can't be read at column ${column}: ${why}.`;
  return new CheckpointError('INVALID_PATH', message, { path: text, column }, options);
}

/** Writes a path so that {@link parsePath} reads the same steps back. */
export function formatPath(path: YamlPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!BARE_KEY.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** The value at a path, or `undefined` where there is none. */
export function getAt(value: YamlValue, path: YamlPath): YamlValue | undefined {
  let here: YamlValue | undefined = value;
  for (const step of path) {
    here = child(here, step);
    if (here === undefined) return undefined;
  }
  return here;
}

/** One step down; own data only, `undefined` where the step leads nowhere. */
function child(value: YamlValue, step: string | number): YamlValue | undefined {
  if (isList(value)) {
    const index = indexOf(step);
    return index === undefined ? undefined : value[index];
  }
  if (!isMap(value)) return undefined;
  const key = String(step);
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function indexOf(step: string | number): number | undefined {
  if (typeof step === 'number') return step;
  return /^(?:0|[1-9]\d*)$/.test(step) ? Number(step) : undefined;
}

/**
 * A value with one place changed; everything off the path is shared with the value given, which
 * itself is not touched. `undefined` removes the entry. Map keys that are missing on the way are
 * created (an index 0 creates a list); an index equal to a list's length appends.
 *
 * @throws CheckpointError `PATH_NOT_FOUND` for an index past the end, a step into a scalar (null
 * included) or the removal of what is not there, naming the longest prefix that exists;
 * `INVALID_PATH` for removing the root.
 */
export function setAt(value: YamlValue, path: YamlPath, next: YamlValue | undefined): YamlValue {
  if (path.length === 0) {
    if (next !== undefined) return next;
    throw new CheckpointError('INVALID_PATH', "The root of a state can't be removed.", {
      path: '',
    });
  }
  return setStep(value, path, 0, next);
}

function setStep(
  value: YamlValue,
  path: YamlPath,
  depth: number,
  next: YamlValue | undefined,
): YamlValue {
  const step = path[depth];
  if (step === undefined) return value;
  const index = checkStep(value, path, depth, step);
  const before = child(value, step);
  if (before === undefined && next === undefined) throw notFound(path, depth, 'nothing is there');
  const isLast = depth === path.length - 1;
  const after = isLast
    ? next
    : setStep(before === undefined ? emptyFor(path[depth + 1]) : before, path, depth + 1, next);
  if (!isList(value)) return isMap(value) ? withKey(value, String(step), after) : value;
  const copy = value.slice();
  if (after === undefined) copy.splice(index, 1);
  else copy[index] = after;
  return copy;
}

/** Whether a step can be taken here, to something existing or new; returns the index in a list, 0 in a map. */
function checkStep(value: YamlValue, path: YamlPath, depth: number, step: string | number): number {
  if (isMap(value)) return 0;
  if (!isList(value)) throw notFound(path, depth, 'a scalar has no entries');
  const index = indexOf(step);
  if (index === undefined) throw notFound(path, depth, 'a list has no keys');
  if (index > value.length) throw notFound(path, depth, `the list has ${value.length} entries`);
  return index;
}

function withKey(map: YamlMap, key: string, next: YamlValue | undefined): YamlMap {
  const copy: YamlMap = {};
  for (const name of Object.keys(map)) {
    const kept = name === key ? next : map[name];
    if (kept !== undefined) setKey(copy, name, kept);
  }
  if (next !== undefined && !Object.hasOwn(map, key)) setKey(copy, key, next);
  return copy;
}

function emptyFor(step: string | number | undefined): YamlValue {
  return typeof step === 'number' ? [] : {};
}

function notFound(path: YamlPath, depth: number, why: string): CheckpointError {
  const prefix = formatPath(path.slice(0, depth));
  const where = prefix === '' ? 'the root' : prefix;
  return new CheckpointError(
    'PATH_NOT_FOUND',
    `The path ${formatPath(path)} leads nowhere: only ${where} exists, and ${why}.`,
    { path: formatPath(path), prefix },
  );
}
