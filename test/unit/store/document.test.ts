/**
 * What a round costs in rendering, counted exactly; and that rendering changes together gives the bytes
 * that rendering them one by one gives.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setAt } from '../../../src/format/yaml/path-access.js';
import { printYaml } from '../../../src/format/yaml/yaml-edit.js';
import type { YamlPath } from '../../../src/format/yaml/yaml-path.js';
import { DEFAULT_LIMITS, parseYaml } from '../../../src/format/yaml/yaml-text.js';
import type { YamlValue } from '../../../src/format/yaml/yaml-value.js';
import { CheckpointDocument } from '../../../src/store/document.js';
import type { Change } from '../../../src/store/draft.js';
import { parsedBy, WINDOW_UNITS } from '../../helpers/parser-work.js';

const TEXT = `# the plan
phases: # all of them
  - name: one # the first
    status: DONE
    tries: 1
  # about two
  - name: two
    status:   PENDING   # aligned
    tries: 1
  - {name: three, status: PENDING, tries: 1}
tags: [a, b, a]
note: |
  some text
`;

const set = (path: YamlPath, value: YamlValue | undefined): Change => ({
  kind: 'set',
  path,
  value,
});

function documentWith(text = TEXT, limits = {}): CheckpointDocument {
  const document = new CheckpointDocument({ limits: { ...DEFAULT_LIMITS, ...limits } });
  document.rebase({ text, sequence: 1 });
  return document;
}

/** Stages changes as callers do while a round is in flight, or as one caller does. */
function stageAll(document: CheckpointDocument, changes: readonly Change[]): number[] {
  return changes.map((change) => {
    const staged = document.stage(change, undefined, true).next();
    if (staged.done !== true) throw new TypeError('nothing here waits');
    return staged.value;
  });
}

function textOf(document: CheckpointDocument, ids: readonly number[]): string {
  const content = document.textFor(ids);
  if (!('text' in content)) throw new TypeError('nothing here waits');
  return content.text;
}

/** The bytes that come of one round for each change. */
function oneByOne(changes: readonly Change[], text = TEXT): string {
  const document = documentWith(text);
  let last = text;
  changes.forEach((change, index) => {
    last = textOf(document, stageAll(document, [change]));
    document.rebase({ text: last, sequence: index + 2 });
  });
  return last;
}

function together(changes: readonly Change[], text = TEXT) {
  const document = documentWith(text);
  const last = textOf(document, stageAll(document, changes));
  return { text: last, edits: document.edits };
}

