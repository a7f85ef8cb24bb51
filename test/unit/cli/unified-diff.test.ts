import { applyPatch } from 'diff';
import fc from 'fast-check';
import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { unifiedText } from '../../../src/cli/difference-text.js';
import { unifiedDiff } from '../../../src/cli/unified-diff.js';

const names = { from: 'a', to: 'b' };
const apply = (from: string, patch: string) =>
  patch === '' ? from : applyPatch(from, patch, { autoConvertLineEndings: false });

describe('a unified diff', () => {
  it('looks like one, and is empty where the texts are equal', () => {
    expect(unifiedDiff('a\nb\n', 'a\nc', names)).toBe(
      '--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n',
    );
    expect(unifiedDiff('a\n', 'a\n', names)).toBe('');
  });

  it('makes one text of the other, whatever their lines and line ends are', () => {
    const line = fc.constantFrom('a', 'b', '--- a', '+', '', '\\ No', '===', 'x\r');
    const text = fc
      .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('', '\n'))
      .map(([lines, end]) => lines.join('\n') + end);
    fc.assert(
      fc.property(text, text, (from, to) => {
        expect(apply(from, unifiedDiff(from, to, names))).toBe(to);
      }),
      { numRuns: 500 },
    );
  });

  it('replaces texts that have nothing in common as a whole, without searching for long', () => {
    const text = (word: string) => Array.from({ length: 20_000 }, (_, n) => word + n).join('\n');
    const patch = unifiedDiff(text('a'), text('b'), names);
    expect(patch).toContain('@@ -1,20000 +1,20000 @@');
    expect(apply(text('a'), patch)).toBe(text('b'));
  }, 20_000);

  it('is printed with the line ends of Windows, and without what plays tricks on a terminal', () => {
    const [before, after] = ['a: 1\r\n', 'a: 2\r\nb: \u001b[2J\r\n'];
    const shown = (colored: boolean) =>
      unifiedText(
        { name: 'a', text: before },
        { name: 'b', text: after },
        picocolors.createColors(colored),
      );
    expect(shown(false)).toBe('--- a\n+++ b\n@@ -1 +1,2 @@\n-a: 1\r\n+a: 2\r\n+b: \ufffd[2J\r\n');
    expect(shown(true)).toContain('\u001b[31m-a: 1\u001b[39m\r\n');
    expect(shown(true)).not.toContain('\u001b[2J');
  });
});
