/**
 * The text that a store publishes: the version on disk, and the changes that were asked for and are
 * not on disk yet. Each change is applied when it is asked for, to the newest state before it, and
 * applied again only if that state turns out not to be published (a failed save, an edit made outside).
 * One that nothing else is on its way with is rendered at once, others together when their round begins.
 * Owns no I/O; the port calls it through {@link CheckpointContent}.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ArtifactRecord } from '../format/artifact-lines.js';
import { removeSealLines } from '../format/seal.js';
import type { YamlLimits } from '../format/yaml/yaml-text.js';
import { cloneValue, deepFreeze, MAX_DEPTH, type YamlValue } from '../format/yaml/yaml-value.js';
import type { CheckpointContent, CurrentContent, RoundContent } from '../io/checkpoint-io.js';
import type { MaybePromise } from '../io/file-system.js';
import { run, type Steps, wait } from '../io/run.js';
import { type Change, Draft, readDraft, renderSteps, type Step } from './draft.js';
import { nextValue } from './next-value.js';
import { contentOf } from './round-content.js';
import { schemaError } from './schema-error.js';
import { Version } from './version.js';

interface Pending {
  readonly id: number;
  readonly change: Change;
  /** The artifacts that the save names; `undefined` if it names none. */
  readonly artifacts: readonly ArtifactRecord[] | undefined;
  /** What it was applied to. */
  base: Draft | undefined;
  draft: Draft | undefined;
  /** Why it could not be applied to its present base, or rendered; it then changes nothing. */
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

/** Reading so many UTF-16 units takes about as long as one set of a text that was not read. */
const UNITS_PER_SET = 150;

/** See the head of this file. */
export class CheckpointDocument implements CheckpointContent {
  readonly #options: DocumentOptions;
  #published: Draft | undefined;
  /** A version that was made of what is on disk. */
  #basis: { readonly current: CurrentContent; readonly version: Version } | undefined;
  #publishedSequence = 0;
  #logged: { readonly version: Version; readonly sequence: number } | undefined;
  #pending: Pending[] = [];
  /** So many of the first ones are known to be applied to what comes before them. */
  #fresh = 0;
  /** What the round in flight publishes. */
  #round:
    | { readonly draft: Draft; readonly version: Version; readonly ids: readonly number[] }
    | undefined;
  readonly #failed = new Map<number, { readonly thrown: unknown }>();
  #validated: Version | undefined;
  #lastId = 0;
  #edits = 0;
  #setsUnread = 0;

  constructor(options: DocumentOptions) {
    this.#options = options;
  }

  /** The newest version that a save has been acknowledged for, or that is on disk. */
  get current(): Version | undefined {
    return this.#logged?.version ?? this.#published?.version;
  }

  /** The sequence number of {@link current}; 0 where there is none. */
  get sequence(): number {
    return this.#logged?.sequence ?? this.#publishedSequence;
  }

  /** How often text was made so far: what saves cost beyond their I/O. */
  get edits(): number {
    return this.#edits;
  }

  /**
   * A private copy of a value that is to be saved. Integers beyond the safe range are taken as bigint
   * where the present state holds them.
   * @throws CheckpointError `UNFAITHFUL_VALUE`
   */
  clone(value: unknown): YamlValue {
    if (typeof value === 'number' || typeof value === 'boolean') return value;
    if (!holdsBigInt(value)) return cloneValue(value);
    const newest = this.#pending.at(-1)?.draft ?? this.current;
    return cloneValue(value, newest ? { carried: newest.value } : {});
  }

