/**
 * The lab's own scenarios: small enough to be crashed everywhere, together covering every kind of save,
 * acknowledgement and outside edit.
 */
import type { Scenario } from './scenario.js';

/** A comment of several sectors, so that writes can be torn. */
const filler = `# ${'x'.repeat(60)}\n`.repeat(20);

/** See the head of this file. */
export const labScenarios: readonly Scenario[] = [
  {
    name: 'three saves and an outside edit',
    steps: [
      { do: 'saveText', text: 'v: 1 # one\n' },
      { do: 'set', path: 'v', value: 2 },
      { do: 'edit', text: 'v: 20 # edited\n' },
      { do: 'set', path: 'v', value: 3 },
    ],
  },
  {
    name: 'a file of several sectors that was there before, saves acknowledged when logged',
    file: `${filler}v: 0\n`,
    steps: [
      { do: 'set', path: 'v', value: 1, durability: 'logged' },
      { do: 'set', path: 'v', value: 2, durability: 'logged' },
    ],
  },
  {
    name: 'an edit by rename, then a store that is closed and opened again',
    file: 'v: 0\n',
    steps: [
      { do: 'save', state: { v: 1 } },
      { do: 'edit', text: 'v: 10\n', how: 'rename' },
      { do: 'save', state: { v: 2 } },
      { do: 'reopen' },
      { do: 'set', path: 'w', value: [1] },
    ],
  },
  {
    name: 'saves asked for together',
    steps: [
      {
        do: 'together',
        steps: [
          { do: 'save', state: { v: 1 } },
          { do: 'set', path: 'v', value: 2 },
          { do: 'set', path: 'v', value: 3, durability: 'logged' },
        ],
      },
      { do: 'set', path: 'v', value: 4 },
    ],
  },
  {
    name: 'saves that wait in the log, until there are three, one is labelled, or somebody asks',
    file: `${filler}v: 0\n`,
    publish: { afterSaves: 3 },
    steps: [
      { do: 'set', path: 'v', value: 1 },
      { do: 'set', path: 'v', value: 2 },
      { do: 'flush' },
      { do: 'edit', text: 'v: 20 # edited\n' },
      { do: 'set', path: 'v', value: 3 },
      { do: 'update', path: 'v', add: 1 },
      { do: 'set', path: 'w', value: [1], durability: 'committed' },
      { do: 'save', state: { v: 5 } },
      { do: 'set', path: 'v', value: 6, label: 'six' },
    ],
  },
  {
    name: 'a file that is damaged while the store is open, under the policy restore',
    externalEdits: 'restore',
    steps: [
      { do: 'save', state: { v: 1 } },
      { do: 'save', state: { v: 2 } },
      { do: 'damage', text: 'v: [2,\n' },
      { do: 'save', state: { v: 3 } },
    ],
  },
  {
    name: 'outside edits under the policy restore',
    externalEdits: 'restore',
    file: 'v: 0\n',
    steps: [
      { do: 'save', state: { v: 1 } },
      { do: 'edit', text: 'v: 10\n' },
      { do: 'save', state: { v: 2 } },
    ],
  },
  {
    name: 'labels, a pin and artifacts, of which history keeps two and the pinned one',
    files: { 'plan.md': 'a plan', 'out.bin': 'built' },
    maxCheckpoints: 2,
    steps: [
      {
        do: 'save',
        state: { v: 1 },
        label: 'good',
        pinned: true,
        artifacts: ['plan.md', 'out.bin'],
      },
      { do: 'set', path: 'v', value: 2, label: 'second' },
      { do: 'edit', text: 'v: 3\n' },
      { do: 'set', path: 'v', value: 4, artifacts: ['out.bin'], durability: 'logged' },
      {
        do: 'together',
        steps: [
          { do: 'set', path: 'v', value: 5 },
          { do: 'set', path: 'v', value: 6, label: 'a', pinned: true, artifacts: ['plan.md'] },
          { do: 'set', path: 'v', value: 7, label: 'b', artifacts: ['out.bin', 'plan.md'] },
        ],
      },
      { do: 'reopen' },
      { do: 'set', path: 'v', value: 8, artifacts: [] },
      { do: 'set', path: 'v', value: 9 },
    ],
  },
];
