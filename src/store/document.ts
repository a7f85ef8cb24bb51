/**
 * The text that a store publishes: the version on disk, and the changes that were asked for and are
 * not on disk yet. Each change is rendered when it is asked for, onto the newest change before it,
 * and rendered again only if what it was rendered onto turns out not to be published (a failed save,
 * an edit made outside). Owns no I/O; the port calls it through {@link CheckpointContent}.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { CheckpointError } from '../errors.js';
import type { ArtifactRecord } from '../format/artifact-lines.js';
import { removeSealLines } from '../format/seal.js';
import { setAt } from '../format/yaml/path-access.js';
import { printYaml } from '../format/yaml/yaml-edit.js';
import { formatPath, type YamlPath } from '../format/yaml/yaml-path.js';
import type { YamlLimits } from '../format/yaml/yaml-text.js';
import { cloneValue, MAX_DEPTH, type YamlValue } from '../format/yaml/yaml-value.js';
import type { CheckpointContent, RoundContent } from '../io/checkpoint-io.js';
import type { MaybePromise } from '../io/file-system.js';
import { run, type Steps, wait } from '../io/run.js';
import { Version } from './version.js';

/** What a save asks for, independent of what it will be rendered onto. */
export type Change =
  | { readonly kind: 'state'; readonly value: YamlValue }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'set'; readonly path: YamlPath; readonly value: YamlValue | undefined }
  /** Computes the next state from a private, mutable copy of the state. */
  | { readonly kind: 'update'; readonly recipe: (draft: unknown) => unknown };

interface Pending {
  readonly id: number;
  readonly change: Change;
  /** The artifacts that the save names; `undefined` if it names none. */
  readonly artifacts: readonly ArtifactRecord[] | undefined;
  /** What it was rendered onto. */
  base: Version | undefined;
  version: Version | undefined;
  /** Why it could not be rendered onto its present base; it then changes nothing. */
  error?: { readonly thrown: unknown };
}

/** Settings of a {@link CheckpointDocument}. */
export interface DocumentOptions {
  readonly schema?: StandardSchemaV1 | undefined;
  readonly limits: Partial<YamlLimits>;
  /** Finds artifacts in the state that is published; `undefined` where nobody looks for them. */
  readonly findArtifacts?:
    | ((state: unknown) => MaybePromise<readonly ArtifactRecord[]> | undefined)
    | undefined;
}

/** See the head of this file. */
export class CheckpointDocument implements CheckpointContent {
  readonly #options: DocumentOptions;
  #published: Version | undefined;
  #publishedSequence = 0;
  #logged: { readonly version: Version; readonly sequence: number } | undefined;
  #pending: Pending[] = [];
  /** What the round in flight publishes. */
  #round: { readonly version: Version; readonly ids: readonly number[] } | undefined;
  readonly #failed = new Map<number, { readonly thrown: unknown }>();
  #validated: Version | undefined;
  #lastId = 0;

  constructor(options: DocumentOptions) {
    this.#options = options;
  }

  /** The newest version that a save has been acknowledged for, or that is on disk. */
  get current(): Version | undefined {
    return this.#logged?.version ?? this.#published;
  }

  /** The sequence number of {@link current}; 0 where there is none. */
  get sequence(): number {
    return this.#logged?.sequence ?? this.#publishedSequence;
  }

  /**
   * A private copy of a value that is to be saved. Integers beyond the safe range are taken as bigint
   * where the present state holds them.
   * @throws CheckpointError `UNFAITHFUL_VALUE`
   */
  clone(value: unknown): YamlValue {
    const newest = this.#pending.at(-1)?.version ?? this.current;
    return cloneValue(value, holdsBigInt(value) && newest ? { carried: newest.value } : {});
  }

  /**
   * Takes a change and renders it. Nothing is kept of one that fails.
   * @param artifacts those that the save names, if it does
   * @returns the number of the request
   * @throws CheckpointError `INVALID_YAML` and its kin, `PATH_NOT_FOUND`, `UNFAITHFUL_VALUE`, `SCHEMA_INVALID`
   */
  *stage(change: Change, artifacts?: readonly ArtifactRecord[]): Steps<number> {
    let base = yield* this.#refresh(() => this.#pending.length);
    let version = yield* this.#render(base, change);
    // Where rendering had to wait, what it was rendered onto may be gone by now.
    while (base !== this.#head) {
      base = yield* this.#refresh(() => this.#pending.length);
      version = yield* this.#render(base, change);
    }
    const id = this.nextId();
    this.#pending.push({ id, change, artifacts, base, version });
    return id;
  }

