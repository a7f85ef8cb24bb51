/**
 * What tests of durable actors stand on: a store in memory, whose saves take effect at once or when they
 * are let through, and a life after life of the same machine on it.
 */
import type { AnyActorLogic, Snapshot } from 'xstate';
import {
  createDurableActor,
  type DurableActorOptions,
  type DurableStore,
} from '../../src/durable/durable-actor.js';
import { setAt } from '../../src/format/yaml/path-access.js';
import type { YamlPath } from '../../src/format/yaml/yaml-path.js';
import { cloneValue, type YamlValue } from '../../src/format/yaml/yaml-value.js';
import type { CheckpointStoreEvent } from '../../src/store/store-options.js';

/** A store that holds its state in memory. */
export class MemoryStore implements DurableStore {
  /** What is durable. */
  state: YamlValue | undefined;
  saves = 0;
  /** Holds saves back until they are let through. */
  isSlow = false;
  /** What the next save rejects with. */
  failure: Error | undefined;
  readonly #listeners = new Set<(event: CheckpointStoreEvent) => void>();
  #held: (() => void)[] = [];

  save(state: unknown): Promise<void> {
    return this.#put(cloneValue(state));
  }

  set(path: YamlPath, value: unknown): Promise<void> {
    return this.#put(setAt(this.state ?? {}, path, cloneValue(value)));
  }

  subscribe(listener: (event: CheckpointStoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: CheckpointStoreEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** How many saves wait. */
  get held(): number {
    return this.#held.length;
  }

  /** Lets the saves through that are held back. */
  async letThrough(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    for (const save of held) save();
    await settle();
  }

  #put(state: YamlValue): Promise<void> {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) return Promise.reject(failure);
    return new Promise((resolve) => {
      const save = () => {
        this.state = state;
        this.saves += 1;
        resolve();
      };
      if (this.isSlow) this.#held.push(save);
      else save();
    });
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

/** Starts a life on the store, and waits until it has come to rest. */
export async function live<Logic extends AnyActorLogic>(
  store: MemoryStore,
  logic: Logic,
  options: Partial<DurableActorOptions<Logic>> = {},
) {
  const actor = await createDurableActor(logic, {
    store,
    ...options,
  } as DurableActorOptions<Logic>);
  actor.start();
  await settle();
  return actor;
}

/** The same disk, after a crash: what was not durable is gone, and so is who waited for it. */
export function afterCrash(store: MemoryStore): MemoryStore {
  const next = new MemoryStore();
  next.state = store.state === undefined ? undefined : cloneValue(store.state);
  return next;
}

/** What is saved of the machine, as XState persists it. */
export function savedSnapshot(store: MemoryStore): Snapshot<unknown> & { value: unknown } {
  const { snapshot } = store.state as unknown as { snapshot: never };
  return snapshot;
}
