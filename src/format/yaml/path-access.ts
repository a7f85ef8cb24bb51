/**
 * Following paths into a state: reading and changing one place. Values are plain data, so every key
 * (`__proto__`, `constructor`) is followed as own data only.
 */
import { CheckpointError } from '../../errors.js';
import { formatPath, type YamlPath } from './yaml-path.js';
import { isList, isMap, setKey, type YamlValue } from './yaml-value.js';

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
 * @param own lists and maps that may be changed in place, as nobody else has them; those that are
 * copied are added to it
 * @throws CheckpointError `PATH_NOT_FOUND` for an index past the end, a step into a scalar (null
 * included) or the removal of what is not there, naming the longest prefix that exists;
 * `INVALID_PATH` for removing the root.
 */
export function setAt(
  value: YamlValue,
  path: YamlPath,
  next: YamlValue | undefined,
  own?: Set<object>,
): YamlValue {
  if (path.length === 0) {
    if (next !== undefined) return next;
    throw new CheckpointError('INVALID_PATH', "The root of a state can't be removed.", {
      path: '',
    });
  }
  return setStep(value, path, 0, next, own);
}

function setStep(
  value: YamlValue,
  path: YamlPath,
  depth: number,
  next: YamlValue | undefined,
  own: Set<object> | undefined,
): YamlValue {
  const step = path[depth];
  if (step === undefined) return value;
  const index = checkStep(value, path, depth, step);
  const before = child(value, step);
  if (before === undefined && next === undefined) throw notFound(path, depth, 'nothing is there');
  const isLast = depth === path.length - 1;
  const after = isLast
    ? next
    : setStep(
        before === undefined ? emptyFor(path[depth + 1]) : before,
        path,
        depth + 1,
        next,
        own,
      );
  // Nothing is changed before the whole way is known to exist.
  if (isList(value)) {
    const list = ownCopy(value, own, () => value.slice());
    if (after === undefined) list.splice(index, 1);
    else list[index] = after;
    return list;
  }
  if (!isMap(value)) return value;
  // Copied at once, own data under special names included: key by key it takes a hundred times as long.
  const map = ownCopy(value, own, () => ({ ...value }));
  if (after === undefined) delete map[String(step)];
  else setKey(map, String(step), after);
  return map;
}

function ownCopy<T extends object>(value: T, own: Set<object> | undefined, copy: () => T): T {
  if (own?.has(value)) return value;
  const copied = copy();
  own?.add(copied);
  return copied;
}

/** Whether a step can be taken here, to something existing or new; returns the index in a list, 0 in a map. */
function checkStep(value: YamlValue, path: YamlPath, depth: number, step: string | number): number {
  if (isMap(value)) return 0;
  if (value === null) {
    const example = formatPath([step]);
    const what = `it is null. Set ${nameOf(path, depth)} to a map or a list first, or at once with what is to be in it (${example} and the rest)`;
    throw notFound(path, depth, what);
  }
  if (!isList(value)) {
    const what = `it is a ${typeof value}, which has no entries. Replace it as a whole: set ${nameOf(path, depth)} to a map or a list`;
    throw notFound(path, depth, what);
  }
  const index = indexOf(step);
  if (index === undefined) throw notFound(path, depth, 'a list has no keys');
  if (index > value.length) throw notFound(path, depth, `the list has ${value.length} entries`);
  return index;
}

function emptyFor(step: string | number | undefined): YamlValue {
  return typeof step === 'number' ? [] : {};
}

function nameOf(path: YamlPath, depth: number): string {
  return depth === 0 ? 'the root' : formatPath(path.slice(0, depth));
}

function notFound(path: YamlPath, depth: number, why: string): CheckpointError {
  const prefix = formatPath(path.slice(0, depth));
  const where = nameOf(path, depth);
  return new CheckpointError(
    'PATH_NOT_FOUND',
    `The path ${formatPath(path)} leads nowhere: only ${where} exists, and ${why}.`,
    { path: formatPath(path), prefix },
  );
}
