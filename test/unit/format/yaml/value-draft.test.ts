/** Drafts of a state: whatever a caller does with one, it is as if he had a deep copy of his own. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyValue, draftOf } from '../../../../src/format/yaml/value-draft.js';
import { cloneValue, deepFreeze, type YamlValue } from '../../../../src/format/yaml/yaml-value.js';

interface Task {
  id: string;
  status: string;
  tags: string[];
  parent?: unknown;
}
interface Plan {
  title: string;
  tasks: Task[];
  more: Record<string, Task>;
}

const task = (id: number): Task => ({ id: `t${id}`, status: 'new', tags: ['a', 'b'] });
const tasks = Array.from({ length: 200 }, (_, id) => task(id));
const plan = deepFreeze({
  title: 'all',
  tasks,
  more: Object.fromEntries(tasks.map((one) => [one.id, task(1)])),
}) as unknown as YamlValue & Plan;

/** What a recipe makes of the state, with the draft that it was given. */
function madeBy(recipe: (draft: Plan) => unknown, before: YamlValue = plan) {
  const { draft, heldBy } = draftOf(before);
  const returned = recipe(draft as unknown as Plan);
  const value = cloneValue(returned === undefined ? draft : returned, { before, heldBy });
  return { value: value as unknown as Plan, draft: draft as unknown as Plan };
}

type Recipe = (draft: Plan) => unknown;
const recipes: Record<string, Recipe> = {
  'sets a field of an item': (draft) => {
    for (const one of draft.tasks.slice(7, 8)) one.status = 'done';
  },
  'finds an item': (draft) => {
    const found = draft.tasks.find(({ id }) => id === 't150');
    if (found) found.tags.push('c');
  },
  'pushes and removes': (draft) => {
    draft.tasks.push(task(300));
    draft.tasks.splice(3, 2);
    draft.tasks.shift();
    delete draft.more.t7;
  },
  sorts: (draft) => draft.tasks.sort((a, b) => (a.id < b.id ? 1 : -1)) && undefined,
  'puts one part in two places': (draft) => {
    draft.more.x = draft.tasks[3] as Task;
    draft.more.y = draft.more.x;
    draft.more.y.status = 'both';
  },
  'moves a long part': (draft) =>
    Object.assign(draft, { tasks: [], old: draft.tasks }) && undefined,
  'returns another state made of parts': (draft) => ({
    ...draft,
    tasks: draft.tasks.filter((_, at) => at % 2 === 0),
  }),
  'returns a part of it': (draft) => draft.tasks,
  'goes by way of JSON': (draft) => JSON.parse(JSON.stringify(draft)),
  'uses keys that objects have by themselves': (draft) => {
    const entries = draft.more as unknown as Record<string, unknown>;
    Object.defineProperty(entries, '__proto__', { value: [1], enumerable: true, writable: true });
    Object.assign(entries, { constructor: 'x' });
  },
  'freezes it': (draft) => {
    Object.freeze(draft.tasks);
  },
  'changes nothing': () => undefined,
};

describe('what a recipe makes of a draft', () => {
  it.each(Object.entries(recipes))('is what it makes of a deep copy: %s', (_, recipe) => {
    const copy = structuredClone(plan) as unknown as Plan;
    const returned = recipe(copy);
    expect(madeBy(recipe).value).toEqual(cloneValue(returned === undefined ? copy : returned));
  });

  it('shares what did not change', () => {
    const { value } = madeBy((draft) => {
      Object.assign(draft.tasks[7] ?? {}, { status: 'done' });
    });
    expect(value.more).toBe(plan.more);
    expect(value.tasks.flatMap((one, at) => (one === plan.tasks[at] ? [] : [at]))).toEqual([7]);
    expect(value.tasks[7]?.tags).toBe(plan.tasks[7]?.tags);
  });

  it('is the state itself where nothing changes, whatever was looked at', () => {
    expect(madeBy((draft) => void JSON.stringify(draft)).value).toBe(plan);
  });

  it('does not change when the draft changes later', () => {
    const { value, draft } = madeBy((given) => {
      Object.assign(given.tasks[7] ?? {}, { status: 'done' });
    });
    Object.assign(draft.tasks[7] ?? {}, { status: 'late' });
    Object.assign(draft.tasks[8] ?? {}, { status: 'late' });
    draft.tasks.pop();
    expect([value.tasks[7]?.status, value.tasks[8]?.status]).toEqual(['done', 'new']);
    expect([value.tasks.length, draft.tasks.length]).toEqual([200, 199]);
  });

  it.each<[string, Recipe, string]>([
    ['a date', (draft) => Object.assign(draft.tasks[7] ?? {}, { due: new Date() }), 'tasks[7].due'],
    [
      'a getter',
      (draft) => Object.defineProperty(draft.tasks[7], 'id', { get: () => 'x' }),
      'tasks[7].id',
    ],
    [
      'a hidden property',
      (draft) => Object.defineProperty(draft.tasks, 'x', { value: 1 }),
      'tasks',
    ],
    ['a symbol', (draft) => Object.assign(draft.more, { [Symbol('x')]: 1 }), 'more'],
    ['a class', (draft) => Object.setPrototypeOf(draft.more, new (class X {})()), 'more'],
    ['a hole', (draft) => delete draft.tasks[5], 'tasks'],
    ['a cycle', (draft) => Object.assign(draft, { title: draft }), 'title'],
    [
      'a cycle further down',
      (draft) => draft.tasks.map((one) => (one.parent = draft)),
      'tasks[0].parent',
    ],
  ])('is refused with its path where it is %s', (_, recipe, path) => {
    expect(() => madeBy((draft) => void recipe(draft))).toThrow(
      expect.objectContaining({ code: 'UNFAITHFUL_VALUE', details: { path } }),
    );
  });

  it('is refused where parts used again and again are too much', () => {
    const grow: Recipe = (draft) => {
      let part: unknown = draft.tasks;
      for (let round = 0; round < 30; round += 1) part = [part, part];
      Object.assign(draft, { part });
    };
    expect(() => madeBy(grow)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
  });
});

describe('a draft', () => {
  it('gives the same part whenever it is asked', () => {
    const { draft } = draftOf(plan);
    const given = draft as unknown as Plan;
    expect(given.tasks[3]).toBe(given.tasks[3]);
    expect(given.tasks.indexOf(given.tasks[150] as Task)).toBe(150);
    expect(Object.getOwnPropertyDescriptor(given, 'tasks')?.value).toBe(given.tasks);
    expect(Array.isArray(given.tasks)).toBe(true);
  });

  it('is an ordinary copy where it is short', () => {
    const { draft } = draftOf(plan);
    const short = (draft as unknown as Plan).tasks[3];
    expect(structuredClone(short)).toEqual(task(3));
    expect(short).not.toBe(plan.tasks[3]);
  });

  it('leaves the state as it is, whatever is done to it', () => {
    const before = structuredClone(plan);
    for (const recipe of Object.values(recipes)) madeBy(recipe);
    expect(plan).toEqual(before);
  });
});

it('a copy shares nothing with any value', () => {
  const isShared = (a: unknown, b: unknown): boolean =>
    typeof a === 'object' &&
    a !== null &&
    (a === b ||
      Object.entries(a).some(([key, item]) => isShared(item, (b as Record<string, unknown>)[key])));
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const value = cloneValue(json);
      const copy = copyValue(deepFreeze(value));
      expect(copy).toEqual(value);
      expect(isShared(copy, value)).toBe(false);
    }),
  );
});
