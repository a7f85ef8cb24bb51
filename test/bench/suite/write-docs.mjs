/** Puts the report of a run between the markers of `docs/benchmarks.md`; the prose around stays. */
import { readFileSync, writeFileSync } from 'node:fs';

const page = new URL('../../../docs/benchmarks.md', import.meta.url);
const begin = '<!-- generated: benchmarks -->';
const end = '<!-- end: benchmarks -->';

/** @throws Error if the markers are missing */
export function writeDocs(report) {
  const text = readFileSync(page, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error('the markers in docs/benchmarks.md are missing');
  writeFileSync(page, `${text.slice(0, from)}${begin}\n\n${report}\n\n${text.slice(to)}`);
}
