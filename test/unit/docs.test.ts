/**
 * What the documents take from the code is what the code says: decision tables, error codes, the files
 * they name. And their links lead somewhere.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../src/io/recording-file-system.js';
import { healthCases } from '../../src/machines/failure-decision.js';
import {
  checkpointCases,
  type DecisionCase,
  historyCases,
  walCases,
} from '../../src/machines/recovery-decision.js';
import { openCheckpointStore } from '../../src/store.js';
import { brokenLinks, missingFiles, readDocuments } from '../helpers/documents.js';
import { expectGeneratedPart, replaceGenerated } from '../helpers/generated-file.js';

const documents = readDocuments();
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** A decision table as Markdown. */
function tableOf(cases: readonly DecisionCase<never, string>[]): string {
  const rows = cases.map(({ label, when, action, because, finding }) => {
    const words = `${sentence(when)} | \`${action}\` | ${sentence(because)}`;
    return `| \`${label}\` | ${words} | ${finding ? 'yes' : ''} |`;
  });
  const head = ['| case | when | action | because | finding |', '|---|---|---|---|---|'];
  return [...head, ...rows].join('\n');
}

const sentence = (text: string) => text.replaceAll('|', '\\|');

describe('the tables in docs/recovery.md', () => {
  it.each([
    ['wal-cases', tableOf(walCases)],
    ['checkpoint-cases', tableOf(checkpointCases)],
    ['history-cases', tableOf(historyCases)],
  ])('are generated from the code: %s', (name, table) => {
    expectGeneratedPart('docs/recovery.md', name, table);
  });

  it('explain every action', () => {
    const text = read('docs/recovery.md').replace(/^\|.*$/gm, '');
    const cases = [...walCases, ...checkpointCases, ...historyCases];
    const missing = cases.filter(({ action }) => !text.includes(`\`${action}\``));
    expect(missing.map(({ action }) => action)).toEqual([]);
  });

  it('are replaced between their markers only', () => {
    const text = 'a\n<!-- generated: t -->\nold\n<!-- end: t -->\nb';
    const replaced = replaceGenerated(text, 't', 'new');
    expect(replaced).toBe('a\n<!-- generated: t -->\n\nnew\n\n<!-- end: t -->\nb');
    expect(replaceGenerated(replaced, 't', 'new')).toBe(replaced);
    expect(() => replaceGenerated('a', 't', 'new')).toThrow('the markers of t are missing');
  });
});

describe('the table in docs/failure-detection.md', () => {
  it('is generated from the code', () => {
    expectGeneratedPart('docs/failure-detection.md', 'health-cases', tableOf(healthCases));
  });

  it('has every action explained', () => {
    const text = read('docs/failure-detection.md').replace(/^\|.*$/gm, '');
    const missing = healthCases.filter(({ action }) => !text.includes(`\`${action}\``));
    expect(missing).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| (.+) \| (.+) \|$/gm)];
  const described = rows.map(([, code = '']) => code);
  const source = read('src/errors.ts');
  const union = /export type CheckpointErrorCode =([^;]+);/.exec(source)?.[1] ?? '';
  const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code = '']) => code);

  it('finds the codes in the source', () => {
    expect(codes.length).toBeGreaterThan(20);
  });

  it('says of every error code, once, what it means and what to do', () => {
    expect([...described].sort()).toEqual([...codes].sort());
  });
});

