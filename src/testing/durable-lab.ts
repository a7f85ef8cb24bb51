/**
 * The crash lab for durable actors: lives through a machine once, crashes it whenever something of it has
 * become durable and whenever an effect has begun, goes on from what was durable then, crashes that life
 * as well, and compares what came about with an undisturbed life. What it does not look at is the disk:
 * that a store keeps what it promised is what `explore` is for.
 */
import type { AnyActorLogic, AnyActorRef, Snapshot } from 'xstate';
import {
  createDurableActor,
  type DurableActor,
  type DurableActorOptions,
  type DurableStore,
} from '../durable/durable-actor.js';
import { idempotencyKey } from '../durable/durable-run.js';
import { setAt } from '../format/yaml/path-access.js';
import type { YamlPath } from '../format/yaml/yaml-path.js';
import { cloneValue, type YamlValue } from '../format/yaml/yaml-value.js';

/** An effect that has begun. */
export interface BegunEffect {
  /** As the effect calls itself. */
  readonly name: string;
  /** Its idempotency key, without the part that names the life of the actor. */
  readonly key: string;
  /** 0 in the first life, 1 after the first crash, and so on. */
  readonly life: number;
}

/** What effects of the machine under test tell of themselves. */
export interface DurableWorld {
  /** To be called by each effect as it begins: in logic, and in actions. */
  readonly begin: (self: AnyActorRef, name: string) => void;
  /** What has begun so far, in this and in earlier lives. */
  readonly begun: readonly BegunEffect[];
}

/** A machine for {@link exploreDurableActor}. */
export interface DurableSubject {
  /** The machine, made anew for each life; its effects tell the world that they begin. */
  readonly logic: (world: DurableWorld) => AnyActorLogic;
  /** The machine's input, for the first life. */
  readonly input?: unknown;
  /**
   * What the outside does when the actor has come to rest, called until nothing moves any more: it may send
   * events, as far as the snapshot shows that they have not been taken yet.
   */
  readonly drive?: (actor: DurableActor<AnyActorLogic>, world: DurableWorld) => void;
  /** What is compared at the end; by default status, output and context. */
  readonly result?: (snapshot: Snapshot<unknown>) => unknown;
}

/** Options of {@link exploreDurableActor}. */
export interface DurableLabOptions {
  /** How many crashes in a row; 2 by default. */
  readonly depth?: number | undefined;
  /** Most crashes that are looked at, spread over all; 5,000 by default. */
  readonly crashesMax?: number | undefined;
  /** The machine's version, as for `createDurableActor`. */
  readonly version?: string | number | undefined;
}

/** Something that does not hold. */
export interface DurableFailure {
  /**
   * - `begins-when-durable`: an effect began whose state was not the durable one at that moment
   * - `begins-at-least-once`: an effect of the undisturbed life is missing
   * - `enters-as-often`: states were entered more often than in the undisturbed life
   * - `ends-the-same`: the end is another one, or was not come to
   */
  readonly check:
    | 'begins-when-durable'
    | 'begins-at-least-once'
    | 'enters-as-often'
    | 'ends-the-same';
  /** What was found, and what should have been. */
  readonly message: string;
  /** What each life had done when it was crashed. */
  readonly trail: readonly string[];
}

/** What an exploration came to. */
export interface DurableReport {
  /** Lives that were lived after a crash. */
  readonly crashes: number;
  /** Empty where all is well. */
  readonly failures: readonly DurableFailure[];
  /** What the undisturbed life has come to; see {@link DurableSubject.result}. */
  readonly end: unknown;
  /** The effects of the undisturbed life, by name, and how many keys each had. */
  readonly effects: ReadonlyMap<string, number>;
}

interface Moment {
  readonly state: YamlValue | undefined;
  readonly begun: readonly BegunEffect[];
  readonly timeMs: number;
  readonly at: string;
}

interface Life {
  readonly moments: readonly Moment[];
  readonly end: unknown;
  readonly begun: readonly BegunEffect[];
  readonly violations: readonly string[];
}

