/**
 * The checker is checked: stores that are broken on purpose, one rule each, and every one must be caught
 * by the check that it names, soon. The unbroken store, built in the same way, must pass every hunt.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenVariants } from '../helpers/broken-variants.js';
import { expectGeneratedPart } from '../helpers/generated-file.js';
import { VariantBuilds } from '../helpers/variant-build.js';
import { type Hunt, hunts } from '../helpers/variant-hunts.js';

const TIMEOUT_MS = 30_000;
const everyHunt: readonly (readonly [string, Hunt])[] = Object.entries(hunts);

describe('a store that is broken on purpose', () => {
  let builds: VariantBuilds;
  beforeAll(() => {
    builds = new VariantBuilds();
  });
  afterAll(() => builds.remove());

  it.each(brokenVariants)(
    'is caught: $name',
    async ({ patches, hunt, check, statesMax }) => {
      const { failure, states } = await hunts[hunt].run(await builds.broken(patches));
      expect(failure?.check, failure?.message ?? `not caught in ${states} states`).toBe(check);
      expect(states).toBeLessThanOrEqual(statesMax);
    },
    TIMEOUT_MS,
  );

  it.each(everyHunt)(
    'is told from the real one, which passes: %s',
    async (_, hunt) => {
      const { failure } = await hunt.run(await builds.unbroken());
      expect(failure).toBeUndefined();
    },
    TIMEOUT_MS,
  );

  it.each([
    ['fits nowhere', 'no such text'],
    ['fits in more than one place', 'return '],
    ['is for a file that is not built', 'anything', 'io/nothing.js'],
  ])('is never the real one because its patch %s', async (_, find, file = 'store.js') => {
    await expect(builds.broken([{ file, find, replace: '' }])).rejects.toThrow('times, not once');
  });
});

describe('the broken variants', () => {
  it('are at least 25, each under a name of its own', () => {
    const names = new Set(brokenVariants.map(({ name }) => name));
    expect(names.size).toBe(brokenVariants.length);
    expect(names.size).toBeGreaterThanOrEqual(25);
  });

  it('leave no hunt unused', () => {
    const used = new Set<string>(brokenVariants.map(({ hunt }) => hunt));
    expect(everyHunt.map(([name]) => name).filter((name) => !used.has(name))).toEqual([]);
  });

  it('stand in docs/testing.md, in a table generated from the list', () => {
    expectGeneratedPart('docs/testing.md', 'broken-variants', tables());
  });
});

/** Both tables as Markdown. */
function tables(): string {
  const variants = brokenVariants.map(({ name, breaks, rule, hunt, check, statesMax }) =>
    row([name, breaks, rule, hunt, `\`${check}\``, String(statesMax)]),
  );
  const places = everyHunt.map(([name, { where }]) => row([name, where]));
  return [
    '| variant | what it does wrong | the rule | caught in | by the check | within states |',
    '|---|---|---|---|---|---|',
    ...variants,
    '',
    '| caught in | which is |',
    '|---|---|',
    ...places,
  ].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