describe('docs/protocol.md', () => {
  it('lists the file operations of a save in the order in which they are done', async () => {
    const fs = new RecordingFileSystem(new MemoryFileSystem());
    const store = await openCheckpointStore({ directory: '/store', fileSystem: fs });
    for (const value of [1, 2]) await store.set('value', value);
    const start = fs.operations.length;
    await store.set('value', 3);
    const done = fs.operations.slice(start).map(({ operation, path, to }) => {
      const [from, onto] = [path, to ?? ''].map((name) =>
        name.replace('/store', '.').replace(/\.[0-9a-f]{12}\.tmp$/, '.tmp'),
      );
      return [operation, from, onto].filter((part) => part !== '').join(' ');
    });
    await store.close();
    const changes = /^(write|sync|syncDirectory|rename|link|unlink|size|isHeld|setMode) /;
    const temporary = './.ORCHESTRATION.yaml.tmp';
    const entry = './checkpoints/000000000002.ORCHESTRATION.yaml';
    expect(done.filter((operation) => changes.test(operation))).toEqual([
      'isHeld ./.checkpoint.lock',
      'write ./.checkpoint.wal',
      'write ./.checkpoint.wal',
      'size ./.checkpoint.wal',
      'isHeld ./.checkpoint.lock',
      `write ${temporary}`,
      `size ${temporary}`,
      'sync ./.checkpoint.wal',
      'syncDirectory .',
      `sync ${temporary}`,
      `link ./ORCHESTRATION.yaml ${entry}`,
      'syncDirectory ./checkpoints',
      'isHeld ./.checkpoint.lock',
      `rename ${temporary} ./ORCHESTRATION.yaml`,
      'syncDirectory .',
      `setMode ${entry}`,
      'unlink ./.checkpoint.wal',
      'write ./audit.jsonl',
      'sync ./audit.jsonl',
    ]);
  });
});

describe('the documents', () => {
  it('are found', () => {
    expect(documents.map(({ path }) => path)).toContain(
      'docs/adr/0001-io-is-one-long-lived-actor.md',
    );
  });

  it.each(documents)('have links that lead somewhere: $path', (document) => {
    expect(brokenLinks(document)).toEqual([]);
  });

  it.each(documents)('name files that exist: $path', (document) => {
    expect(missingFiles(document)).toEqual([]);
  });

  it('explain every state of the write protocol and of the store', () => {
    const protocol = read('docs/protocol.md');
    const states = ['writingIntent', 'writingData', 'syncingWal', 'writingCheckpoint'];
    states.push('syncingCheckpoint', 'deletingWal', 'droppingWal', 'droppingTemporary');
    states.push('abandoning', 'halted');
    expect(states.filter((state) => !protocol.includes(`\`${state}\``))).toEqual([]);
  });

  it('record decisions by number, each with status, context, decision and consequences', () => {
    const decisions = documents.filter(({ path }) => path.startsWith('docs/adr/'));
    for (const [index, { path, text }] of decisions.entries()) {
      const number = String(index + 1).padStart(4, '0');
      expect(path).toMatch(new RegExp(`^docs/adr/${number}-[a-z0-9-]+\\.md$`));
      expect(text).toMatch(new RegExp(`^# ${number}: .+\n\nStatus: `));
      const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
      expect(headings).toEqual(['Context', 'Decision', 'Consequences']);
    }
  });

  it('answer each of the 25 rules', () => {
    const numbers = [...read('docs/fault-model.md').matchAll(/^\| (\d+) \|/gm)];
    expect(numbers.map(([, number]) => Number(number))).toEqual(
      Array.from({ length: 25 }, (_, index) => index + 1),
    );
  });
});

describe('a checker of documents', () => {
  const nothing = () => false;
  const something = () => true;

  it('finds links to missing files and headings, and leaves code and addresses alone', () => {
    const text =
      '# A b, c\n[x](#a-b-c) [y](#gone) [z](gone.md) [w](https://a.b)\n```\n[v](code.md)\n```\n';
    expect(brokenLinks({ path: 'docs/a.md', text }, nothing)).toEqual(['#gone', 'gone.md']);
    const there = { path: 'docs/a.md', text: '[x](b.md#here) [y](b.md#there)' };
    expect(brokenLinks(there, something, () => '## Here')).toEqual(['b.md#there']);
  });

  it('finds names of files that are missing', () => {
    const document = { path: 'a.md', text: '`src/a.ts`, `test/b/`, `npm run c`' };
    expect(missingFiles(document, nothing)).toEqual(['src/a.ts', 'test/b']);
    expect(missingFiles(document, something)).toEqual([]);
  });
});
