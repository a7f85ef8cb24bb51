/**
 * The types of the built package hold in a strict user's project without casts: with
 * `exactOptionalPropertyTypes` and without; and they are whole themselves. Needs a build.
 */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('./types/', import.meta.url));

/** What is compiled several times is read once. */
const read = new Map<string, ts.SourceFile | undefined>();

function problems(changes: ts.CompilerOptions, replaced?: (text: string) => string): string[] {
  const config = ts.readConfigFile(`${folder}tsconfig.json`, ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config.config, ts.sys, folder);
  const all = { ...options, ...changes };
  const host = ts.createCompilerHost(all);
  const { getSourceFile } = host;
  host.getSourceFile = (path, version, ...rest) => {
    const isOurs = path.endsWith('/orchestrator.ts');
    if (isOurs && replaced !== undefined) {
      return ts.createSourceFile(path, replaced(ts.sys.readFile(path) ?? ''), version);
    }
    if (isOurs || !read.has(path)) read.set(path, getSourceFile(path, version, ...rest));
    return read.get(path);
  };
  return diagnostics(ts.createProgram(fileNames, all, host));
}

function diagnostics(program: ts.Program): string[] {
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start ?? 0).line + 1 : 0;
    return `${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}

/** The declarations of every entry point, as a project compiles them that checks libraries too. */
function problemsOfEntryPoints(): string[] {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const manifest = JSON.parse(ts.sys.readFile(`${root}package.json`) ?? '');
  const entries: { types?: string }[] = Object.values(manifest.exports);
  const files = entries.flatMap(({ types }) => (types === undefined ? [] : [`${root}${types}`]));
  expect(files.length).toBeGreaterThan(3);
  const config = ts.readConfigFile(`${folder}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, folder);
  // With exactOptionalPropertyTypes the declarations of xstate itself don't compile.
  const checked = { skipLibCheck: false, exactOptionalPropertyTypes: false, types: ['node'] };
  const all = { ...options, ...checked };
  const host = ts.createCompilerHost(all);
  const { getSourceFile } = host;
  host.getSourceFile = (path, version, ...rest) => {
    if (!read.has(path)) read.set(path, getSourceFile(path, version, ...rest));
    return read.get(path);
  };
  return diagnostics(ts.createProgram(files, all, host));
}

describe('the declarations of the package', () => {
  it('compile where libraries are checked too', () => {
    expect(problemsOfEntryPoints()).toEqual([]);
  });
});

describe('a strict project that embeds a store', () => {
  it.each([true, false])('compiles without casts, exactOptionalPropertyTypes: %s', (exact) => {
    expect(problems({ exactOptionalPropertyTypes: exact })).toEqual([]);
  });

  it('is one whose mistakes are found', () => {
    const found = problems({}, (text) => text.replaceAll('// @ts-expect-error', '//'));
    expect(found.length, found.join('\n')).toBe(8);
  });

  it.each(['orchestrator.ts', 'durable.ts'])('has no casts: %s', (name) => {
    const text = ts.sys.readFile(`${folder}${name}`) ?? '';
    const code = text.replace(/\/\*.*?\*\/|\/\/.*?$/gms, '').replaceAll('{} as ', '');
    expect(code.match(/\bas (?!const)\w+|: any\b|\w!\./g)).toBeNull();
  });
});
