/** Which operation meets which fault, how rules print, and how they go through JSON. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultFromJson, ruleFromJson } from '../../../src/io/fault-json.js';
import * as rules from '../../../src/io/fault-rules.js';
import {
  atMost,
  atRandom,
  eachPath,
  type FaultOperation,
  type FaultRule,
  failEvery,
  failNth,
  firstOf,
  onPath,
  since,
  until,
} from '../../../src/io/fault-rules.js';
import * as faults from '../../../src/io/faults.js';
import {
  delay,
  doneThenFail,
  dropPages,
  type Fault,
  fail,
  faultCodes,
  flipBit,
  lie,
  misdirect,
  short,
} from '../../../src/io/faults.js';

const { FC_RUNS = '1' } = process.env;
const numRuns = Math.ceil(200 * Number(FC_RUNS));

/** Operations from words as `sync /a.wal` or `rename /a /b`. */
function operations(...lines: string[]): FaultOperation[] {
  return lines.map((line) => {
    const [operation = '', path = '', to] = line.split(' ');
    const name = operation as FaultOperation['operation'];
    return { operation: name, path, ...(to === undefined ? {} : { to }) };
  });
}

/** What a fresh decision function says to each: the code, the kind, or `-`. */
function decisions(rule: FaultRule, ...lines: string[]): string {
  const decide = rule.start();
  return operations(...lines)
    .map((one) => decide(one))
    .map((fault) => (fault?.kind === 'fail' ? fault.code : (fault?.kind ?? '-')))
    .join(' ');
}

describe('failNth', () => {
  test('hits the nth matching operation and no other', () => {
    const rule = failNth({ operation: 'sync', path: /\.wal$/, nth: 2 }, 'EIO');
    const lines = ['sync /a.wal', 'write /a.wal', 'sync /b', 'sync /b.wal', 'sync /a.wal'];
    expect(decisions(rule, ...lines)).toBe('- - - EIO -');
  });

  test('counts only operations that the fault means something for', () => {
    expect(
      decisions(failNth({ nth: 2 }, short('half')), 'open /a', 'write /a', 'sync /a', 'read /a'),
    ).toBe('- - - short');
  });

  test('takes the first where no number is given', () => {
    expect(decisions(failNth({}, 'EMFILE'), 'open /a', 'open /a')).toBe('EMFILE -');
  });

  test.each([0, -1, 1.5, Number.NaN])('refuses the number %d', (nth) => {
    expect(() => failNth({ nth }, 'EIO')).toThrow(TypeError);
  });
});

describe('a match', () => {
  test.each([
    ['exact path', { path: '/a' }, 'EIO - EIO EIO -'],
    ['pattern', { path: /^\/a/ }, 'EIO EIO EIO EIO -'],
    ['global pattern, which remembers nothing', { path: /a/g }, 'EIO EIO EIO EIO -'],
    ['sticky pattern', { path: /\/a/y }, 'EIO EIO EIO EIO -'],
    ['several operations', { operation: ['rename', 'list'] as const }, '- - EIO EIO EIO'],
    ['operation and path', { operation: 'rename' as const, path: '/a' }, '- - EIO EIO -'],
    ['nothing, so everything', {}, 'EIO EIO EIO EIO EIO'],
  ])('by %s', (_, match, expected) => {
    const lines = ['sync /a', 'sync /ab', 'rename /a /b', 'rename /b /a', 'list /b'];
    expect(decisions(failEvery(match, 'EIO'), ...lines)).toBe(expected);
  });
});

