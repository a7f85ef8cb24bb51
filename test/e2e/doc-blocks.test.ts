/**
 * Every fenced block of the documents is tried: programs are type-checked and run, commands are run,
 * samples compared with what is printed now, data parsed. What the markers mean: `CONTRIBUTING.md`.
 */
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { type Block, blocksOf } from '../helpers/doc-blocks.js';
import {
  commandsOf,
  type Difference,
  differencesOf,
  parseProblem,
  writePrinted,
} from '../helpers/doc-console.js';
import { commandFolder } from '../helpers/doc-folder.js';
import { runProgram, typeErrors, untestedLine, writePrograms } from '../helpers/doc-programs.js';
import { runShell, shellRuns } from '../helpers/doc-shell.js';
import { stories } from '../helpers/doc-stores.js';
import { readDocuments } from '../helpers/documents.js';
import { freshFolder } from '../helpers/temporary-folders.js';

/** For each language how its blocks are tried. */
const ways: Readonly<Record<string, 'program' | 'shell' | 'console' | 'data' | 'prose' | 'words'>> =
  {
    ts: 'program',
    js: 'program',
    sh: 'shell',
    console: 'console',
    yaml: 'data',
    json: 'data',
    markdown: 'prose',
    text: 'words',
    '': 'words',
  };

const blocks = readDocuments().flatMap(blocksOf);
const wayOf = ({ language }: Block) => ways[language];
const isSample = ({ marker }: Block) => marker?.kind === 'sample';
const isTested = ({ marker }: Block) => marker?.kind === 'tested by';
const those = (way: string) => blocks.filter((block) => wayOf(block) === way);

