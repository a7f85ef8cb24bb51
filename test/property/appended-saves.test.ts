/**
 * The promise of saves that go behind others in the log: whatever is edited and however, the log holds
 * the text that the store shows, byte for byte, and so does the file once it is published. `FC_RUNS`
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

describe('saves behind others in the log', () => {
  it('put the text there that the store shows, whatever is edited, with any line breaks', async () => {
    await fc.assert(
      fc.asyncProperty(
        state,
        fc.nat(),
        fc.boolean(),
        fc.array(step, { minLength: 1, maxLength: 12 }),
        async (first, seed, withCr, steps) => {
          const disk = new MemoryFileSystem();
          const afterMs = Number.POSITIVE_INFINITY;
          const store = await open(disk, { publish: { afterMs, afterSaves: 8 } });
          const { text } = layOut(first as never, seed, { anchors: false });
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
        },
      ),
      { numRuns: 60 * RUNS },
    );
  });
});