  /** A number for a request that changes nothing by itself. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  textFor(requestIds: readonly number[]) {
    return run(this.#textFor(requestIds));
  }

  *#textFor(requestIds: readonly number[]): Steps<RoundContent> {
    const ids = new Set(requestIds);
    const version = yield* this.#refresh(
      () => this.#pending.findLastIndex(({ id }) => ids.has(id)) + 1,
    );
    // A round of no request publishes what is there, as it is.
    if (ids.size === 0 && version !== undefined) return { text: version.text };
    const asked = this.#pending.filter(({ id }) => ids.has(id));
    const failed = asked.find(({ error }) => error !== undefined)?.error;
    if (version === undefined || asked.every(({ error }) => error !== undefined)) {
      throw failed?.thrown ?? new TypeError('there is nothing to save');
    }
    const named = asked.findLast((one) => one.error === undefined && one.artifacts !== undefined);
    const artifacts = named?.artifacts ?? (yield* this.#findArtifacts(version));
    this.#round = { version, ids: requestIds };
    return { text: version.text, ...(artifacts && { artifacts }) };
  }

  *#findArtifacts(version: Version): Steps<readonly ArtifactRecord[] | undefined> {
    const { findArtifacts } = this.#options;
    return findArtifacts && (yield* wait(findArtifacts(version.state)));
  }

  validate(text: string) {
    return run(this.#check(new Version(text, this.#options.limits, this.current)));
  }

  rebase(current: { readonly text: string; readonly sequence: number } | undefined): void {
    if (current === undefined) {
      this.#published = undefined;
      return;
    }
    const { text, sequence } = current;
    const round = this.#round;
    if (round !== undefined && round.version.text === text) {
      this.#published = round.version;
      this.#forget(round.ids);
      this.#round = undefined;
    } else if (this.#validated?.text === text) {
      this.#published = this.#validated;
    } else {
      this.#published = new Version(text, this.#options.limits);
    }
    this.#publishedSequence = sequence;
    this.#logged = undefined;
  }

  /** The round in flight is durable: its version counts as the current one. */
  markLogged(sequence: number): void {
    if (this.#round !== undefined) this.#logged = { version: this.#round.version, sequence };
  }

  /** Gives requests up that failed or were aborted; what was rendered onto them is rendered again. */
  drop(requestIds: readonly number[], options: { readonly keepLogged: boolean }): void {
    const isRound = this.#round?.ids.some((id) => requestIds.includes(id)) ?? false;
    this.#forget(requestIds);
    if (!isRound) return;
    this.#round = undefined;
    if (!options.keepLogged) this.#logged = undefined;
  }

  /** Why a request of a committed round changed nothing, once: whatever was thrown. */
  takeError(requestId: number): { readonly thrown: unknown } | undefined {
    const error = this.#failed.get(requestId);
    this.#failed.delete(requestId);
    return error;
  }

  #forget(requestIds: readonly number[]): void {
    const ids = new Set(requestIds);
    for (const { id, error } of this.#pending) {
      if (ids.has(id) && error !== undefined) this.#failed.set(id, error);
    }
    this.#pending = this.#pending.filter(({ id }) => !ids.has(id));
  }

