/**
 * The promise of saves whose bytes are made from those before them: whatever is edited and however, the log
 * holds the text that the store shows, byte for byte, and so does the file once it is published. `FC_RUNS`
 * multiplies the number of runs.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../../src/errors.js';
import { readSeal } from '../../src/format/seal.js';
import { scanWal } from '../../src/format/wal-scanner.js';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { DIRECTORY, open, published, TARGET } from '../helpers/crash-memory.js';
import { layOut } from '../helpers/random-layout.js';

const RUNS = Number(process.env.FC_RUNS ?? 1);
const LOG = `${DIRECTORY}/.checkpoint.wal`;
const keys = ['a', 'b', 'status', 'notes'];

const scalar = fc.oneof(
  fc.constantFrom<string | number | null>('', 'yes', '# x', 'two\nlines\n', 'é🙂', null, 7),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
);
const item = fc.dictionary(fc.constantFrom(...keys), scalar, { minKeys: 1, maxKeys: 4 });
const state = fc.record({
  head: item,
  items: fc.array(item, { minLength: 1, maxLength: 60, size: 'max' }),
  last: scalar,
});

type Step =
  | {
      readonly do: 'set' | 'update';
      readonly at: number;
      readonly key: string;
      readonly value: unknown;
    }
  | { readonly do: 'last'; readonly value: unknown }
  | { readonly do: 'append' | 'together'; readonly item: Record<string, unknown> }
  | { readonly do: 'text' | 'cut' | 'flush' };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('set' as const, 'update' as const),
    at: fc.nat(59),
    key: fc.constantFrom(...keys),
    value: scalar,
  }),
  fc.record({ do: fc.constant('last' as const), value: scalar }),
  fc.record({ do: fc.constantFrom('append' as const, 'together' as const), item }),
  fc.record({ do: fc.constantFrom('text' as const, 'cut' as const, 'flush' as const) }),
);

interface Shape {
  items: Record<string, unknown>[];
}
type Store = Awaited<ReturnType<typeof open>>;

async function perform(store: Store, step: Step): Promise<void> {
  const { items } = store.state as unknown as Shape;
  switch (step.do) {
    case 'set':
      await store.set(['items', step.at % items.length, step.key], step.value);
      return;
    case 'update':
      await store.update((draft) => {
        const { items } = draft as unknown as Shape;
        items[step.at % items.length] = { [step.key]: step.value };
      });
      return;
    case 'last':
      await store.set('last', step.value);
      return;
    case 'append':
      await store.set(['items', items.length], step.item);
      return;
    case 'together':
      await Promise.all([
        store.set(['items', items.length], step.item),
        store.set('head.a', 1),
        store.update((draft) => void (draft as unknown as Shape).items.push(step.item)),
      ]);
      return;
    case 'text':
      await store.saveText(`${store.text ?? ''}# a line more\n`);
      return;
    case 'cut':
      await store.saveText((store.text ?? '').replace(/\n+$/, ''));
      return;
    case 'flush':
      await store.flush();
  }
}

/** What the log holds last, as text; of an empty one, what the file holds. */
function textOnDisk(disk: MemoryFileSystem): string | undefined {
  const log = disk.snapshot()[LOG];
  if (log?.kind !== 'file') return published(disk)?.text;
  const scan = scanWal(log.content, { target: TARGET.slice(DIRECTORY.length + 1) });
  const reading = scan.kind === 'sealed' ? readSeal(scan.image) : undefined;
  return reading?.kind === 'sealed' ? reading.text : undefined;
}

/** So long that a checkpoint's bytes are made from the one before. */
const FILLER = `# ${'what has been here all along, éé\n# '.repeat(600)}\n`;

interface Run {
  readonly first: unknown;
  readonly seed: number;
  readonly withCr: boolean;
  readonly steps: readonly Step[];
}
const run: fc.Arbitrary<Run> = fc.record({
  first: state,
  seed: fc.nat(),
  withCr: fc.boolean(),
  steps: fc.array(step, { minLength: 1, maxLength: 12 }),
});

async function check(options: object, filler: string, { first, seed, withCr, steps }: Run) {
  const disk = new MemoryFileSystem();
  const store = await open(disk, options);
  const text = filler + layOut(first as never, seed, { anchors: false }).text;
  await store.saveText(withCr ? text.replace(/\r?\n/g, '\r\n') : text);
  for (const one of steps) {
    try {
      await perform(store, one);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
    expect(textOnDisk(disk)).toBe(store.text);
  }
  await store.close();
  expect(published(disk)).toEqual({ text: store.text, sealed: true });
}

describe('saves put the text on disk that the store shows, whatever is edited, with any line breaks', () => {
  const afterMs = Number.POSITIVE_INFINITY;
  it.each([
    ['behind others in the log', { publish: { afterMs, afterSaves: 8 } }, ''],
    ['behind others in the log, of a long text', { publish: { afterMs, afterSaves: 4 } }, FILLER],
    ['published at once, of a long text', {}, FILLER],
  ])('%s', async (_, options, filler) => {
    const property = fc.asyncProperty(run, (one) => check(options, filler, one));
    await fc.assert(property, { numRuns: 40 * RUNS });
  });
});
