/**
 * The `ts` and `js` blocks of the documents as programs: set into the example that their marker names,
 * type-checked together as a strict project that uses the built package, and run.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Block } from './doc-blocks.js';
import { projectFolder, workFolder } from './doc-folder.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const timeLimitMs = 60_000;

/** A block that has become a program. */
export interface DocProgram {
  readonly block: Block;
  readonly folder: string;
  readonly file: string;
  readonly text: string;
  /** Line of the program in which the block begins, from 0. */
  readonly firstLine: number;
}

/** The programs of all documents, written to a project folder. */
export function writePrograms(blocks: readonly Block[]): DocProgram[] {
  const project = projectFolder();
  return blocks.map((block, index) => {
    const { name, body } = compose(blocks, index);
    const folder = workFolder(project, index, name);
    const [before = '', after = ''] = exampleText(block, name).split('// <block>\n');
    const text = before + body + after;
    const isTest = /from 'vitest'/.test(text);
    const file = join(folder, block.language === 'js' ? 'lab.mjs' : isTest ? 'a.test.ts' : 'a.ts');
    writeFileSync(file, text);
    const linesBefore = (before + body.slice(0, body.length - block.text.length)).split('\n');
    return { block, folder, file, text, firstLine: linesBefore.length - 1 };
  });
}

/** The text of a block with all that it continues, and the example that these are set into. */
function compose(blocks: readonly Block[], index: number): { name?: string; body: string } {
  const block = blocks[index];
  if (block === undefined) return { body: '' };
  if (block.marker?.kind !== 'continues') {
    return { ...(block.marker?.kind === 'with' && { name: block.marker.name }), body: block.text };
  }
  if (blocks[index - 1]?.path !== block.path) {
    throw new Error(`${block.place}: there is no block before it that it could continue`);
  }
  const before = compose(blocks, index - 1);
  return { ...before, body: before.body + block.text };
}

function exampleText(block: Block, name: string | undefined): string {
  if (name === undefined) return '// <block>\n';
  const base = join(root, 'test/helpers/doc-examples', name);
  if (existsSync(`${base}.ts.txt`)) return readFileSync(`${base}.ts.txt`, 'utf8');
  if (existsSync(base)) return '// <block>\n';
  throw new Error(`${block.place}: there is no test/helpers/doc-examples/${name}.ts.txt`);
}

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
  noEmit: true,
};

/** Of a literal in JavaScript no type can be told narrowly: there, only names and arguments are checked. */
const notOfJavaScript = new Set([2322, 2345]);

/** What a strict compiler says against the programs: where in the document, and what. */
export function typeErrors(programs: readonly DocProgram[]): string[] {
  const files = programs.map(({ file }) => file);
  const [first] = programs;
  if (first === undefined) return [];
  const host = ts.createCompilerHost(compilerOptions);
  host.getCurrentDirectory = () => first.folder;
  const compiled = ts.createProgram(files, compilerOptions, host);
  return programs.flatMap(({ block, file, firstLine }) => {
    const source = compiled.getSourceFile(file);
    const found = [
      ...compiled.getSyntacticDiagnostics(source),
      ...compiled.getSemanticDiagnostics(source),
    ].filter(({ code }) => block.language !== 'js' || !notOfJavaScript.has(code));
    return found.map(({ start = 0, messageText }) => {
      const { line = 0 } = source?.getLineAndCharacterOfPosition(start) ?? {};
      const said = ts.flattenDiagnosticMessageText(messageText, ' ');
      return `${block.path}:${block.line + 1 + line - firstLine}: ${said}`;
    });
  });
}

/** The first line of a block that the test which its marker names does not have, in this order. */
export function untestedLine({ text, marker }: Block): string | undefined {
  if (marker?.kind !== 'tested by') return undefined;
  const tested = linesOf(readFileSync(join(root, marker.file), 'utf8'));
  let at = 0;
  return linesOf(text).find((line) => {
    const found = tested.indexOf(line, at);
    at = found + 1;
    return found === -1;
  });
}

/** Lines of code; imports, which say where they stand, and comments left out. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/ *\/\/ .*/, '').trim());
  return lines.filter((line) => line !== '' && !line.startsWith('import '));
}

/** What a program printed. */
export interface Printed {
  readonly stdout: string;
  readonly problem: string | undefined;
}

/** Runs a program to its end; one that is a test, by vitest. */
export function runProgram(program: DocProgram): Promise<Printed> {
  const { file, folder, text } = program;
  if (file.endsWith('.test.ts')) {
    return run(folder, [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--root',
      folder,
      '--testTimeout',
      '20000',
    ]);
  }
  if (file.endsWith('.mjs')) return run(folder, [file]);
  const script = file.replace(/\.ts$/, '.mjs');
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  writeFileSync(script, outputText);
  return run(folder, [script]);
}

function run(cwd: string, args: readonly string[]): Promise<Printed> {
  const { VITEST: _vitest, VITEST_MODE: _mode, NODE_ENV: _env, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, env, timeout: timeLimitMs, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const ended = error?.killed ? `did not end within ${timeLimitMs} ms` : error?.message;
        const problem = error === null ? undefined : `${ended}\n${stderr}\n${stdout}`;
        resolve({ stdout, problem });
      },
    );
  });
}
