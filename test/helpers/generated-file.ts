/**
 * Files, or parts of files, in `docs/` that are made from the code: compared in an ordinary run,
 * written when `npm run diagrams` asks for it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Set by `scripts/update-docs.js`, which is what `npm run diagrams` runs. */
const { UPDATE_DOCS } = process.env;
const isUpdating = UPDATE_DOCS === '1';

const absolute = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Checks that a file is what the code makes of it; `path` counts from the project's root. */
export function expectGenerated(path: string, expected: string): void {
  const file = absolute(path);
  if (isUpdating) {
    writeFileSync(file, expected);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== expected) {
    throw new Error(`${path} is not what the code makes of it: run \`npm run diagrams\``);
  }
}

/**
 * The text of a file with what stands between the markers `<!-- generated: name -->` and
 * `<!-- end: name -->` replaced.
 */
export function replaceGenerated(text: string, name: string, content: string): string {
  const begin = `<!-- generated: ${name} -->\n`;
  const end = `<!-- end: ${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the markers of ${name} are missing`);
  return `${text.slice(0, from + begin.length)}\n${content}\n\n${text.slice(to)}`;
}

/** Checks the marked part of a Markdown file. */
export function expectGeneratedPart(path: string, name: string, content: string): void {
  expectGenerated(path, replaceGenerated(readFileSync(absolute(path), 'utf8'), name, content));
}
