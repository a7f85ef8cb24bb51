/**
 * Scenarios for the broken variants: each as small as what it has to show, so that a variant is caught
 * after few crash images.
 */
import type { Scenario } from '../../src/testing/scenario.js';

const comment = `# ${'x'.repeat(98)}\n`;

/** By name. */
export const variantScenarios = {
  committed: {
    name: 'two saves',
    file: 'v: 0\n',
    steps: [
      { do: 'set', path: 'v', value: 1 },
      { do: 'set', path: 'v', value: 2 },
    ],
  },
  long: {
    name: 'two saves of a file that one short write does not hold',
    file: `${comment}v: 0\n`,
    steps: [
      { do: 'set', path: 'v', value: 1 },
      { do: 'set', path: 'v', value: 2 },
    ],
  },
  logged: {
    name: 'two saves acknowledged when logged',
    file: 'v: 0\n',
    steps: [
      { do: 'set', path: 'v', value: 1, durability: 'logged' },
      { do: 'set', path: 'v', value: 2, durability: 'logged' },
    ],
  },
  once: {
    name: 'one save acknowledged when logged',
    file: 'v: 0\n',
    steps: [{ do: 'set', path: 'v', value: 1, durability: 'logged' }],
  },
  first: {
    name: 'the first save of a store, acknowledged when logged',
    steps: [{ do: 'save', state: { v: 1 }, durability: 'logged' }],
  },
  waiting: {
    name: 'saves that wait in the log',
    file: 'v: 0\n',
    publish: { afterSaves: 10 },
    steps: [
      { do: 'set', path: 'v', value: 1 },
      { do: 'set', path: 'v', value: 2 },
      { do: 'set', path: 'v', value: 3 },
    ],
  },
  together: {
    name: 'saves asked for together',
    file: 'v: 0\n',
    steps: [
      {
        do: 'together',
        steps: [
          { do: 'save', state: { v: 1 } },
          { do: 'set', path: 'v', value: 2 },
          { do: 'set', path: 'v', value: 3 },
        ],
      },
    ],
  },
  edited: {
    name: 'an outside edit, then a save',
    file: 'v: 0\n',
    steps: [
      { do: 'save', state: { v: 1 } },
      { do: 'edit', text: 'v: 10\nedited: true\n' },
      { do: 'set', path: 'v', value: 2 },
    ],
  },
  failing: {
    name: 'two saves at once, the first of which fails',
    file: 'v: 0\n',
    steps: [
      {
        do: 'together',
        steps: [
          { do: 'set', path: 'v', value: 1 },
          { do: 'save', state: { v: 2 } },
        ],
      },
    ],
  },
  reopened: {
    name: 'a save, a closed and reopened store, a save',
    steps: [
      { do: 'save', state: { v: 1 } },
      { do: 'set', path: 'v', value: 2 },
      { do: 'reopen' },
      { do: 'set', path: 'v', value: 3 },
    ],
  },
} satisfies Record<string, Scenario>;