describe('combinators', () => {
  test('firstOf takes the first rule that finds a fault, and all of them count', () => {
    const rule = firstOf(
      failNth({ nth: 1 }, 'EIO'),
      failNth({ nth: 2 }, 'ENOSPC'),
      failEvery({}, 'EROFS'),
    );
    expect(decisions(rule, 'open /a', 'open /a', 'open /a')).toBe('EIO ENOSPC EROFS');
  });

  test('a sync that fails once and then lies is two rules in a row', () => {
    const sync = { operation: 'sync', path: '/a' } as const;
    const rule = firstOf(failNth(sync, 'EIO'), failEvery(sync, lie()));
    expect(decisions(rule, 'sync /a', 'sync /b', 'sync /a', 'sync /a')).toBe('EIO - lie lie');
  });

  test('onPath shows its rule only that path', () => {
    const rule = onPath('/a', failNth({ nth: 2 }, 'EIO'));
    expect(decisions(rule, 'sync /a', 'sync /b', 'sync /b', 'sync /a')).toBe('- - - EIO');
  });

  test('eachPath counts every path for itself', () => {
    const rule = eachPath(failNth({ operation: 'sync', nth: 2 }, 'EIO'));
    expect(decisions(rule, 'sync /a', 'sync /b', 'sync /a', 'sync /b', 'sync /b')).toBe(
      '- - EIO EIO -',
    );
  });

  test('until ends before the operation, since begins behind it', () => {
    const lines = ['sync /a', 'rename /a /b', 'sync /a', 'rename /b /a', 'sync /a'];
    const every = failEvery({}, 'EIO');
    expect(decisions(until({ operation: 'rename' }, every), ...lines)).toBe('EIO - - - -');
    expect(decisions(since({ operation: 'rename' }, every), ...lines)).toBe('- - EIO EIO EIO');
  });

  test('until and since nest into a span', () => {
    const span = since({ path: '/from' }, until({ path: '/to' }, failEvery({}, 'EIO')));
    expect(decisions(span, 'open /a', 'open /from', 'open /a', 'open /to', 'open /a')).toBe(
      '- - EIO - -',
    );
  });

  test('atMost stops after that many faults', () => {
    const rule = atMost(2, failEvery({ operation: 'write' }, 'ENOSPC'));
    expect(decisions(rule, 'write /a', 'sync /a', 'write /a', 'write /a')).toBe(
      'ENOSPC - ENOSPC -',
    );
    expect(() => atMost(-1, rule)).toThrow(TypeError);
  });
});

describe('atRandom', () => {
  const many = Array.from({ length: 2000 }, (_, index) => (index % 2 ? 'write /a' : 'sync /a'));

  test('hits about as often as it should, the same ones for a seed', () => {
    const rule = atRandom(7, 0.25, {}, 'EIO');
    const hits = decisions(rule, ...many);
    expect(hits).toBe(decisions(rule, ...many));
    expect(hits).not.toBe(decisions(atRandom(8, 0.25, {}, 'EIO'), ...many));
    const count = hits.split('EIO').length - 1;
    expect(count).toBeGreaterThan(400);
    expect(count).toBeLessThan(600);
  });

  test('never and always are exact', () => {
    expect(decisions(atRandom(1, 0, {}, 'EIO'), ...many)).not.toContain('EIO');
    expect(decisions(atRandom(1, 1, {}, 'EIO'), ...many)).not.toContain('-');
  });

  test('chooses among those of its faults that mean something for the operation', () => {
    const rule = atRandom(1, 1, {}, short('one'), lie(), 'EIO');
    const decide = rule.start();
    const kinds = { write: new Set<string>(), sync: new Set<string>(), open: new Set<string>() };
    for (const operation of ['write', 'sync', 'open'] as const) {
      for (let time = 0; time < 100; time += 1) {
        kinds[operation].add(decide({ operation, path: '/a' })?.kind ?? '-');
      }
    }
    expect([...kinds.write].sort()).toEqual(['fail', 'short']);
    expect([...kinds.sync].sort()).toEqual(['fail', 'lie']);
    expect([...kinds.open]).toEqual(['fail']);
  });

  test.each([
    () => atRandom(1, 1.1, {}, 'EIO'),
    () => atRandom(1, Number.NaN, {}, 'EIO'),
    () => atRandom(0.5, 1, {}, 'EIO'),
    () => atRandom(1, 1, {}),
  ])('refuses what it can not draw from: %s', (make) => {
    expect(make).toThrow(TypeError);
  });
});

