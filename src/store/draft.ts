/**
 * States on their way to the file, and how their text comes about. Knows no store and no round: who
 * renders when is up to `document.ts`. Ruled by `docs/adr/0014-one-text-for-a-round.md`.
 */
import { getAt } from '../format/yaml/path-access.js';
import { printYaml } from '../format/yaml/yaml-edit.js';
import type { YamlPath } from '../format/yaml/yaml-path.js';
import type { YamlLimits } from '../format/yaml/yaml-text.js';
import { isList, type YamlValue } from '../format/yaml/yaml-value.js';
import { Version } from './version.js';

/** What a save asks for, independent of what it will be rendered onto. */
export type Change =
  | { readonly kind: 'state'; readonly value: YamlValue }
  | { readonly kind: 'text'; readonly text: string }
  | SetChange
  /** Computes the next state from a private, mutable copy of the state. */
  | { readonly kind: 'update'; readonly recipe: (draft: unknown) => unknown };

type SetChange = {
  readonly kind: 'set';
  readonly path: YamlPath;
  readonly value: YamlValue | undefined;
};

/** A state that is to be published: its value is known at once, its text when somebody needs it. */
export class Draft {
  #value: YamlValue | undefined;
  #state: { readonly value: unknown } | undefined;
  #version: Version | undefined;

  private constructor(value: YamlValue | undefined, version: Version | undefined) {
    this.#value = value;
    this.#version = version;
  }

  /** One that has a text. */
  static ofVersion(version: Version): Draft {
    return new Draft(undefined, version);
  }

  /** One that has no text yet. */
  static ofValue(value: YamlValue): Draft {
    return new Draft(value, undefined);
  }

  /** The text, if it was rendered. */
  get version(): Version | undefined {
    return this.#version;
  }

  /** The value as the file holds it or will hold it. */
  get value(): YamlValue {
    return this.#version?.value ?? this.#value ?? null;
  }

  /** Keeps what the schema made of the value. */
  setState(value: unknown): void {
    if (this.#version === undefined) this.#state = { value };
    else this.#version.setState(value);
  }

  /** Keeps the text. */
  setVersion(version: Version): void {
    if (this.#state !== undefined) version.setState(this.#state.value);
    this.#version = version;
    this.#value = undefined;
  }
}

/** One change of several that are rendered together. */
export interface Step {
  readonly change: Exclude<Change, { kind: 'text' }>;
  /** The state after it, which a recipe is not asked for again. */
  readonly value: YamlValue;
}

/** A text, and how many edits it took. */
export interface Rendered {
  readonly version: Version | undefined;
  readonly edits: number;
}

/**
 * The text after all of the steps. Of states that are given as a whole only the newest is rendered;
 * updates in a row are one edit, and so are sets in a row, of which each knows its place.
 * @throws CheckpointError as `editYaml` does; which step is at fault is not said
 */
export function renderSteps(
  base: Version | undefined,
  steps: readonly Step[],
  limits: Partial<YamlLimits>,
): Rendered {
  let version = base;
  let edits = 0;
  let at = Math.max(
    0,
    steps.findLastIndex(({ change }) => change.kind === 'state'),
  );
  while (at < steps.length) {
    const run = renderRun(version, steps, at, limits);
    version = run.version;
    at = run.end;
    edits += 1;
  }
  return { version, edits };
}

interface Run {
  readonly version: Version;
  readonly end: number;
}

/** The steps from one on that make one edit; in a new store there is nothing to edit. */
function renderRun(
  base: Version | undefined,
  steps: readonly Step[],
  from: number,
  limits: Partial<YamlLimits>,
): Run {
  const sets = setsFrom(steps, from);
  const [first] = sets;
  if (first !== undefined) {
    const { version, end } = renderSets(base, first, sets, limits);
    return { version, end: from + end };
  }
  let end = from + 1;
  while (steps[end]?.change.kind === 'update') end += 1;
  const value = steps[end - 1]?.value ?? null;
  return { version: base?.edit(value) ?? new Version(printYaml(value), limits), end };
}

interface SetStep {
  readonly change: SetChange;
  readonly value: YamlValue;
}

function setsFrom(steps: readonly Step[], from: number): SetStep[] {
  const sets: SetStep[] = [];
  for (let at = from; at < steps.length; at += 1) {
    const { change, value = null } = steps[at] ?? {};
    if (change?.kind !== 'set') break;
    sets.push({ change, value });
  }
  return sets;
}

/** As many of the sets as leave the items of lists in their places; one that removes an item goes alone. */
function renderSets(
  base: Version | undefined,
  { change: first }: SetStep,
  sets: readonly SetStep[],
  limits: Partial<YamlLimits>,
): Run {
  if (base !== undefined && sets.length === 1) {
    return { version: base.set(first.path, first.value), end: 1 };
  }
  let value: YamlValue = base === undefined ? {} : base.value;
  let end = 0;
  for (const set of sets) {
    const isRemoval = removesItem(value, set.change);
    if (isRemoval && end > 0) break;
    value = set.value;
    end += 1;
    if (isRemoval) break;
  }
  if (base === undefined) return { version: new Version(printYaml(value), limits), end };
  if (end === 1) return { version: base.set(first.path, first.value), end };
  const paths = sets.slice(0, end).map(({ change }) => change.path);
  return { version: base.setAll(paths, value), end };
}

function removesItem(value: YamlValue, { path, value: next }: SetChange): boolean {
  return next === undefined && isList(getAt(value, path.slice(0, -1)));
}
