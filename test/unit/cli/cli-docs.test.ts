import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/cli/exit-codes.js';
import { buildProgram } from '../../../src/cli/program.js';
import { runInMemory } from '../../helpers/cli-run.js';

const docs = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
const program = await buildProgram(async () => {});

/** The part of the docs about one command; the whole document for the program itself. */
function sectionOf(name: string): string {
  const start = docs.indexOf(`\n## ${name}\n`);
  expect(start, `docs/cli.md has a section for ${name}`).toBeGreaterThan(0);
  const end = docs.indexOf('\n## ', start + 1);
  return docs.slice(start, end === -1 ? docs.length : end);
}

/** All commands, those below another one under the section of that one. */
const documented = program.commands.flatMap((command) =>
  [command, ...command.commands].map((one) => [command.name(), one.name(), one] as const),
);

describe('docs/cli.md', () => {
  it.each(documented)(
    'documents, under %s, the command %s with its arguments and all of its own options',
    (name, _own, command) => {
      const section = sectionOf(name);
      const globals = new Set(program.options.map(({ long }) => long));
      const own = command.options.filter(({ long }) => !globals.has(long));
      for (const { flags } of own) expect(section).toContain(`\`${flags}\``);
      for (const argument of command.registeredArguments)
        expect(section).toContain(argument.name());
      expect(docs).toContain(`](#${name})`);
    },
  );

  it('documents every global option, and no option that is not there', () => {
    const flags = [program, ...documented.map(([, , command]) => command)].flatMap(
      ({ options }) => options,
    );
    const section = sectionOf('Options of every command');
    for (const { long } of program.options) expect(section).toContain(String(long));
    const known = new Set([...flags.map(({ long }) => long), '--help']);
    const named = docs.match(/(?<=[`\s])--[a-z][a-z-]+/g) ?? [];
    expect(named.filter((option) => !known.has(option))).toEqual([]);
  });

  it('says in its table of options what --help says the defaults are', async () => {
    const { stdout } = await runInMemory(['--help']);
    for (const word of ['orchestration/', 'ORCHESTRATION.yaml', 'DEBUG=1']) {
      expect(stdout).toContain(word);
      expect(sectionOf('Options of every command')).toContain(word);
    }
  });

  it('documents every exit code, in the docs and in --help', async () => {
    const { stdout } = await runInMemory(['--help']);
    const section = sectionOf('Exit codes');
    for (const code of Object.values(EXIT)) {
      expect(section).toMatch(new RegExp(`\\b${code}\\b`));
      expect(stdout).toMatch(new RegExp(`\\b${code}\\b`));
    }
  });
});