/** See the head of this file. The same machine always comes to the same lives. */
export async function exploreDurableActor(
  subject: DurableSubject,
  { depth = 2, crashesMax = 5_000, version }: DurableLabOptions = {},
): Promise<DurableReport> {
  const start: Moment = { state: undefined, begun: [], timeMs: 0, at: 'nothing' };
  const undisturbed = await live(subject, start, 0, version);
  const effects = countKeys(undisturbed.begun);
  const failures = failuresOf(undisturbed, undisturbed, effects, []);
  const seen = new Set<string>();
  let crashes = 0;
  let lives = [{ life: undisturbed, trail: [] as readonly string[] }];
  for (let level = 1; level <= depth; level++) {
    const next: typeof lives = [];
    const all = lives.flatMap(({ life, trail }) =>
      life.moments.map((moment) => ({ moment, trail: [...trail, moment.at] })),
    );
    const fresh = all.filter(({ moment }) => {
      const key = JSON.stringify([moment.state ?? null, moment.begun.map(({ key }) => key)]);
      return !seen.has(key) && seen.add(key);
    });
    const step = Math.max(1, Math.ceil(fresh.length / Math.max(1, crashesMax - crashes)));
    for (let index = 0; index < fresh.length && crashes < crashesMax; index += step) {
      const one = fresh[index];
      if (one === undefined) break;
      const life = await live(subject, one.moment, level, version);
      crashes += 1;
      failures.push(...failuresOf(life, undisturbed, effects, one.trail));
      next.push({ life, trail: one.trail });
    }
    lives = next;
  }
  return { crashes, failures, end: undisturbed.end, effects };
}

/** A life in the lab's own store. */
async function live(
  subject: DurableSubject,
  from: Moment,
  number: number,
  version: string | number | undefined,
): Promise<Life> {
  const moments: Moment[] = [];
  const violations: string[] = [];
  const store = new LabStore(from.state, (at) => mark(at));
  const life = new LabLife(subject, { ...from, number }, (name, key) => {
    if (!isDurable(store.state, key)) violations.push(`${name} ${key}`);
    mark(`${name} ${key} has begun`);
  });
  const mark = (at: string) =>
    moments.push({ state: store.state, begun: [...life.begun], timeMs: life.nowMs, at });
  const end = await life.run(store, () => store.saves, { version });
  return { moments, end, begun: life.begun, violations };
}

/** From the start of a machine, or from what is saved of it, until nothing moves any more. */
export class LabLife {
  /** What has begun, in earlier lives too. */
  readonly begun: BegunEffect[];
  readonly #subject: DurableSubject;
  readonly #clock: LabClock;
  readonly #world: DurableWorld;

