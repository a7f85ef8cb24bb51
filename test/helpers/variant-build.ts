/**
 * Builds the store anew, as it is now or with a few characters of its JavaScript changed, so that a
 * deliberately broken store can be run beside the real one. Assumes that everything the store needs is
 * reached from `src/store.ts` by relative imports; nothing of `dist/` is read, so a stale build can't
 * hide anything.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import type { openCheckpointStore } from '../../src/store.js';

/** One textual change of a built file. */
export interface Patch {
  /** The built file, as `io/write-operations.js`. */
  readonly file: string;
  /** Must occur exactly once in that file. */
  readonly find: string;
  readonly replace: string;
}

/** A store that was built here. */
export interface Build {
  readonly open: typeof openCheckpointStore;
  /** Imports one of its modules, as `format/wal-writer.js`. */
  readonly load: (file: string) => Promise<Readonly<Record<string, unknown>>>;
}

const sources = new URL('../../src/', import.meta.url);
const entry = 'store.js';
const PREFIX = 'checkpoint-wal-variants-';
const STALE_MS = 3_600_000;
const relativeImport = /(?<=\bfrom ')(\.{1,2}\/[^']+)(?=')/g;

/** All builds of one test run; they lie in one folder until {@link VariantBuilds.remove}. */
export class VariantBuilds {
  readonly #modules = transpileFrom(entry);
  readonly #folder = makeFolder();
  #count = 0;

  constructor() {
    for (const [file, text] of this.#modules) this.#write('unbroken', file, text);
  }

  /** The store as it is. */
  unbroken(): Promise<Build> {
    return this.#import('unbroken', new Set());
  }

  /**
   * The store with changes. Only the changed files, and those that import them, are written again; the
   * rest is shared with the unbroken build.
   * @throws Error where a patch fits nowhere, or in more than one place
   */
  async broken(patches: readonly Patch[]): Promise<Build> {
    const texts = new Map(this.#modules);
    for (const patch of patches) texts.set(patch.file, applyPatch(texts.get(patch.file), patch));
    const affected = dependents(this.#modules, new Set(patches.map(({ file }) => file)));
    this.#count += 1;
    const name = `variant-${this.#count}`;
    for (const file of affected) {
      const text = (texts.get(file) ?? '').replace(relativeImport, (specifier) => {
        const target = posix.join(posix.dirname(file), specifier);
        const back = posix.relative(posix.dirname(`${name}/${file}`), `unbroken/${target}`);
        return affected.has(target) ? specifier : back;
      });
      this.#write(name, file, text);
    }
    return this.#import(name, affected);
  }

  /** Deletes all builds. What was imported from them goes on working. */
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #import(name: string, own: ReadonlySet<string>): Promise<Build> {
    const load = (file: string) => {
      const path = join(this.#folder, own.has(file) ? name : 'unbroken', file);
      return import(pathToFileURL(path).href) as Promise<Readonly<Record<string, unknown>>>;
    };
    const { openCheckpointStore: open } = await load(entry);
    return { open: open as typeof openCheckpointStore, load };
  }

  #write(name: string, file: string, text: string): void {
    const path = join(this.#folder, name, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Below `node_modules`, so that packages are found from there and vitest imports the files as they are. */
function makeFolder(): string {
  const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
  mkdirSync(cache, { recursive: true });
  removeStale(cache);
  const folder = mkdtempSync(join(cache, PREFIX));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  return folder;
}

/** Removes what test runs that were killed have left; a run that goes on has younger files. */
function removeStale(cache: string): void {
  for (const name of readdirSync(cache).filter((one) => one.startsWith(PREFIX))) {
    const folder = join(cache, name);
    const modified = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - modified > STALE_MS) rmSync(folder, { recursive: true, force: true });
  }
}

/** A change that fits nowhere would test the unbroken store, and pass for a broken one. */
function applyPatch(text: string | undefined, { file, find, replace }: Patch): string {
  const places = text === undefined ? 0 : text.split(find).length - 1;
  if (text === undefined || places !== 1) {
    throw new Error(`${file} holds ${places} times, not once: ${find}`);
  }
  return text.replace(find, () => replace);
}

/** JavaScript of a module and of everything it imports, without comments. */
function transpileFrom(first: string): ReadonlyMap<string, string> {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    removeComments: true,
  };
  const modules = new Map<string, string>();
  const ahead = [first];
  for (let file = ahead.pop(); file !== undefined; file = ahead.pop()) {
    if (modules.has(file)) continue;
    const source = readFileSync(new URL(file.replace(/\.js$/, '.ts'), sources), 'utf8');
    const text = ts.transpileModule(source, { compilerOptions }).outputText;
    modules.set(file, text);
    ahead.push(...importsOf(file, text));
  }
  return modules;
}

function importsOf(file: string, text: string): string[] {
  return Array.from(text.matchAll(relativeImport), ([specifier]) =>
    posix.join(posix.dirname(file), specifier),
  );
}

/** These files and all that import them, however indirectly. */
function dependents(
  modules: ReadonlyMap<string, string>,
  changed: ReadonlySet<string>,
): ReadonlySet<string> {
  const found = new Set(changed);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const [file, text] of modules) {
      if (importsOf(file, text).some((one) => found.has(one))) found.add(file);
    }
  }
  return found;
}