describe('the blocks of the documents', () => {
  it('are found, each in a language that is tried', () => {
    expect(blocks.length).toBeGreaterThan(50);
    const unknown = blocks.filter((block) => wayOf(block) === undefined);
    expect(unknown.map(({ place, language }) => `${place}: ${language}`)).toEqual([]);
  });

  const programs = writePrograms(those('program'));

  it('in TypeScript and JavaScript satisfy a strict compiler', () => {
    expect(typeErrors(programs)).toEqual([]);
  }, 120_000);

  it('in TypeScript and JavaScript run, and print what is shown', async () => {
    const runnable = programs.filter(({ block }) => !isSample(block) && !isTested(block));
    const problems = await inTurns(runnable, async (program) => {
      const { stdout, problem } = await runProgram(program);
      if (problem !== undefined) return `${program.block.place}: ${problem}`;
      const next = blocks[blocks.indexOf(program.block) + 1];
      if (next?.marker?.kind !== 'output' || stdout.includes(next.text.trim())) return undefined;
      return `${next.place}: not printed by ${program.block.place}, which printed:\n${stdout}`;
    });
    expect(problems).toEqual([]);
  }, 240_000);

  it('that are tested elsewhere are there as they stand', () => {
    const untested = blocks.filter(isTested).map((block) => [block.place, untestedLine(block)]);
    expect(untested.filter(([, line]) => line !== undefined)).toEqual([]);
  });

  it('for a shell run, command by command', async () => {
    const commands = commandFolder();
    const problems = await inTurns(shellRuns(those('shell')), async ([block, ...more]) => {
      const problem = block && (await runShell([block, ...more], commands));
      return problem && `${block.place}: ${problem}`;
    });
    expect(problems).toEqual([]);
  }, 240_000);

  it('on a console show what is printed', async () => {
    const differences: Difference[] = [];
    let folder = freshFolder();
    for (const block of those('console').filter((one) => !isSample(one))) {
      if (block.marker?.kind !== 'continues') {
        folder = freshFolder();
        const name = block.marker?.kind === 'with' ? block.marker.name : undefined;
        const prepare = name === undefined ? () => {} : stories[name];
        if (prepare === undefined) throw new Error(`${block.place}: no story "${name}"`);
        await prepare(folder);
      }
      differences.push(...(await differencesOf(block, folder)));
    }
    if (process.env.DOCS_WRITE === '1') writePrinted(differences);
    expect(differences.map(({ message }) => message)).toEqual([]);
  }, 120_000);

  it('on a console that only show a sample have commands that are understood', async () => {
    const samples = those('console').filter(isSample).flatMap(commandsOf);
    const asked = samples.filter(({ command }) => command.startsWith('checkpoint-wal '));
    const problems = await inTurns(asked, async ({ command }) => {
      const problem = await parseProblem(command);
      return problem && `$ ${command}: ${problem}`;
    });
    expect(problems).toEqual([]);
  });

  it('that are text to be pasted name commands that are understood', async () => {
    const named = those('prose').flatMap(({ text, place }) =>
      [...text.matchAll(/`(checkpoint-wal [^`]+)`/g)].map(([, command = '']) => ({
        place,
        command,
      })),
    );
    expect(named.length).toBeGreaterThan(10);
    const problems = await inTurns(named, async ({ place, command }) => {
      const [asked = ''] = command.replace('COMMAND', 'status').split(' > ');
      const problem = asked.endsWith('--help') ? undefined : await parseProblem(asked);
      return problem && `${place}: ${command}: ${problem}`;
    });
    expect(problems).toEqual([]);
  });

  it('with data can be parsed', () => {
    for (const { language, text, place } of those('data')) {
      const parse = () => (language === 'json' ? JSON.parse(text) : parseYaml(text));
      expect(parse, place).not.toThrow();
    }
  });

  it('in no language are the output of a program, or say why nothing can be tried', () => {
    const bare = those('words').filter(
      ({ marker }) => marker?.kind !== 'output' && marker?.kind !== 'sample',
    );
    expect(bare.map(({ place }) => place)).toEqual([]);
  });
});

describe('a checker of blocks', () => {
  const only = (text: string) => blocksOf({ path: 'a.md', text })[0] ?? fail();
  const fail = (): never => {
    throw new Error('no block was found');
  };

  it('finds blocks, also indented ones, with their markers and places', () => {
    expect(only('\n<!-- example: with x-y -->\n```ts\na;\n```\n')).toMatchObject({
      place: 'a.md:3',
      language: 'ts',
      text: 'a;\n',
      marker: { kind: 'with', name: 'x-y' },
    });
    expect(only('- x\n\n  ```sh\n  a\n  ```\n')).toMatchObject({ language: 'sh', text: 'a\n' });
  });

  it.each([
    ['a fence that is not closed', '```ts\na\n', 'a.md:1: the fence'],
    ['a marker that is none', '<!-- example: wth x -->\n```ts\na\n```\n', 'a.md:1: "wth x"'],
    ['a sample without a reason', '<!-- example: sample: -->\n```ts\n```\n', 'is no marker'],
    ['a marker away from its block', '<!-- example: output -->\n\n```\n```\n', 'a.md:1: a marker'],
  ])('refuses %s', (_, text, message) => {
    expect(() => blocksOf({ path: 'a.md', text })).toThrow(message);
  });

  it('tells a wrong output, a wrong exit code and a lost line from what only changes with time', async () => {
    const folder = freshFolder();
    await stories.nightly?.(folder);
    const differ = async (text: string) => {
      const found = await differencesOf(
        only(`\`\`\`console\n$ checkpoint-wal ${text}\`\`\`\n`),
        folder,
      );
      return found.map(({ message }) => message);
    };
    expect(await differ('get workflow.owner\nInes\n')).toEqual([]);
    expect(await differ('get workflow.owner\nImre\n')).toEqual([
      'a.md:2: $ checkpoint-wal get workflow.owner\n  shown:   Imre\n  printed: Ines',
    ]);
    expect(await differ('get workflow.owner\nInes\n(exit code 1)\n')).toHaveLength(1);
    expect(await differ('get workflow.owner\n')).toHaveLength(1);
    expect(await differ('get workflow.owner --loud\nInes\n')).toHaveLength(1);
  });

  it('asks a test for every line of a block that it is said to have', () => {
    const marker = '<!-- example: tested by test/examples/first-scenario.test.ts -->';
    const block = (code: string) => only(`${marker}\n\`\`\`ts\n${code}\n\`\`\`\n`);
    expect(untestedLine(block("it('keeps every promise', async () => {"))).toBeUndefined();
    expect(untestedLine(block('seed: 1, // any\ndepth: 3,'))).toBe('depth: 3,');
  });
});

/** What comes of all, in order; two at a time. */
async function inTurns<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result | undefined>,
): Promise<Result[]> {
  const results: (Result | undefined)[] = [];
  const waiting = [...items.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next[0]] = await act(next[1]);
    }
  };
  await Promise.all([work(), work()]);
  return results.filter((result) => result !== undefined);
}