  constructor(
    subject: DurableSubject,
    from: {
      readonly begun: readonly BegunEffect[];
      readonly timeMs: number;
      readonly number: number;
    },
    onBegun: (name: string, key: string) => void,
  ) {
    this.#subject = subject;
    this.#clock = new LabClock(from.timeMs);
    this.begun = [...from.begun];
    this.#world = {
      begun: this.begun,
      begin: (self, name) => {
        const key = idempotencyKey(self)?.replace(/^[^/@]*/, '') ?? '';
        this.begun.push({ name, key, life: from.number });
        onBegun(name, key);
      },
    };
  }

  get nowMs(): number {
    return this.#clock.now();
  }

  /**
   * @param moves counts what moves in the store, to see that nothing does
   * @returns the result
   */
  async run(
    store: DurableStore,
    moves: () => number,
    options: Pick<DurableActorOptions<AnyActorLogic>, 'version' | 'inspect'> = {},
  ): Promise<unknown> {
    const { logic, input, drive, result = resultOf } = this.#subject;
    const actor = await createDurableActor(logic(this.#world), {
      store,
      input: input as never,
      clock: this.#clock,
      ...options,
    });
    // Who runs the machine learns of its end by its snapshot.
    actor.subscribe({ error: () => {} });
    actor.start();
    for (let round = 0; round < 1_000; round++) {
      await comeToRest(moves);
      if (actor.getSnapshot().status !== 'active') break;
      const before = moves();
      drive?.(actor, this.#world);
      await comeToRest(moves);
      if (moves() === before && !this.#clock.advance()) break;
    }
    await actor.whenDurable().catch(() => {});
    return result(actor.getSnapshot());
  }
}

/** Whether an image holds the state that an effect belongs to. */
function isDurable(image: YamlValue | undefined, key: string): boolean {
  const [path = '', number = ''] = key.split('@');
  const ids = path.split('/').filter((id) => id !== '');
  type Actor = {
    readonly durable?: {
      readonly children?: Readonly<Record<string, { readonly entry: number }>>;
      readonly outbox?: readonly { readonly number: number; readonly index?: number }[];
    };
    readonly children?: Readonly<Record<string, { readonly snapshot: Actor }>>;
  };
  let one = (image as { readonly snapshot?: Actor } | undefined)?.snapshot;
  for (const [index, id] of ids.entries()) {
    const entry = one?.durable?.children?.[id]?.entry;
    if (index === ids.length - 1 && entry === Number(number)) return true;
    one = one?.children?.[id]?.snapshot;
  }
  const outbox = one?.durable?.outbox ?? [];
  return outbox.some((item) => `${item.number}.${item.index}` === number);
}

async function comeToRest(moves: () => number): Promise<void> {
  for (let quiet = 0; quiet < 20; quiet++) {
    const before = moves();
    await Promise.resolve();
    if (moves() !== before) quiet = 0;
  }
}

function failuresOf(
  life: Life,
  undisturbed: Life,
  effects: ReadonlyMap<string, number>,
  trail: readonly string[],
): DurableFailure[] {
  const failures: DurableFailure[] = life.violations.map((what) => ({
    check: 'begins-when-durable',
    message: `${what} began while its state was not the durable one`,
    trail,
  }));
  const counts = countKeys(life.begun);
  for (const [name, expected] of effects) {
    const count = counts.get(name) ?? 0;
    if (count < expected) {
      const message = `${name} has begun under ${count} keys instead of ${expected}`;
      failures.push({ check: 'begins-at-least-once', message, trail });
    }
  }
  for (const [name, count] of counts) {
    const expected = effects.get(name) ?? 0;
    if (count > expected) {
      const message = `${name} has begun under ${count} keys instead of ${expected}`;
      failures.push({ check: 'enters-as-often', message, trail });
    }
  }
  const [end, expected] = [JSON.stringify(life.end), JSON.stringify(undisturbed.end)];
  if (end !== expected) {
    failures.push({ check: 'ends-the-same', message: `${end} instead of ${expected}`, trail });
  }
  return failures;
}

function countKeys(begun: readonly BegunEffect[]): Map<string, number> {
  const keys = new Map<string, Set<string>>();
  for (const { name, key } of begun) keys.set(name, (keys.get(name) ?? new Set()).add(key));
  return new Map([...keys].map(([name, { size }]) => [name, size]));
}

function resultOf(snapshot: Snapshot<unknown>): unknown {
  const { status, output } = snapshot;
  const context = 'context' in snapshot ? snapshot.context : undefined;
  const error = snapshot.error instanceof Error ? snapshot.error.message : snapshot.error;
  return { status, output, error, context };
}

/** A clock that goes on when nothing else moves, to the next moment at which something is due. */
class LabClock {
  readonly #due = new Map<number, { readonly atMs: number; readonly action: () => void }>();
  #nowMs: number;
  #lastId = 0;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  setTimeout(action: () => void, afterMs: number): number {
    this.#lastId += 1;
    this.#due.set(this.#lastId, { atMs: this.#nowMs + afterMs, action });
    return this.#lastId;
  }

  clearTimeout(id: unknown): void {
    this.#due.delete(id as number);
  }

  /** @returns whether anything was due */
  advance(): boolean {
    const [first] = [...this.#due].sort(([, a], [, b]) => a.atMs - b.atMs);
    if (first === undefined) return false;
    const [id, { atMs, action }] = first;
    this.#due.delete(id);
    this.#nowMs = Math.max(this.#nowMs, atMs);
    action();
    return true;
  }
}

/** A store in memory, whose saves are durable a moment after they were asked for. */
class LabStore implements DurableStore {
  state: YamlValue | undefined;
  saves = 0;
  readonly #mark: (at: string) => void;

  constructor(state: YamlValue | undefined, mark: (at: string) => void) {
    this.state = state;
    this.#mark = mark;
  }

  save(state: unknown): Promise<void> {
    return this.#put(cloneValue(state));
  }

  set(path: YamlPath, value: unknown): Promise<void> {
    return this.#put(setAt(this.state ?? {}, path, cloneValue(value)));
  }

  subscribe(): () => void {
    return () => {};
  }

  async #put(state: YamlValue): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await Promise.resolve();
    this.saves += 1;
    this.state = state;
    this.#mark(`save ${this.saves} is durable`);
  }
}
