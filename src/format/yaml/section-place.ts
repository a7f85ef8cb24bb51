/**
 * Which sections of a text an edit of one place needs: those that hold it, and its neighbours where
 * the edit looks at them.
 */
import { type Body, partOfItem, partOfKey } from './section-tree.js';
import type { Place } from './section-window.js';
import type { YamlPath } from './yaml-path.js';

/** Where a path leads. */
export interface FoundPlace {
  readonly place: Place;
  /** Which step of the path leads to an entry of a body in sections, and the level of that body. */
  readonly level: number;
  readonly isList: boolean;
  /** How many items of the list stand before the parts. */
  readonly before: number;
  /** Whether the entry is still to be made. */
  readonly isNew: boolean;
  /** Whether the place is the end of a branch that the new entry follows. */
  readonly isBehindBranch: boolean;
}

/**
 * The sections for a path, or `undefined` where it leads nowhere or a section does not tell.
 * @param most how many branches may be gone into: what is in others stays in one piece
 */
export function findPlace(
  root: Body,
  path: YamlPath,
  isRemoval: boolean,
  most = path.length,
): FoundPlace | undefined {
  let body = root;
  const branches: number[] = [];
  for (const [level, step] of path.entries()) {
    const found = body.isList ? itemIn(body, step) : keyIn(body, String(step));
    if (!found) return undefined;
    const { at, before, isNew } = found;
    const isLast = level === path.length - 1;
    if (isNew && isRemoval) return undefined;
    const part = body.parts[at];
    if (part?.kind === 'branch' && !isNew && !isLast && level < most) {
      branches.push(at);
      body = part.body;
      continue;
    }
    const rest = { level, isList: body.isList, before, isNew };
    // A new item looks like the last one, all of it; a new key only follows what is above it.
    if (isNew && part?.kind === 'branch' && !body.isList) {
      return { ...rest, place: endOf(body, branches), isBehindBranch: true };
    }
    const whole = { ...rest, place: { branches, from: at, to: at }, isBehindBranch: false };
    if (!isRemoval || !isLast) return whole;
    const all = withNeighbour(body, whole, step);
    return all ?? (level > 0 ? findPlace(root, path, isRemoval, level - 1) : undefined);
  }
  return undefined;
}

interface Found {
  readonly at: number;
  readonly before: number;
  readonly isNew: boolean;
}

function itemIn(body: Body, step: string | number): Found | undefined {
  const item = /^(?:0|[1-9]\d*)$/.test(String(step)) ? Number(step) : -1;
  if (item < 0 || item > body.count) return undefined;
  if (item < body.count) {
    const found = partOfItem(body, item);
    return found && { ...found, isNew: false };
  }
  const at = body.parts.length - 1;
  return { at, before: body.count - (body.parts[at]?.count ?? 0), isNew: true };
}

function keyIn(body: Body, key: string): Found {
  const at = partOfKey(body, key);
  return { at: at ?? body.parts.length - 1, before: 0, isNew: at === undefined };
}

/** The last leaf of a body whose last part is a branch. */
function endOf(body: Body, branches: readonly number[]): Place {
  const path = [...branches];
  let here = body;
  for (;;) {
    const at = here.parts.length - 1;
    const part = here.parts[at];
    if (part?.kind !== 'branch') return { branches: path, from: at, to: at };
    path.push(at);
    here = part.body;
  }
}

/** A removal looks at the entry before, and has to leave one. */
function withNeighbour(
  body: Body,
  found: FoundPlace,
  step: string | number,
): FoundPlace | undefined {
  const { from: at, branches } = found.place;
  const part = body.parts[at];
  const isFirst =
    part?.kind !== 'leaf' ||
    (body.isList ? Number(step) === found.before : part.keys[0] === String(step));
  if (!isFirst) return found;
  const previous = body.parts[at - 1];
  if (previous) {
    return {
      ...found,
      before: body.isList ? found.before - previous.count : 0,
      place: { branches, from: at - 1, to: at },
    };
  }
  if (part?.kind === 'leaf' && part.count > 1) return found;
  return at + 1 < body.parts.length
    ? { ...found, place: { branches, from: at, to: at + 1 } }
    : undefined;
}