  /** What the next change is rendered onto, as far as it is up to date. */
  get #head(): Version | undefined {
    return this.#pending.length === 0 ? this.#published : this.#pending.at(-1)?.version;
  }

  /**
   * Brings the first pending changes up to date with what is published, and returns the last version.
   * Others may do the same while one rendering waits: a result is taken only if what it was rendered
   * onto still comes right before it; else the walk starts anew.
   */
  *#refresh(count: () => number): Steps<Version | undefined> {
    for (;;) {
      const stale = this.#firstStale(count());
      if (stale === undefined) {
        const last = count();
        return last === 0 ? this.#published : this.#pending[last - 1]?.version;
      }
      const { pending, base } = stale;
      const outcome = yield* this.#tryRender(base, pending.change);
      const again = this.#firstStale(count());
      if (again?.pending !== pending || again.base !== base) continue;
      pending.base = base;
      pending.version = outcome.version;
      if (outcome.error === undefined) delete pending.error;
      else pending.error = outcome.error;
    }
  }

  /** The first change that was not rendered onto what comes before it. */
  #firstStale(count: number): { pending: Pending; base: Version | undefined } | undefined {
    let base = this.#published;
    for (const pending of this.#pending.slice(0, count)) {
      if (pending.base !== base) return { pending, base };
      base = pending.version;
    }
    return undefined;
  }

  /** A change that can't be rendered any more leaves its base as it is; its caller is told why. */
  *#tryRender(
    base: Version | undefined,
    change: Change,
  ): Steps<{ version: Version | undefined; error?: { thrown: unknown } }> {
    try {
      return { version: yield* this.#render(base, change) };
    } catch (thrown) {
      return { version: base, error: { thrown } };
    }
  }

  *#render(base: Version | undefined, change: Change): Steps<Version> {
    const { limits } = this.#options;
    if (change.kind === 'text') {
      const version = new Version(removeSealLines(change.text), limits, base);
      yield* this.#check(version);
      return version;
    }
    const version = edit(base, change, limits);
    // Nothing changed, and without a schema nothing is to be learnt from reading it.
    if (version === base && this.#options.schema === undefined) return version;
    yield* this.#check(version);
    return version;
  }

  /** Parses and, where there is a schema, validates. */
  *#check(version: Version): Steps<void> {
    const { schema } = this.#options;
    // An edit has read back what it wrote.
    if (schema === undefined && version.base !== undefined) return;
    const { value } = version;
    if (schema === undefined) return;
    const result = yield* wait(schema['~standard'].validate(value));
    if (result.issues !== undefined) throw schemaError(result.issues);
    version.setState(result.value);
    this.#validated = version;
  }
}

/** The edited version. In a new store there is nothing to edit, and the value is printed. */
function edit(
  base: Version | undefined,
  change: Exclude<Change, { kind: 'text' }>,
  limits: Partial<YamlLimits>,
): Version {
  switch (change.kind) {
    case 'state':
      return base?.edit(change.value) ?? new Version(printYaml(change.value), limits);
    case 'set':
      return (
        base?.set(change.path, change.value) ??
        new Version(printYaml(setAt({}, change.path, change.value)), limits)
      );
    case 'update': {
      const next = apply(base, change.recipe);
      return base?.edit(next) ?? new Version(printYaml(next), limits);
    }
  }
}

function apply(base: Version | undefined, recipe: (draft: unknown) => unknown): YamlValue {
  // Integers that a number can't hold are read as bigint; what the file holds may go back into it.
  const carried = base === undefined ? {} : { carried: base.value };
  const draft = base === undefined ? undefined : cloneValue(base.value, carried);
  const returned = recipe(draft);
  // A promise is the one mistake that would otherwise be saved as an empty mapping.
  if (returned instanceof Promise) {
    throw new TypeError('update() takes a recipe that returns at once, not a promise');
  }
  return cloneValue(returned === undefined ? draft : returned, carried);
}

/** Whether a value holds a bigint at all: only then is the present state needed, which may not be parsed yet. */
function holdsBigInt(value: unknown, depth = 0): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return false;
  return Object.values(value).some((inner) => holdsBigInt(inner, depth + 1));
}

function schemaError(issues: readonly StandardSchemaV1.Issue[]): CheckpointError {
  const described = issues.map(({ message, path }) => {
    const steps = (path ?? []).map((step) => (typeof step === 'object' ? step.key : step));
    const at = formatPath(steps.map((step) => (typeof step === 'symbol' ? String(step) : step)));
    return { path: at, message };
  });
  const [first] = described;
  const more = described.length > 1 ? ` (and ${described.length - 1} more)` : '';
  return new CheckpointError(
    'SCHEMA_INVALID',
    `The state does not pass the schema at ${first?.path || 'its root'}: ${first?.message}${more}.`,
    { ...(first && { path: first.path }), issues: described },
  );
}
