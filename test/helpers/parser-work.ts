/** Counts what is given to the YAML parser: what saves cost beyond their I/O, without a clock. */
import { parserWork } from '../../src/format/yaml/yaml-text.js';

/** More than the sections that one edit needs, and far less than the texts of these tests. */
export const WINDOW_UNITS = 4096;

/** How many texts a piece of work gives to the parser, and their UTF-16 units in all. */
export async function parsedBy(
  work: () => unknown,
): Promise<{ readonly texts: number; readonly units: number }> {
  const before = { ...parserWork };
  await work();
  return { texts: parserWork.texts - before.texts, units: parserWork.units - before.units };
}