describe('a rule', () => {
  test('prints as the code that makes it', () => {
    const rule = firstOf(
      failNth({ operation: 'sync', path: /\.wal$/, nth: 2 }, 'EIO'),
      onPath(
        '/a',
        until({ operation: ['rename', 'link'] }, failEvery({}, misdirect({ shift: 512 }))),
      ),
    );
    expect(String(rule)).toBe(
      "firstOf(failNth({ operation: 'sync', path: /\\.wal$/, nth: 2 }, 'EIO'), " +
        "onPath(\"/a\", until({ operation: ['rename', 'link'] }, failEvery({}, misdirect({ shift: 512 })))))",
    );
  });

  test('has counters of its own in each run', () => {
    const rule = failNth({ nth: 2 }, 'EIO');
    const [one, two] = [rule.start(), rule.start()];
    const [open] = operations('open /a');
    if (open === undefined) throw new Error('no operation');
    expect([one(open), two(open), one(open)?.kind, two(open)?.kind]).toEqual([
      undefined,
      undefined,
      'fail',
      'fail',
    ]);
  });
});

const code = fc.constantFrom(...faultCodes);
const anyFault: fc.Arbitrary<Fault> = fc.oneof(
  code.map(fail),
  code.map(doneThenFail),
  code.map(dropPages),
  fc.constantFrom('half' as const, 'one', 'none').map(short),
  fc.constantFrom(lie(), faults.loseLock()),
  fc
    .tuple(fc.nat(), fc.constantFrom('first' as const, 'last'))
    .map(([ms, done]) => delay(ms, done)),
  fc.tuple(fc.nat(), fc.nat({ max: 7 })).map(([offset, bit]) => flipBit(offset, bit)),
  fc
    .tuple(fc.option(fc.string(), { nil: undefined }), fc.integer())
    .map(([from, shift]) => misdirect({ ...(from === undefined ? {} : { from }), shift })),
);
const operationName = fc.constantFrom('sync' as const, 'write', 'read', 'open', 'rename', 'isHeld');
const anyPath = fc.constantFrom('/a', '/b.wal', "/it's", /\.wal$/, /[/"']A/i, /\/b/u);
const anyMatch = fc.record(
  {
    operation: fc.oneof(operationName, fc.array(operationName)),
    path: anyPath,
  },
  { requiredKeys: [] },
);
const { rule: anyRule } = fc.letrec<{ rule: FaultRule }>((tie) => ({
  rule: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .tuple(anyMatch, fc.integer({ min: 1, max: 4 }), anyFault)
      .map(([match, nth, fault]) => failNth({ ...match, nth }, fault)),
    fc.tuple(anyMatch, anyFault).map(([match, fault]) => failEvery(match, fault)),
    fc
      .tuple(
        fc.integer(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        anyMatch,
        fc.array(anyFault, { minLength: 1 }),
      )
      .map(([seed, chance, match, all]) => atRandom(seed, chance, match, ...all)),
    fc.tuple(anyPath, tie('rule')).map(([path, rule]) => onPath(path, rule)),
    tie('rule').map(eachPath),
    fc.array(tie('rule'), { maxLength: 3 }).map((all) => firstOf(...all)),
    fc.tuple(anyMatch, tie('rule')).map(([match, rule]) => until(match, rule)),
    fc.tuple(anyMatch, tie('rule')).map(([match, rule]) => since(match, rule)),
    fc.tuple(fc.nat({ max: 3 }), tie('rule')).map(([times, rule]) => atMost(times, rule)),
  ),
}));
const anyOperations = fc.array(
  fc.record({
    operation: operationName,
    path: fc.constantFrom('/a', '/b.wal', '/it"A', "/it's"),
    to: fc.constantFrom('/a', '/c'),
  }),
  { maxLength: 30 },
);

/** Runs printed code with the names that it may use, as somebody does who pastes it. */
function runPrinted(text: string): FaultRule {
  const scope = { ...rules, ...faults };
  return new Function(...Object.keys(scope), `return ${text};`)(
    ...Object.values(scope),
  ) as FaultRule;
}

describe('any rule', () => {
  test('decides the same after a way through JSON, and as the code that it prints', () => {
    fc.assert(
      fc.property(anyRule, anyOperations, (rule, all) => {
        const text = JSON.stringify(rule);
        const read = ruleFromJson(JSON.parse(text));
        const printed = runPrinted(String(rule));
        // JSON has no negative zero, which as a probability is no different.
        expect(JSON.stringify(read)).toBe(text);
        expect(String(printed)).toBe(String(rule));
        const deciders = [rule, read, printed].map((one) => one.start());
        for (const one of all) {
          const [expected, ...others] = deciders.map((decide) => JSON.stringify(decide(one)));
          for (const other of others) expect(other).toBe(expected);
        }
      }),
      { numRuns },
    );
  });

  test('never gives a fault that means nothing for the operation', () => {
    fc.assert(
      fc.property(anyRule, anyOperations, (rule, all) => {
        const decide = rule.start();
        for (const one of all) {
          const fault = decide(one);
          if (fault !== undefined) expect(faults.isApplicable(fault, one)).toBe(true);
        }
      }),
      { numRuns },
    );
  });

  test('reading data never does anything but give a rule or a TypeError', () => {
    fc.assert(
      fc.property(fc.anything(), (data) => {
        expect(() => {
          try {
            ruleFromJson(data);
          } catch (error) {
            if (!(error instanceof TypeError)) throw error;
          }
        }).not.toThrow();
      }),
      { numRuns },
    );
  });
});

describe('data that is no rule', () => {
  const fault = { kind: 'lie' };
  test.each([
    [null, 'rule must be an object, not null'],
    [{ rule: 'failEach' }, 'rule.rule must be one of failNth, '],
    [{ rule: 'failEvery', match: {}, fault, nth: 1 }, 'rule has no "nth", only '],
    [
      { rule: 'failEvery', match: { operation: 'sync' }, fault },
      'rule.match.operation must be a list',
    ],
    [
      { rule: 'failEvery', match: { operation: ['fsync'] }, fault },
      'rule.match.operation[0] must be one of',
    ],
    [
      { rule: 'failEvery', match: { path: { matches: '(' } }, fault },
      'rule.match.path must be a regular',
    ],
    [
      { rule: 'failEvery', match: { path: { matches: 'a', flags: 'g' } }, fault },
      'flags must be of',
    ],
    [{ rule: 'failNth', match: {}, nth: 0, fault }, 'rule.nth must be an integer from 1, not 0'],
    [
      { rule: 'firstOf', rules: [{ rule: 'eachPath', of: 3 }] },
      'rule.rules[0].of must be an object',
    ],
    [
      { rule: 'atRandom', seed: 1, probability: 2, match: {}, faults: [fault] },
      'from 0 to 1, not 2',
    ],
    [{ rule: 'atRandom', seed: 1, probability: 1, match: {}, faults: [] }, 'with a fault in it'],
  ])('is refused with its place: %j', (data, message) => {
    expect(() => ruleFromJson(data)).toThrow(TypeError);
    expect(() => ruleFromJson(data)).toThrow(message);
  });

  test.each([
    { kind: 'fail', code: 'EWHAT' },
    { kind: 'short', amount: 'most' },
    { kind: 'flipBit', offset: -1, bit: 0 },
    { kind: 'flipBit', offset: 0, bit: 8 },
    { kind: 'delay', delayMs: -1, done: 'first' },
    { kind: 'misdirect', shift: 0.5 },
    { kind: 'lie', code: 'EIO' },
    JSON.parse('{"__proto__":{"kind":"lie"}}') as unknown,
  ])('a fault too: %j', (data) => {
    expect(() => faultFromJson(data)).toThrow(TypeError);
  });

  test('is refused when nested too deeply', () => {
    let data: unknown = { rule: 'failEvery', match: {}, fault };
    for (let depth = 0; depth < 100_000; depth += 1) data = { rule: 'eachPath', of: data };
    expect(() => ruleFromJson(data)).toThrow(TypeError);
  });
});
