/**
 * States on their way to the file, and how their text comes about. Knows no store and no round: who
 * renders when is up to `document.ts`. Ruled by `docs/adr/0014-one-text-for-a-round.md`.
 */
import { printYaml } from '../format/yaml/yaml-edit.js';
import type { YamlLimits } from '../format/yaml/yaml-text.js';
import type { YamlValue } from '../format/yaml/yaml-value.js';
import { type PlaceSet, SetRun } from './set-run.js';
import { Version } from './version.js';

/** What a save asks for, independent of what it will be rendered onto. */
export type Change =
  | { readonly kind: 'state'; readonly value: YamlValue }
  | { readonly kind: 'text'; readonly text: string }
  | SetChange
  /** Computes the next state from a private, mutable copy of the state. */
  | { readonly kind: 'update'; readonly recipe: (draft: unknown) => unknown };

type SetChange = PlaceSet & { readonly kind: 'set' };

/** The first so many sets of a run. */
interface Sets {
  readonly run: SetRun;
  readonly count: number;
}

/**
 * A state that is to be published. That it can be is known at once; its value is put together, and its text
 * made, when somebody needs it.
 */
export class Draft {
  #value: YamlValue | undefined;
  /** Instead of a value that nobody has asked for. */
  #sets: Sets | undefined;
  #removesItem = false;
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

  /**
   * One that a set makes of another, or of an empty mapping in a new store.
   * @throws CheckpointError as `setAt` does
   */
  static ofSet(base: Draft | undefined, set: PlaceSet): Draft {
    const before = base === undefined ? undefined : base.#sets;
    const { run, count } = before?.run.isOpenAfter(before.count)
      ? before
      : { run: new SetRun(base?.value ?? null), count: 0 };
    const draft = new Draft(undefined, undefined);
    draft.#removesItem = run.add(set);
    draft.#sets = { run, count: count + 1 };
    return draft;
  }

  /** The text, if it was rendered. */
  get version(): Version | undefined {
    return this.#version;
  }

  /** The value as the file holds it or will hold it. */
  get value(): YamlValue {
    if (this.#version !== undefined) return this.#version.value;
    if (this.#sets !== undefined) {
      this.#value = this.#sets.run.valueAfter(this.#sets.count);
      this.#sets = undefined;
    }
    return this.#value ?? null;
  }

  /** Whether it was made by a set that removed an item of a list. */
  get removesItem(): boolean {
    return this.#removesItem;
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
    this.#sets = undefined;
  }
}

/** What a text says, read at once. @throws CheckpointError as `parseYaml` does */
export function readDraft(
  text: string,
  limits: Partial<YamlLimits>,
  known: Version | undefined,
): Draft {
  const version = new Version(text, limits, known);
  void version.value;
  return Draft.ofVersion(version);
}

/** One change of several that are rendered together, and the state after it. */
export interface Step {
  readonly change: Exclude<Change, { kind: 'text' }>;
  /** A recipe is not asked for it again. Its value is asked for only where a text is made of it. */
  readonly draft: Draft;
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
  let end = from + Math.max(1, sets.length);
  if (base !== undefined && sets.length > 0) return { version: renderSets(base, sets), end };
  if (sets.length === 0) while (steps[end]?.change.kind === 'update') end += 1;
  const value = steps[end - 1]?.draft.value ?? null;
  return { version: base?.edit(value) ?? new Version(printYaml(value), limits), end };
}

interface SetStep {
  readonly change: SetChange;
  readonly draft: Draft;
}

/**
 * As many sets from one on as leave the items of lists in their places; one that removes an item goes alone.
 */
function setsFrom(steps: readonly Step[], from: number): SetStep[] {
  const sets: SetStep[] = [];
  for (let at = from; at < steps.length; at += 1) {
    const { change, draft } = steps[at] ?? {};
    if (change?.kind !== 'set' || draft === undefined) break;
    if (draft.removesItem && sets.length > 0) break;
    sets.push({ change, draft });
    if (draft.removesItem) break;
  }
  return sets;
}

function renderSets(base: Version, sets: readonly SetStep[]): Version {
  const [first] = sets;
  const last = sets.at(-1);
  if (first === undefined || last === undefined) return base;
  if (sets.length === 1) return base.set(first.change.path, first.change.value);
  return base.setAll(
    sets.map(({ change }) => change.path),
    last.draft.value,
  );
}