  /**
   * Takes a change and applies it. Nothing is kept of one that fails.
   * @param artifacts those that the save names, if it does
   * @param isOneOfMany whether others are about to follow: then its text is left to its round
   * @returns the number of the request
   * @throws CheckpointError `INVALID_YAML` and its kin, `PATH_NOT_FOUND`, `UNFAITHFUL_VALUE`, `SCHEMA_INVALID`
   */
  *stage(
    change: Change,
    artifacts?: readonly ArtifactRecord[],
    isOneOfMany = false,
  ): Steps<number> {
    for (;;) {
      const isFresh = this.#firstStale(this.#pending.length) === undefined;
      const base = isFresh ? this.#head : yield* this.#refresh(() => this.#pending.length);
      const isAlone = () => this.#pending.length === 0 && !isOneOfMany;
      const draft = this.#applied(base, change, isAlone());
      if (this.#options.schema !== undefined) yield* this.#check(draft);
      // Where a schema had to be waited for, what it was applied to may be gone by now.
      if (base !== this.#head) continue;
      if (isAlone()) this.#render(base, [{ change, draft }]);
      const id = this.nextId();
      this.#pending.push({ id, change, artifacts, base, draft });
      return id;
    }
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
    const draft = yield* this.#rendered(
      () => this.#pending.findLastIndex(({ id }) => ids.has(id)) + 1,
    );
    const version = draft?.version;
    // A round of no request publishes what is there, as it is.
    if (ids.size === 0 && version !== undefined) return contentOf(version, this.#published);
    const asked = this.#pending.filter(({ id }) => ids.has(id));
    const failed = asked.find(({ error }) => error !== undefined)?.error;
    if (
      draft === undefined ||
      version === undefined ||
      asked.every(({ error }) => error !== undefined)
    ) {
      throw failed?.thrown ?? new TypeError('there is nothing to save');
    }
    const named = asked.findLast((one) => one.error === undefined && one.artifacts !== undefined);
    const artifacts = named?.artifacts ?? (yield* this.#findArtifacts(version));
    this.#round = { draft, version, ids: requestIds };
    return contentOf(version, this.#published, artifacts);
  }

  *#findArtifacts(version: Version): Steps<readonly ArtifactRecord[] | undefined> {
    const { findArtifacts } = this.#options;
    return findArtifacts && (yield* wait(findArtifacts(version.state)));
  }

  validate(text: string) {
    return run(this.#validate(text));
  }

  *#validate(text: string): Steps<void> {
    const draft = readDraft(text, this.#options.limits, this.current);
    yield* this.#check(draft);
    this.#validated = draft.version;
  }

  advance(sequence: number): void {
    if (this.#round === undefined) return;
    this.#published = this.#round.draft;
    this.#publishedSequence = sequence;
    this.#published.version?.forgetBase();
    this.#logged = undefined;
    this.#forget(this.#round.ids);
    this.#round = undefined;
  }

  rebase(current: CurrentContent | undefined): void {
    if (current === undefined) {
      this.#published = undefined;
      this.#fresh = 0;
      return;
    }
    const round = this.#round;
    if (round !== undefined && this.#is(round.version, current)) {
      this.#published = round.draft;
      this.#forget(round.ids);
      this.#round = undefined;
    } else if (this.#is(this.#published?.version, current)) {
      // As after a round that was logged before: what was rendered onto it stays.
    } else if (this.#validated !== undefined && this.#is(this.#validated, current)) {
      this.#published = Draft.ofVersion(this.#validated);
    } else {
      const version = new Version(() => current.text, this.#options.limits, this.current);
      this.#published = Draft.ofVersion(version);
      this.#basis = { current, version };
    }
    this.#validated = undefined;
    this.#published?.version?.forgetBase();
    this.#fresh = 0;
    this.#publishedSequence = current.sequence;
    this.#logged = undefined;
  }

  /** Whether a version is what is on disk. A long text is joined only where nothing else tells. */
  #is(version: Version | undefined, current: CurrentContent): boolean {
    if (version === undefined) return false;
    const isBasis = this.#basis?.current === current && this.#basis.version === version;
    return isBasis || version === current.version || version.text === current.text;
  }

  /** The round in flight is durable: its version counts as the current one. */
  markLogged(sequence: number): void {
    if (this.#round !== undefined) this.#logged = { version: this.#round.version, sequence };
  }

  /** Gives requests up that failed or were aborted; what was applied to them is applied again. */
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
    this.#fresh = 0;
  }

  /** What the next change is applied to, as far as it is up to date. */
  get #head(): Draft | undefined {
    return this.#pending.length === 0 ? this.#published : this.#pending.at(-1)?.draft;
  }

  /**
   * Brings the first pending changes up to date with what is published, and returns the last draft.
   * Others may do the same while one is validated: a result is taken only if what it was applied to
   * still comes right before it; else the walk starts anew.
   */
  *#refresh(count: () => number): Steps<Draft | undefined> {
    for (;;) {
      const stale = this.#firstStale(count());
      if (stale === undefined) return this.#before(count());
      const { pending, base } = stale;
      const outcome = yield* this.#tryApply(base, pending.change);
      const again = this.#firstStale(count());
      if (again?.pending !== pending || again.base !== base) continue;
      pending.base = base;
      pending.draft = outcome.draft;
      if (outcome.error === undefined) delete pending.error;
      else pending.error = outcome.error;
    }
  }

  /** The first change that was not applied to what comes before it. */
  #firstStale(count: number): { pending: Pending; base: Draft | undefined } | undefined {
    for (; this.#fresh < count; this.#fresh += 1) {
      const pending = this.#pending[this.#fresh];
      const base = this.#before(this.#fresh);
      if (pending !== undefined && pending.base !== base) return { pending, base };
    }
    return undefined;
  }

  /** What comes before the pending change at an index. */
  #before(index: number): Draft | undefined {
    return index === 0 ? this.#published : this.#pending[index - 1]?.draft;
  }

  /** A change that can't be applied any more leaves its base as it is; its caller is told why. */
  *#tryApply(
    base: Draft | undefined,
    change: Change,
  ): Steps<{ draft: Draft | undefined; error?: { thrown: unknown } }> {
    try {
      return { draft: yield* this.#apply(base, change, false) };
    } catch (thrown) {
      return { draft: base, error: { thrown } };
    }
  }

  /** Until as much was spent on sets of a text that nobody has read as reading it takes. */
  #staysUnread(version: Version): boolean {
    if (!version.isUnread || this.#setsUnread * UNITS_PER_SET >= version.length) return false;
    this.#setsUnread += 1;
    return true;
  }

  *#apply(base: Draft | undefined, change: Change, isAlone: boolean): Steps<Draft> {
    const draft = this.#applied(base, change, isAlone);
    yield* this.#check(draft);
    return draft;
  }

