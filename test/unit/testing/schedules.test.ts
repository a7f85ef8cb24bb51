/**
 * The order in which callers come and syncs are answered: decided by a seed alone, and a step of a
 * scenario that can be read, described and run.
 */
import { describe, expect, it } from 'vitest';
import { describeStep } from '../../../src/testing/describe-scenario.js';
import { drawScenario } from '../../../src/testing/draw-scenario.js';
import { Expectation } from '../../../src/testing/expectation.js';
import { parseScenario } from '../../../src/testing/parse-scenario.js';
import { Turns } from '../../../src/testing/turns.js';

/** What happens in which order: three calls, each of which then waits for something. */
async function orderOf(seed: number): Promise<string> {
  const turns = new Turns();
  const seen: string[] = [];
  const calls = ['a', 'b', 'c'].map((name) => () => {
    seen.push(name);
    void turns.later(() => seen.push(name.toUpperCase()));
  });
  await turns.interleave(seed, calls);
  return seen.join('');
}

describe('turns', () => {
  it('come in the same order for the same seed, and in others for others', async () => {
    const orders = await Promise.all(Array.from({ length: 20 }, (_, seed) => orderOf(seed)));
    expect(await Promise.all(Array.from({ length: 20 }, (_, seed) => orderOf(seed)))).toEqual(
      orders,
    );
    expect(new Set(orders).size).toBeGreaterThan(10);
    for (const order of orders) expect([...order].sort().join('')).toBe('ABCabc');
  });
});

describe('a scenario with a schedule', () => {
  const step = {
    do: 'together',
    steps: [{ do: 'update', path: 'v', add: 2, abort: true }, { do: 'close' }],
    schedule: 7,
  } as const;

  it('is read and described', () => {
    expect(parseScenario(JSON.stringify({ steps: [step] }))[0]?.steps).toEqual([step]);
    expect(describeStep(step)).toBe(
      'together, in the order of seed 7: update v by 2, aborted; close',
    );
  });

  it.each([
    ['schedule', { ...step, schedule: 'x' }],
    ['abort', { do: 'set', path: 'v', value: 1, abort: 'yes' }],
    ['add', { do: 'update', path: 'v' }],
  ])('is refused where %s is wrong', (name, wrong) => {
    expect(() => parseScenario(JSON.stringify({ steps: [wrong] }))).toThrow(name);
  });

  it('is the same for the same seed where it is drawn, and can be read back', () => {
    expect(drawScenario(3)).toEqual(drawScenario(3));
    expect(drawScenario(3)).not.toEqual(drawScenario(4));
    expect(parseScenario(JSON.stringify(drawScenario(3)))).toEqual([drawScenario(3)]);
  });
});

describe('the reference model', () => {
  it('asks of history what later saves have replaced, several of one round as one', () => {
    const model = new Expectation();
    const ask = (v: number) => model.ask(() => ({ v }));
    const [one, two, three] = [ask(1), ask(2), ask(3)];
    one.acknowledged(1);
    three.acknowledged(2);
    two.acknowledged(2);
    expect(model.allowed()).toMatchObject({ values: ['{"v":3}'], past: ['{"v":1}'], newest: 2 });
    ask(4).acknowledged(3);
    expect(model.allowed().past).toEqual(['{"v":1}', '{"v":3}']);
  });
});
