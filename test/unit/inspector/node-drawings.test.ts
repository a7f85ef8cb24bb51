/**
 * The pictures of the statecharts as the inspector's page gets them.
 */
import { describe, expect, it } from 'vitest';
import * as entry from '../../../src/index.js';
import { machineDiagrams } from '../../../src/inspector/machine-diagrams.js';
import { graphOf } from '../../../src/inspector/machine-graph.js';
import { readDrawings } from '../../../src/inspector/node-drawings.js';

describe('the drawings of the machines', () => {
  const drawings = readDrawings();

  it('are one for each machine, under the id that its entries have in an audit', () => {
    expect(drawings.map(({ name }) => name)).toEqual(
      machineDiagrams().map(({ machine }) => machine.id),
    );
  });

  it('are pictures, each of its own machine', () => {
    for (const { name, svg } of drawings) {
      expect(svg).toMatch(/^<\?xml[\s\S]*<\/svg>\n$/);
      expect(svg).toContain(`<g id="${name}" class="graph"`);
    }
  });

  it('name the states that only failures lead to, by paths that exist', () => {
    const failures = Object.fromEntries(
      drawings.map(({ name, failureStates }) => [name, failureStates]),
    );
    expect(failures.detector).toEqual(['memory.stopping']);
    expect(failures.recovery).toEqual(['refused']);
    for (const { name, machine } of machineDiagrams()) {
      const paths = graphOf(machine).states.map(({ path }) => path);
      expect(paths).toEqual(expect.arrayContaining([...(failures[name] ?? [])]));
    }
  });
});

describe('the machines that are drawn', () => {
  it('are all exported by the package, to be provided, run and opened in editors', () => {
    // The root machine is exported with its `io` actor provided: another object, the same chart.
    const configs = Object.values(entry).map(
      (one) => (one as { readonly config?: unknown }).config,
    );
    const missing = machineDiagrams().filter(({ machine }) => !configs.includes(machine.config));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});