describe('a round', () => {
  it('renders 256 sets by one edit', () => {
    const changes = Array.from({ length: 256 }, (_, n) =>
      set(['phases', n % 3, n % 2 ? 'tries' : 'status'], n),
    );
    const { text, edits } = together(changes);
    expect(edits).toBe(1);
    expect(text).toBe(oneByOne(changes));
  });

  it('renders only the newest of 256 whole states', () => {
    const changes = Array.from({ length: 256 }, (_, n): Change => {
      return { kind: 'state', value: { note: n } };
    });
    expect(together(changes)).toMatchObject({ edits: 1, text: expect.stringContaining('255') });
  });

  it('renders 256 updates by one edit, each of which has seen those before it', () => {
    const recipe = (draft: unknown) => {
      (draft as { phases: { tries: number }[] }).phases.forEach((phase) => {
        phase.tries += 1;
      });
    };
    const changes = Array.from({ length: 256 }, (): Change => ({ kind: 'update', recipe }));
    const { text, edits } = together(changes);
    expect(edits).toBe(1);
    expect(text).toBe(TEXT.replaceAll('tries: 1', 'tries: 257'));
  });

  it('renders nothing that a whole state or a text replaces', () => {
    const before = Array.from({ length: 20 }, (_, n) => set(['note'], n));
    const state: Change = { kind: 'state', value: { note: 'all' } };
    expect(together([...before, state, set(['n'], 1), set(['m'], 2)])).toMatchObject({ edits: 2 });
    const text: Change = { kind: 'text', text: 'mine:   1\n' };
    expect(together([...before, text])).toEqual({ edits: 0, text: 'mine:   1\n' });
  });

  it('renders by itself what removes an item of a list, as only that knows which', () => {
    const changes = [set(['tags', 2], undefined), set(['note'], 1), set(['tags', 0], 'b')];
    const { text, edits } = together(changes);
    expect(edits).toBe(2);
    expect(text).toBe(oneByOne(changes));
    expect(text).toContain('tags: [b, b]');
  });

  it('keeps comments with their items where values become alike', () => {
    const list = 'list:\n  - a # first\n  - b # second\n  - c # third\n';
    const changes = [set(['list', 0], 'b'), set(['list', 1], 'c'), set(['list', 3], 'd')];
    expect(together(changes, list).text).toBe(
      'list:\n  - b # first\n  - c # second\n  - c # third\n  - d\n',
    );
  });

  it('renders a lone change when it is asked for, and not again', () => {
    const document = documentWith();
    const step = document.stage(set(['note'], 'x')).next();
    expect(document.edits).toBe(1);
    textOf(document, [Number(step.value)]);
    expect(document.edits).toBe(1);
  });

  it('tells only the caller whose change can not be rendered, and saves the others', () => {
    const document = documentWith('a: 1\nb: 2\n', { maxBytes: 100 });
    const ids = stageAll(document, [
      set(['a'], 2),
      set(['a'], 'x'.repeat(200)),
      set(['b'], 3),
      set(['c'], 'y'.repeat(200)),
    ]);
    const text = textOf(document, ids);
    expect(text).toBe('a: 2\nb: 3\n');
    document.rebase({ text, sequence: 2 });
    expect(ids.map((id) => document.takeError(id)?.thrown)).toEqual([
      undefined,
      expect.objectContaining({ code: 'TOO_LARGE' }),
      undefined,
      expect.objectContaining({ code: 'TOO_LARGE' }),
    ]);
  });

  it('takes of the changes that wait only its own, and what comes after goes on from it', () => {
    const document = documentWith();
    const [first, second] = stageAll(document, [set(['note'], 1), set(['tags', 0], 'z')]);
    const text = textOf(document, [first ?? 0]);
    expect(text).toContain('note: 1\n');
    expect(text).toContain('tags: [a, b, a]');
    document.rebase({ text, sequence: 2 });
    expect(textOf(document, [second ?? 0])).toBe(text.replace('[a, b, a]', '[z, b, a]'));
    expect(document.edits).toBe(2);
  });
});

describe('sets that are rendered together', () => {
  // Nothing is quoted here: the quotes that a file has are a habit that later values follow.
  const leaf = fc.oneof(fc.integer(), fc.constantFrom('a', 'b', 'DONE', null, true));
  const path = fc.oneof(
    fc.tuple(fc.constant('phases'), fc.nat(2), fc.constantFrom('name', 'status', 'tries', 'more')),
    fc.tuple(fc.constant('tags'), fc.nat(2)),
    fc.tuple(fc.constantFrom('note', 'new', 'newer')),
  );
  const change = fc.tuple(path, leaf).map(([at, value]) => set(at, value));

  const places = fc.uniqueArray(change, {
    minLength: 2,
    maxLength: 12,
    selector: (one) => JSON.stringify(one.kind === 'set' && one.path),
  });

  it('give the bytes that they give one by one, where each place is set once', () => {
    fc.assert(
      fc.property(places, (changes) => {
        expect(together(changes).text).toBe(oneByOne(changes));
      }),
      { numRuns: 150 },
    );
  });

  it('say what the last of them say, whatever a place was in between', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 2, maxLength: 12 }), (changes) => {
        const value = (text: string) => parseYaml(text).value;
        expect(value(together(changes).text)).toEqual(value(oneByOne(changes)));
      }),
      { numRuns: 50 },
    );
  });

  it('keep the style of a place that passes through a value of another kind', () => {
    const changes = [set(['note'], 0), set(['note'], 'other text\n')];
    expect(together(changes).text).toBe(TEXT.replace('some text', 'other text'));
  });
});

