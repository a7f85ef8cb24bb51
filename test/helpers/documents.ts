/**
 * Reading the Markdown of this project: its links, its headings, the files that it names.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One Markdown file, with its path from the project's root. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The Markdown files in the root and under `docs/`. */
export function readDocuments(): Document[] {
  const inRoot = readdirSync(root);
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  return [...inRoot, ...inDocs.map((name) => `docs/${name.replaceAll('\\', '/')}`)]
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** Relative links of a document that lead nowhere: to no file, or to no heading in one. */
export function brokenLinks({ path, text }: Document, isThere = exists, read = readText): string[] {
  const links = [...withoutCode(text).matchAll(/\]\(([^()\s]+)\)/g)].map(([, link = '']) => link);
  const relative = links.filter((link) => !/^[a-z][a-z+.-]*:/.test(link));
  return relative.filter((link) => {
    const [file = '', heading] = link.split('#');
    const target = file === '' ? path : posix.join(dirname(path), decodeURIComponent(file));
    if (target !== path && !isThere(target)) return true;
    if (heading === undefined) return false;
    const there = target === path ? text : read(target);
    return !headingsOf(there).includes(heading);
  });
}

/** Files of this project that a document names in backticks and that do not exist. */
export function missingFiles({ text }: Document, isThere = exists): string[] {
  const named = text.matchAll(/`((?:src|test|docs|scripts|examples)\/[\w./-]*)`/g);
  const paths = [...named].map(([, path = '']) => path.replace(/\/$/, ''));
  return paths.filter((path) => !isThere(path));
}

const exists = (path: string) => existsSync(join(root, path));
const readText = (path: string) => readFileSync(join(root, path), 'utf8');

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '');
}

/** Headings as the fragment of a link names them. */
function headingsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