  #applied(base: Draft | undefined, change: Change, isAlone: boolean): Draft {
    const { limits, schema } = this.#options;
    const version = base?.version;
    if (change.kind === 'text') return readDraft(removeSealLines(change.text), limits, version);
    if (change.kind !== 'set') return Draft.ofValue(nextValue(base, change));
    // The value of what a long text holds is not asked for here: nobody may have read it yet.
    if (schema === undefined && version !== undefined) {
      if (isAlone || this.#staysUnread(version)) {
        const edited = version.set(change.path, change.value);
        if (edited !== version) this.#edits += 1;
        return Draft.ofVersion(edited);
      }
    }
    return Draft.ofSet(base, change);
  }

  /** Validates where there is a schema. */
  *#check(draft: Draft): Steps<void> {
    const { schema } = this.#options;
    if (schema === undefined) return;
    const result = yield* wait(schema['~standard'].validate(deepFreeze(draft.value)));
    if (result.issues !== undefined) throw schemaError(result.issues);
    draft.setState(deepFreeze(result.value));
  }

  /** Brings the first pending changes up to date and to text, and returns the last draft. */
  *#rendered(count: () => number): Steps<Draft | undefined> {
    for (;;) {
      const last = yield* this.#refresh(count);
      if (this.#renderFirst(count())) return last;
    }
  }

  /** False where a change could not be rendered: it changes nothing then, and those after it are stale. */
  #renderFirst(count: number): boolean {
    const valid = this.#pending.slice(0, count).filter(({ error }) => error === undefined);
    const done = valid.findLastIndex(({ draft }) => draft?.version !== undefined);
    const changes = valid.slice(done + 1);
    if (changes.length === 0) return true;
    const base = valid[done]?.draft ?? this.#published;
    try {
      this.#render(base, changes);
      return true;
    } catch {
      // One of them is at fault: which one shows when each is rendered by itself.
      return this.#renderEach(changes);
    }
  }

  #renderEach(changes: readonly Pending[]): boolean {
    for (const pending of changes) {
      try {
        this.#render(pending.base, [pending]);
      } catch (thrown) {
        pending.error = { thrown };
        pending.draft = pending.base;
        this.#fresh = 0;
        return false;
      }
    }
    return true;
  }

  /** Gives the last of some changes its text. */
  #render(base: Draft | undefined, changes: readonly Pick<Pending, 'change' | 'draft'>[]): void {
    const last = changes.at(-1)?.draft;
    if (last === undefined || last.version !== undefined) return;
    const { limits } = this.#options;
    const { version, edits } = renderSteps(base?.version, stepsOf(changes), limits);
    this.#edits += edits;
    if (version === undefined) return;
    last.setVersion(version);
    if (this.#options.schema !== undefined) this.#validated = version;
  }
}

function stepsOf(changes: readonly Pick<Pending, 'change' | 'draft'>[]): Step[] {
  return changes.flatMap(({ change, draft }) =>
    change.kind === 'text' || draft === undefined ? [] : [{ change, draft }],
  );
}

/** Whether a value holds a bigint at all: only then is the present state needed, which may not be parsed yet. */
function holdsBigInt(value: unknown, depth = 0): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return false;
  return Object.values(value).some((inner) => holdsBigInt(inner, depth + 1));
}