describe('an update of a long state', () => {
  const tasks = Array.from({ length: 300 }, (_, id) => ({ id, status: 'new' }));
  const long = printYaml({ tasks });
  const saved = (recipe: (draft: unknown) => unknown) =>
    oneByOne([{ kind: 'update', recipe }], long);
  const done = long.replace('id: 7\n    status: new', 'id: 7\n    status: done');
  type Plan = { tasks: { status: string }[] };

  it('changes what its recipe changes', () => {
    const recipe = (draft: unknown) => {
      Object.assign((draft as Plan).tasks[7] ?? {}, { status: 'done' });
    };
    expect(saved(recipe)).toBe(done);
  });

  it('takes a recipe that clones its draft, which a proxy does not allow', () => {
    let runs = 0;
    const recipe = (draft: unknown) => {
      runs += 1;
      const next = structuredClone(draft as Plan);
      Object.assign(next.tasks[7] ?? {}, { status: 'done' });
      return next;
    };
    expect(saved(recipe)).toBe(done);
    expect(runs).toBe(2);
  });

  it('passes on what its recipe throws', () => {
    const thrown = new TypeError('mine');
    const recipe = () => {
      throw thrown;
    };
    expect(() => saved(recipe)).toThrow(thrown);
  });
});

describe('what a round of many sets of a long text parses', () => {
  const tasks = Array.from({ length: 1000 }, (_, id) => ({ id, status: 'new', note: 'a' }));
  const long = printYaml({ title: 'all', tasks });
  const sets = Array.from({ length: 64 }, (_, at) =>
    set(['tasks', 400 + (at % 8), 'note'], `x${at}`),
  );
  const saved = (document: CheckpointDocument) => () => textOf(document, stageAll(document, sets));

  it('is the sections that they change, once, where the state was read', async () => {
    const document = documentWith(long);
    void document.current?.value;
    const { texts, units } = await parsedBy(saved(document));
    expect(texts).toBe(2);
    expect(units).toBeLessThan(WINDOW_UNITS);
    expect(document.edits).toBe(1);
    expect(textOf(document, [64])).toBe(oneByOne(sets, long));
  });

  it('is the same where nobody has read the state: it is not read for them', async () => {
    const document = documentWith(long);
    const { texts, units } = await parsedBy(saved(document));
    expect(texts).toBe(2);
    expect(units).toBeLessThan(WINDOW_UNITS);
    expect(textOf(document, [64])).toBe(oneByOne(sets, long));
  });

  it('is all of it, once, when as much was parsed for sets as that takes; then they are one edit', async () => {
    const document = documentWith(long);
    const rounds = Math.ceil(long.length / 150 / sets.length) + 1;
    for (let round = 0; round < rounds; round += 1) {
      const ids = stageAll(document, sets);
      const content = textOf(document, ids);
      document.rebase({ text: content, sequence: round + 2 });
    }
    const { units } = await parsedBy(saved(document));
    expect(units).toBeLessThan(4 * WINDOW_UNITS);
  });
});

