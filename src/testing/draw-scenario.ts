/**
 * Random scenarios by seed, for searches that go on for minutes: saves of every kind, alone and at once,
 * in drawn orders, some given up, the store closed in their midst, the file edited in between.
 */
import { createRandom, type Random } from '../io/random.js';
import type { SaveStep, Scenario, ScenarioStep, TogetherStep } from './scenario.js';

const STEPS_MAX = 4;
const CALLS_MAX = 5;
const VALUE_MAX = 1000;
const FILLER_MAX = 1500;

/** The same scenario for the same seed. */
export function drawScenario(seed: number): Scenario {
  const random = createRandom(seed);
  const count = 2 + random.next(STEPS_MAX - 1);
  return {
    name: `drawn by seed ${seed}`,
    file: random.next(2) === 0 ? 'v: 0\n' : '# mine\nv: 0 # zero\n',
    steps: Array.from({ length: count }, () => drawStep(random)),
  };
}

function drawStep(random: Random): ScenarioStep {
  switch (random.next(8)) {
    case 0:
    case 1:
    case 2:
      return drawSave(random);
    case 3:
    case 4:
    case 5: {
      const steps: TogetherStep[] = Array.from({ length: 2 + random.next(CALLS_MAX - 1) }, () =>
        drawCall(random),
      );
      if (random.next(3) === 0) steps.splice(random.next(steps.length), 0, { do: 'close' });
      return { do: 'together', schedule: random.next(VALUE_MAX), steps };
    }
    case 6: {
      const text = `v: ${random.next(VALUE_MAX)}\nedited: true\n`;
      return { do: 'edit', text, how: random.next(2) === 0 ? 'inPlace' : 'rename' };
    }
    default:
      return { do: 'reopen' };
  }
}

function drawCall(random: Random): SaveStep {
  const step = drawSave(random);
  return random.next(4) === 0 ? { ...step, abort: true } : step;
}

function drawSave(random: Random): SaveStep {
  const durability = random.next(3) === 0 ? 'logged' : 'committed';
  const value = random.next(VALUE_MAX);
  switch (random.next(4)) {
    case 0:
      return { do: 'save', state: { v: value }, durability };
    case 1:
      return { do: 'set', path: random.next(2) === 0 ? 'w' : 'deep.er', value, durability };
    case 2:
      return { do: 'update', path: 'v', add: value, durability };
    default: {
      const text = `v: ${value} # ${'x'.repeat(random.next(FILLER_MAX))}\n`;
      return { do: 'saveText', text, durability };
    }
  }
}
