/**
 * What a start costs, in modules and not in time: what `dist/` loads before it does what was asked. Which
 * sources a bundle holds is told by its source map. Needs a build.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { freshFolder } from '../helpers/temporary-folders.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const hook = join(root, 'test/helpers/loaded-modules.js');

/** The files that a program loads, from the project's root; those of node by their names. */
function filesLoadedBy(args: readonly string[], cwd: string): string[] {
  const { stderr, status } = spawnSync(process.execPath, ['--import', hook, ...args], {
    cwd,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  const urls = Array.from(stderr.matchAll(/^loaded (.*)$/gm), ([, url = '']) => url);
  return urls
    .filter((url) => !url.startsWith('data:') && !url.endsWith('[eval1]'))
    .map((url) => (url.startsWith('file:') ? fileURLToPath(url).replace(root, '') : url));
}

/** The sources that are in these files. */
function sourcesIn(files: readonly string[]): string[] {
  return files.flatMap((file) => {
    const map = join(root, `${file}.map`);
    if (!existsSync(map)) return [file];
    const { sources } = JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] };
    return sources.map((source) => source.replace(/^(\.\.\/)+/, ''));
  });
}

function storeFolder(): string {
  const folder = freshFolder();
  writeFileSync(join(folder, 'ORCHESTRATION.yaml'), 'status: ACTIVE\n');
  return folder;
}

const main = join(root, 'dist/cli/main.js');

describe('a start of the command line', () => {
  const files = filesLoadedBy([main, 'status'], storeFolder());
  const sources = sourcesIn(files);

  it('loads the one command that is run', () => {
    expect(sources.filter((source) => /^src\/cli\/.*-commands?\.ts$/.test(source))).toEqual([
      'src/cli/status-command.ts',
    ]);
  });

  it('loads no laboratory, no inspector, no audit and no durable actors for status', () => {
    const others = /^src\/(testing|inspector|audit|durable|otel)\/|^src\/store\.ts$/;
    expect(sources.filter((source) => others.test(source))).toEqual([]);
  });

  it('loads no package but commander, picocolors and the YAML reader for status', () => {
    const packages = sources.flatMap((source) => /node_modules\/([^/]+)/.exec(source)?.[1] ?? []);
    expect([...new Set(packages)].sort()).toEqual(['commander', 'picocolors', 'yaml']);
    expect(files.filter((file) => file.includes('node_modules'))).toEqual([]);
  });

  it('loads few files for status', () => {
    expect(files.filter((file) => !file.startsWith('node:')).length).toBeLessThanOrEqual(30);
  });

  it('loads all commands where help about all is asked for', () => {
    const all = sourcesIn(filesLoadedBy([main, '--help'], storeFolder()));
    expect(all.filter((source) => /^src\/cli\/.*-commands?\.ts$/.test(source))).toHaveLength(20);
  });
});

describe('an import of the library', () => {
  const script = `await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)})`;
  const files = filesLoadedBy(['--input-type=module', '--eval', script], root);
  const sources = sourcesIn(files);

  it('loads no command line, no laboratory and no inspector', () => {
    expect(sources.filter((source) => /^src\/(cli|testing|inspector|otel)\//.test(source))).toEqual(
      [],
    );
  });

  it('loads no package but XState and the YAML reader', () => {
    const packages = sources.flatMap((source) => /node_modules\/([^/]+)/.exec(source)?.[1] ?? []);
    expect([...new Set(packages)].sort()).toEqual(['xstate', 'yaml']);
  });

  it('loads few files', () => {
    expect(files.filter((file) => file.includes('dist/')).length).toBeLessThanOrEqual(15);
  });
});