describe('what rounds of 256 callers parse', () => {
  const names = Array.from({ length: 256 }, (_, n) => `agent-${n}`);
  const text = printYaml({ agents: Object.fromEntries(names.map((name) => [name, 'idle'])) });
  const sets = (mark: string) => names.map((name) => set(['agents', name], mark));

  it('is the text once to read it, once before the first round, and then nothing', async () => {
    const document = documentWith(text);
    void document.current?.value;
    for (const [round, texts] of [1, 0, 0, 0].entries()) {
      const work = await parsedBy(() => {
        const next = textOf(document, stageAll(document, sets(`in round ${round}`)));
        document.rebase({ text: next, sequence: round + 2 });
      });
      expect(work.texts).toBe(texts);
      expect(await parsedBy(() => document.current?.state)).toEqual({ texts: 0, units: 0 });
    }
    expect(document.current?.state).toEqual({
      agents: Object.fromEntries(names.map((name) => [name, 'in round 3'])),
    });
  });

  it('leaves what is not set the same objects, frozen', () => {
    const lists = Object.fromEntries(names.map((name) => [name, { status: 'new', of: [name] }]));
    const document = documentWith(printYaml(lists));
    const before = document.current?.state as typeof lists;
    const changes = names.slice(0, 200).map((name) => set([name, 'status'], 'old'));
    const next = textOf(document, stageAll(document, changes));
    document.rebase({ text: next, sequence: 2 });
    const after = document.current?.state as typeof lists;
    for (const name of names) expect(after[name]?.of).toBe(before[name]?.of);
    expect(after['agent-0']).toEqual({ status: 'old', of: ['agent-0'] });
    expect([after, after['agent-0'], after['agent-0']?.of].every(Object.isFrozen)).toBe(true);
  });
});

describe('rounds that take some of what waits, fail, or lose some of it', () => {
  const leaf = fc.constantFrom<YamlValue | undefined>(1, 'two', null, undefined, [3], { deep: 4 });
  const path = fc.oneof(
    fc.tuple(fc.constant('phases'), fc.nat(3), fc.constantFrom('name', 'tries')),
    fc.tuple(fc.constant('tags'), fc.nat(3)),
    fc.tuple(fc.constantFrom('note', 'new'), fc.constantFrom('deep', 0)),
    fc.tuple(fc.constantFrom('note', 'new')),
  );
  const counted = (draft: unknown) => {
    const state = draft as { counted?: number };
    state.counted = (state.counted ?? 0) + 1;
  };
  const change = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(path, leaf).map(([at, value]) => set(at, value)) },
    { weight: 1, arbitrary: fc.constant<Change>({ kind: 'update', recipe: counted }) },
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('ask' as const), change }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('save', 'fail'), share: fc.nat(9) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), at: fc.nat(9) }) },
  );

  /** What a change makes of a state; where it can't be applied, nothing. */
  function applied(state: YamlValue, asked: Change): YamlValue {
    const next = structuredClone(state);
    if (asked.kind === 'update') {
      asked.recipe(next);
      return next;
    }
    if (asked.kind !== 'set') return state;
    try {
      return setAt(next, asked.path, asked.value);
    } catch {
      return state;
    }
  }

  it('leave the state that the rest gives, applied one by one', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const document = documentWith();
        let published = parseYaml(TEXT).value;
        let waiting: { id: number; change: Change }[] = [];
        let sequence = 1;
        for (const one of steps) {
          if ('change' in one) {
            try {
              const [id = 0] = stageAll(document, [one.change]);
              waiting.push({ id, change: one.change });
            } catch {
              // Refused at once: nothing is kept of it.
            }
          } else if ('at' in one) {
            const [aborted] = waiting.splice(one.at % Math.max(1, waiting.length), 1);
            if (aborted) document.drop([aborted.id], { keepLogged: true });
          } else {
            const taken = waiting.slice(0, Math.ceil((waiting.length * one.share) / 9));
            const ids = taken.map(({ id }) => id);
            let text: string | undefined;
            try {
              if (ids.length > 0) text = textOf(document, ids);
            } catch {
              // None of them can be applied any more.
            }
            waiting = waiting.slice(taken.length);
            if (text === undefined || one.kind === 'fail') {
              document.drop(ids, { keepLogged: false });
              continue;
            }
            sequence += 1;
            document.advance(sequence);
            published = taken.reduce((state, { change: next }) => applied(state, next), published);
            expect(parseYaml(text).value).toEqual(published);
            expect(document.current?.state).toEqual(published);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
