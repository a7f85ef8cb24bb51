import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/cli/cli-error.js';
import { runCli } from '../../../src/cli/program.js';
import { createNodeFileSystem } from '../../../src/io/node-file-system.js';
import { openCheckpointStore } from '../../../src/store.js';
import { runInMemory } from '../../helpers/cli-run.js';
import { crashedStore, makeStore, PLAN } from '../../helpers/crashed-stores.js';
import { entriesIn, fillHistory } from '../../helpers/history-filler.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

const file = (directory: string) => join(directory, 'ORCHESTRATION.yaml');
const wal = (directory: string) => join(directory, '.checkpoint.wal');
const DUPLICATE = 'a: 1\nb: 2\na: 3\n';

const run = (directory: string, ...args: string[]) => runInMemory([...args, '--dir', directory]);
const json = async (directory: string, ...args: string[]) => {
  const { exitCode, stdout, stderr } = await run(directory, ...args, '--json');
  return { exitCode, data: JSON.parse(stdout), stderr };
};
/** Flips one byte in the middle of a log's data. */
function damageLog(directory: string): void {
  const bytes = readFileSync(wal(directory));
  bytes.writeUInt8(bytes.readUInt8(300) ^ 0xff, 300);
  writeFileSync(wal(directory), bytes);
}

describe('save', () => {
  it('begins a store and keeps the file verbatim', async () => {
    const cwd = freshFolder();
    writeFileSync(join(cwd, 'plan.yaml'), PLAN);
    const saved = await runInMemory(['save', 'plan.yaml', '--dir', 'state', '--label', 'first'], {
      cwd,
    });
    expect(saved).toMatchObject({ exitCode: 0, stderr: '' });
    expect(saved.stdout).toBe(`saved checkpoint 1 in ${file(join(cwd, 'state'))}\n`);
    expect(readFileSync(file(join(cwd, 'state')), 'utf8')).toMatch(
      new RegExp(`^${PLAN.replaceAll(/[[\]().*+?]/g, '\\$&')}# checkpoint-wal: v1 sequence=1 `),
    );
  });

  it.each([[['save']], [['save', '-']]])('reads standard input for %j', async (args) => {
    const directory = join(freshFolder(), 'state');
    const saved = await runInMemory([...args, '--dir', directory], { stdin: 'a: 1' });
    expect(saved.exitCode).toBe(0);
    expect((await run(directory, 'get')).stdout).toBe('a: 1');
  });

  it('takes a terminal without "-" for a mistake, and says what to do', async () => {
    const cwd = freshFolder();
    const result = await runInMemory(['save'], { stdinIsTerminal: true, cwd });
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain('error USAGE: There is nothing to save');
    expect(result.stderr).toContain('checkpoint-wal save plan.yaml');
    expect(existsSync(file(cwd))).toBe(false);
  });

  it.each([
    ['a duplicate key', DUPLICATE, 'error DUPLICATE_KEY: broken.yaml:3:1: the key "a"'],
    ['broken YAML', 'a: [1\nb: 2\n', 'error INVALID_YAML: broken.yaml:'],
    ['an empty file', '', 'error EMPTY_DOCUMENT: broken.yaml:'],
    ['deep nesting', '['.repeat(5000), 'error TOO_DEEP: broken.yaml:1:'],
    ['bytes that are no text', Buffer.from([0x61, 0x3a, 0xff]), 'error INVALID_YAML: broken.yaml'],
  ])('refuses %s with its place and touches nothing', async (_name, text, message) => {
    const cwd = freshFolder();
    writeFileSync(join(cwd, 'broken.yaml'), text);
    const result = await runInMemory(['save', 'broken.yaml', '--dir', 'state'], { cwd });
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toMatch(/^ +at /m);
    expect(existsSync(join(cwd, 'state'))).toBe(false);
  });

  it('refuses a file that is not there, and a label that does not fit', async () => {
    const directory = freshFolder();
    const missing = await run(directory, 'save', 'none.yaml');
    expect(missing).toMatchObject({ exitCode: 1 });
    expect(missing.stderr).toContain('error READ_FAILED: none.yaml could not be read (ENOENT)');
    const label = await run(directory, 'save', '-', '--label', 'x'.repeat(1025));
    expect(label).toMatchObject({ exitCode: 2 });
  });

  it('finishes what a crash left before it saves, and says so', async () => {
    const directory = await crashedStore('writingCheckpoint');
    const saved = await runInMemory(['save', '--dir', directory], { stdin: 'a: 1\n' });
    expect(saved.exitCode).toBe(0);
    expect(saved.stderr).toContain('published save 2 ("cut off") from the log');
    expect(saved.stdout).toContain('saved checkpoint 3');
  });

  it('exits with 3 when the recovery before it had findings', async () => {
    const directory = await makeStore(['NEXT']);
    writeFileSync(file(directory), '');
    const { exitCode, data } = await json(directory, 'set', 'workflow.status', 'GO');
    expect(exitCode).toBe(3);
    expect(data).toMatchObject({ durability: 'committed', path: 'workflow.status' });
    expect(data.recovery.lost).toHaveLength(1);
  });
});

describe('set and get', () => {
  it('change one line and nothing else', async () => {
    const directory = await makeStore();
    expect((await run(directory, 'set', 'workflow.status', 'DONE')).exitCode).toBe(0);
    expect((await run(directory, 'get')).stdout).toBe(PLAN.replace('ACTIVE', 'DONE'));
  });

  it.each([
    ['true', 'true\n', true],
    ['[1, two]', '- 1\n- two\n', [1, 'two']],
    ['-5', '-5\n', -5],
    ['null', 'null\n', null],
    ['"a b"', 'a b\n', 'a b'],
  ])('read %s as YAML and print it as %j', async (value, printed, data) => {
    const directory = await makeStore();
    const set = await runInMemory(['set', '--dir', directory, 'new.value', '--', value]);
    expect(set.exitCode).toBe(0);
    expect((await run(directory, 'get', 'new.value')).stdout).toBe(printed);
    expect((await json(directory, 'get', 'new.value')).data).toEqual(data);
  });

  it('take a value verbatim with --string', async () => {
    const directory = await makeStore();
    await run(directory, 'set', 'version', '1.10', '--string');
    expect((await json(directory, 'get', 'version')).data).toBe('1.10');
  });

  it('keep and print integers beyond the safe range, which can be saved as text only', async () => {
    const digits = '123456789012345678901234';
    const directory = await makeStore([], `big: ${digits}\nsmall: 1\n`);
    expect((await run(directory, 'set', 'small', '2')).exitCode).toBe(0);
    expect((await run(directory, 'get', 'big', '--json')).stdout).toBe(`${digits}\n`);
    expect((await run(directory, 'get', 'big')).stdout).toBe(`${digits}\n`);
    const set = await json(directory, 'set', 'small', `${digits}5`);
    expect(set).toMatchObject({ exitCode: 1, data: { error: { code: 'UNFAITHFUL_VALUE' } } });
  });

  it('name the longest prefix that exists where a path leads nowhere', async () => {
    const directory = await makeStore();
    const { exitCode, data } = await json(directory, 'get', 'phases[0].agents[2].id');
    expect(exitCode).toBe(1);
    expect(data.error).toMatchObject({ code: 'PATH_NOT_FOUND', prefix: 'phases[0]', exitCode: 1 });
    expect(data.error.message).toContain('a mapping with the keys id, note');
    const set = await json(directory, 'set', 'phases[7].x', '1');
    expect(set).toMatchObject({ exitCode: 1, data: { error: { prefix: 'phases' } } });
  });

  it('refuse a path and a value that can not be read', async () => {
    const directory = await makeStore();
    expect(await run(directory, 'get', 'a[')).toMatchObject({ exitCode: 2 });
    const value = await run(directory, 'set', 'a', '[1');
    expect(value.exitCode).toBe(1);
    expect(value.stderr).toContain('--string');
  });

  it('do not begin a store where there is none', async () => {
    const directory = join(freshFolder(), 'none');
    for (const args of [['set', 'a', '1'], ['get'], ['status'], ['recover'], ['verify'], ['wal']]) {
      const { exitCode, stderr } = await run(directory, ...args);
      expect(exitCode).toBe(10);
      expect(stderr).toContain('error NO_STORE');
    }
    expect(existsSync(directory)).toBe(false);
  });

  it('get says on stderr that a later save is still in the log', async () => {
    const directory = await crashedStore('writingCheckpoint');
    for (const args of [
      ['get', 'workflow.status'],
      ['get', 'workflow.status', '--json'],
    ]) {
      const { exitCode, stdout, stderr } = await run(directory, ...args);
      expect(exitCode).toBe(0);
      expect(stdout).toContain('ACTIVE');
      expect(stderr).toContain('not the last promised state: save 2 ("cut off")');
    }
    expect((await run(await crashedStore('deletingWal'), 'get')).stderr).toBe('');
    expect((await run(await crashedStore('writingData'), 'get')).stderr).toBe('');
  });

  it('get exits with 4 and the line where the file does not parse', async () => {
    const directory = await makeStore();
    writeFileSync(file(directory), DUPLICATE);
    const { exitCode, stderr } = await run(directory, 'get');
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`error DUPLICATE_KEY: ${file(directory)}:3:1: `);
  });

  it('get exits with 10 where only the file is missing, and points to recovery', async () => {
    const directory = await makeStore(['NEXT']);
    rmSync(file(directory));
    const { exitCode, stderr } = await run(directory, 'get');
    expect(exitCode).toBe(10);
    expect(stderr).toContain('recover --dry-run');
  });
});

describe('status', () => {
  it('says in one line how the store is', async () => {
    const directory = await makeStore(['NEXT']);
    const { exitCode, stdout } = await run(directory, 'status');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')[0]).toBe('ok  checkpoint 2 verifies; no save is pending');
    expect(stdout).toMatch(/ log +none\n +lock +free\n +history +2 entries, newest 2\n/);
  });

  it('prints the whole inspection as JSON, but not the text', async () => {
    const { exitCode, data } = await json(await crashedStore('syncingCheckpoint'), 'status');
    expect(exitCode).toBe(0);
    expect(data).toMatchObject({
      health: 'pending',
      sequence: 1,
      log: { present: true, verdict: 'sealed', relation: 'preImage', sequence: 2 },
      lock: { held: false },
      history: { entries: 1, newest: 1 },
      plan: { outcome: 'ready', sequence: 2 },
    });
    expect(data.temporaries).toHaveLength(1);
    expect(data).not.toHaveProperty('text');
    expect(new Date(data.lastSave).getTime()).toBeGreaterThan(0);
  });

  it('exits with 3 where recovery would have findings, and 4 where it would refuse', async () => {
    const directory = await makeStore(['NEXT']);
    writeFileSync(file(directory), '');
    expect((await run(directory, 'status')).exitCode).toBe(3);
    rmSync(join(directory, 'checkpoints'), { recursive: true });
    const { exitCode, stdout } = await run(directory, 'status');
    expect(exitCode).toBe(4);
    expect(stdout.split('\n')[0]).toContain('corrupt  the checkpoint is damaged');
  });

  it('finds orchestration/ in the current folder by itself', async () => {
    const cwd = freshFolder();
    mkdirSync(join(cwd, 'orchestration'));
    writeFileSync(join(cwd, 'orchestration', 'ORCHESTRATION.yaml'), PLAN);
    const { stdout } = await runInMemory(['status'], { cwd });
    expect(stdout).toMatch(/^unsealed /);
    writeFileSync(join(cwd, 'ORCHESTRATION.yaml'), PLAN);
    const { stdout: inCurrent } = await runInMemory(['status', '--dir', '.', '--json'], { cwd });
    expect(JSON.parse(inCurrent).directory).toBe(cwd);
  });

  it('colours its output on a terminal only, and never with NO_COLOR', async () => {
    const directory = await makeStore();
    const args = ['status', '--dir', directory];
    const colour = '\u001b[';
    const terminal = { stdoutIsTerminal: true };
    expect((await runInMemory(args, terminal)).stdout).toContain(colour);
    expect((await runInMemory(args)).stdout).not.toContain(colour);
    const quiet = { ...terminal, env: { NO_COLOR: '1' } };
    expect((await runInMemory(args, quiet)).stdout).not.toContain(colour);
    expect((await runInMemory([...args, '--json'], terminal)).stdout).not.toContain(colour);
  });
});

describe('recover', () => {
  it('says what it found, decided, did and lost, and changes nothing the second time', async () => {
    const directory = await crashedStore('writingCheckpoint');
    const { exitCode, stdout } = await run(directory, 'recover');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'Recovered: the store is at checkpoint 2.',
      'found',
      '  - a sealed log with save 2 ("cut off"); the checkpoint is the one from before it',
    ]);
    expect(stdout).toContain('wal-apply: the save was logged and may have been promised');
    expect(stdout).toMatch(/lost\n {2}- nothing\n$/);
    const again = await json(directory, 'recover');
    expect(again).toMatchObject({ exitCode: 0, data: { clean: true, sequence: 2 } });
  });

  it('only looks with --dry-run', async () => {
    const directory = await crashedStore('writingCheckpoint');
    const { exitCode, stdout } = await run(directory, 'recover', '--dry-run');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('would do\n  - publish save 2 ("cut off") from the log');
    expect(existsSync(wal(directory))).toBe(true);
    expect(await run(directory, 'recover', '--dry-run')).toMatchObject({ exitCode, stdout });
  });

  it('exits with 3 for a damaged log, and names the save that was lost and what was kept', async () => {
    const directory = await crashedStore('writingCheckpoint');
    damageLog(directory);
    expect((await run(directory, 'recover', '--dry-run')).exitCode).toBe(3);
    const { exitCode, stdout } = await run(directory, 'recover');
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/lost\n {2}- save 2 that was only in the damaged log/);
    expect(stdout).toMatch(/kept\n {2}- quarantine\/\S+[-.]checkpoint\.wal \(wal-damaged\)/);
  });

  it('restores a damaged file from history with exit code 3', async () => {
    const directory = await makeStore(['NEXT']);
    writeFileSync(file(directory), DUPLICATE);
    const { exitCode, data } = await json(directory, 'recover');
    expect(exitCode).toBe(3);
    expect(data).toMatchObject({ outcome: 'ready', history: { newest: { sequence: 2 } } });
    expect((await run(directory, 'get')).stdout).toBe(PLAN.replace('ACTIVE', 'NEXT'));
  });

  it('exits with 4, the line and the files looked at where nothing is valid', async () => {
    const directory = freshFolder();
    writeFileSync(file(directory), DUPLICATE);
    const { exitCode, stderr } = await run(directory, 'recover');
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`error REFUSED: ${file(directory)}:3:1: `);
    expect(stderr).toContain('looked at: the checkpoint file');
    expect(readFileSync(file(directory), 'utf8')).toBe(DUPLICATE);
  });
});

describe('verify', () => {
  it('checks checkpoint and history of a store', async () => {
    const directory = await makeStore(['NEXT']);
    const { exitCode, stdout } = await run(directory, 'verify');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      `sealed      ${file(directory)} (checkpoint 2)\n2 history entries of 2 verified\n`,
    );
  });

  it('exits with 3 while a promised save is only in the log, and 4 for a damaged log', async () => {
    const directory = await crashedStore('writingCheckpoint');
    const pending = await json(directory, 'verify');
    expect(pending).toMatchObject({ exitCode: 3, data: { verified: false, lastPromised: false } });
    damageLog(directory);
    const damaged = await json(directory, 'verify');
    expect(damaged.exitCode).toBe(4);
    expect(damaged.data.files[1]).toMatchObject({ kind: 'log', verdict: 'damaged' });
  });

  it('finds history entries that were damaged or exchanged', async () => {
    const directory = await makeStore(['NEXT', 'LAST']);
    const entry = (sequence: number) =>
      join(directory, 'checkpoints', `${String(sequence).padStart(12, '0')}.ORCHESTRATION.yaml`);
    const second = readFileSync(entry(2));
    rmSync(entry(1));
    writeFileSync(entry(1), second);
    const { exitCode, data } = await json(directory, 'verify');
    expect(exitCode).toBe(4);
    expect(data.history).toMatchObject({ entries: 3, verified: 2 });
    expect(data.history.bad[0].reason).toContain('checkpoint 2 under another');
  });

  it('judges each of several files, anywhere, and exits with the gravest verdict', async () => {
    const directory = await makeStore();
    const cwd = freshFolder();
    const sealed = readFileSync(file(directory), 'utf8');
    writeFileSync(join(cwd, 'copy.yaml'), sealed);
    writeFileSync(join(cwd, 'edited.yaml'), sealed.replace('ACTIVE', 'EDITED'));
    writeFileSync(join(cwd, 'cut.yaml'), sealed.slice(0, -20));
    writeFileSync(join(cwd, 'plain.yaml'), PLAN);
    writeFileSync(join(cwd, 'broken.yaml'), DUPLICATE);
    const judge = async (...names: string[]) => {
      const { exitCode, stdout } = await runInMemory(['verify', '--json', ...names], { cwd });
      const { files } = JSON.parse(stdout);
      return [exitCode, ...files.map(({ verdict }: { verdict: string }) => verdict)];
    };
    expect(await judge('copy.yaml')).toEqual([0, 'sealed']);
    expect(await judge('copy.yaml', 'edited.yaml')).toEqual([3, 'sealed', 'edited']);
    expect(await judge('plain.yaml', 'cut.yaml')).toEqual([3, 'unsealed', 'edited']);
    expect(await judge('none.yaml', 'plain.yaml')).toEqual([1, 'unreadable', 'unsealed']);
    expect(await judge('broken.yaml', 'none.yaml', 'copy.yaml')).toEqual([
      4,
      'damaged',
      'unreadable',
      'sealed',
    ]);
    const { stdout } = await runInMemory(['verify', 'broken.yaml'], { cwd });
    expect(stdout).toMatch(/^damaged {5}broken\.yaml:3:1: the key "a"/);
  });
});

describe('wal', () => {
  it('lists the records of the log in flight', async () => {
    const directory = await crashedStore('writingCheckpoint');
    const { exitCode, stdout } = await run(directory, 'wal');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/\.checkpoint\.wal: sealed, [\d,]+ bytes$/);
    expect(stdout).toMatch(
      / header +ok[\s\S]* intent +ok[\s\S]*label cut off[\s\S]* data +ok[\s\S]* seal +ok/,
    );
    const { data } = await json(directory, 'wal');
    expect(data.verdict).toBe('sealed');
    expect(data.records[0]).toMatchObject({ type: 'header', offset: 0, checksum: 'ok' });
  });

  it('lists a damaged one too, with exit code 4', async () => {
    const directory = await crashedStore('writingCheckpoint');
    damageLog(directory);
    const { exitCode, stdout } = await run(directory, 'wal', wal(directory));
    expect(exitCode).toBe(4);
    expect(stdout).toContain('the checksum does not match');
  });

  it('says so where there is no log, and lists any other file as bytes unknown', async () => {
    const directory = await makeStore();
    expect(await run(directory, 'wal')).toMatchObject({
      exitCode: 0,
      stdout: 'There is no log: no save is in flight.\n',
    });
    expect((await json(directory, 'wal')).data).toMatchObject({ verdict: 'absent', records: [] });
    const other = await run(directory, 'wal', file(directory));
    expect(other.stdout).toContain('unknown');
  });
});

describe('every command', () => {
  it('refuses a store that another writer holds with 11, but looks at it', async () => {
    const directory = await makeStore();
    const store = await openCheckpointStore({ directory });
    for (const args of [['set', 'a', '1'], ['recover']]) {
      const { exitCode, data } = await json(directory, ...args);
      expect(exitCode).toBe(11);
      expect(data.error).toMatchObject({ code: 'LOCKED', holder: { pid: process.pid } });
    }
    expect((await run(directory, 'recover', '--dry-run')).exitCode).toBe(11);
    for (const args of [['status'], ['get'], ['verify'], ['wal']]) {
      expect((await run(directory, ...args)).exitCode).toBe(0);
    }
    expect((await run(directory, 'status')).stdout).toContain(`held by process ${process.pid} on`);
    await store.close();
    expect((await run(directory, 'recover')).exitCode).toBe(0);
  });

  it.each([
    [['nonsense']],
    [['status', '--nonsense']],
    [['set', 'only-a-path']],
    [['get', 'a', 'b']],
    [['status', '--dir']],
    [['status', '--dir', '']],
    [[]],
  ])('takes %j for a usage error: exit code 2', async (args) => {
    const plain = await runInMemory(args);
    expect(plain).toMatchObject({ exitCode: 2, stdout: '' });
    expect(plain.stderr).toMatch(/^error USAGE: /);
    const asJson = await runInMemory(['--json', ...args]);
    expect(asJson).toMatchObject({ exitCode: 2, stderr: '' });
    expect(JSON.parse(asJson.stdout).error).toMatchObject({ code: 'USAGE', exitCode: 2 });
  });

  it.each(['../x', 'a/b', '..', '.checkpoint.wal', 'checkpoints'])(
    'refuses --file %s, which is not a checkpoint in the directory, and creates nothing',
    async (name) => {
      const directory = join(freshFolder(), 'state');
      for (const args of [['save', '-'], ['get'], ['status']]) {
        const { exitCode, data } = await json(directory, ...args, '--file', name);
        expect(exitCode).toBe(2);
        expect(data.error.code).toBe('PATH_OUTSIDE_STORE');
      }
      expect(existsSync(directory)).toBe(false);
    },
  );

  it('takes its global options before and after its name', async () => {
    const directory = await makeStore();
    const before = await runInMemory(['--json', '--dir', directory, 'get', 'workflow.status']);
    const after = await runInMemory(['get', 'workflow.status', '--dir', directory, '--json']);
    expect(before.stdout).toBe('"ACTIVE"\n');
    expect(after.stdout).toBe(before.stdout);
  });

  it('prints help with examples and exit codes, and its version, with exit code 0', async () => {
    const names = ['save', 'set', 'get', 'status', 'recover', 'verify', 'wal', 'demo'];
    for (const name of names) {
      const { exitCode, stdout } = await runInMemory([name, '--help']);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/Examples:[\s\S]*Exit codes:/);
      expect(stdout).toContain('--json');
    }
    expect((await runInMemory(['--help'])).stdout).toContain('Exit codes:');
    const version = await runInMemory(['--version']);
    expect(version).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it('prints a stack trace only where it was asked for', async () => {
    const args = ['get', '--dir', freshFolder()];
    expect((await runInMemory(args)).stderr).not.toMatch(/^ +at /m);
    expect((await runInMemory([...args, '--verbose'])).stderr).toMatch(/^ +at /m);
    expect((await runInMemory(args, { env: { DEBUG: '1' } })).stderr).toMatch(/^ +at /m);
  });

  it('does nothing once it was interrupted, and exits with 130 or 143', async () => {
    const directory = await makeStore();
    for (const [name, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
      const signal = AbortSignal.abort(new InterruptedError(name));
      const args = ['set', 'workflow.status', 'LATE', '--dir', directory];
      const result = await runInMemory(args, { signal });
      expect(result).toMatchObject({ exitCode: code, stdout: '' });
      expect(result.stderr).toContain(`Interrupted by ${name}: nothing was saved`);
    }
    expect((await run(directory, 'get', 'workflow.status')).stdout).toBe('ACTIVE\n');
    expect((await run(directory, 'status')).stdout).toMatch(/lock +free/);
  });

  it.each([['set', 'workflow.status', 'DONE'], ['recover'], ['restore', '1', '--yes']])(
    'exits with 0 where it was interrupted once it was done: %s',
    async (...args) => {
      const directory = await makeStore();
      const interruption = new AbortController();
      const stdout = new PassThrough();
      const told: string[] = [];
      const write = stdout.write.bind(stdout);
      stdout.write = (text: string) => {
        told.push(text);
        interruption.abort(new InterruptedError('SIGTERM'));
        return write(text);
      };
      const exitCode = await runCli([...args, '--dir', directory], {
        stdin: Readable.from([]),
        stdout,
        stderr: new PassThrough(),
        env: {},
        cwd: directory,
        signal: interruption.signal,
      });
      expect([exitCode, told.length]).toEqual([0, 1]);
    },
  );

  it('ends the round that is on its way when it is interrupted, and tells of it', async () => {
    const directory = await makeStore();
    const interruption = new AbortController();
    const { signal } = interruption;
    const whenLogSyncs = (message: unknown) => {
      if (!(message as { file: string }).file.endsWith('.checkpoint.wal')) return;
      interruption.abort(new InterruptedError('SIGINT'));
    };
    const channel = 'tracing:checkpoint-wal:sync:start';
    subscribe(channel, whenLogSyncs);
    const args = ['set', 'workflow.status', 'DONE', '--dir', directory];
    const { exitCode, stdout } = await runInMemory(args, { signal });
    unsubscribe(channel, whenLogSyncs);
    expect([signal.aborted, exitCode]).toEqual([true, 0]);
    expect(stdout).toContain('saved checkpoint 2');
  });

  it('shows control characters of a hostile file as replacement characters', async () => {
    const directory = await crashedStore('writingCheckpoint', '\u001b[2Jgone');
    expect((await run(directory, 'recover', '--dry-run')).stdout).not.toContain('\u001b');
    expect((await run(directory, 'wal')).stdout).not.toContain('\u001b');
  });

  it('adopts an edit, and says so', async () => {
    const directory = await makeStore();
    appendFileSync(file(directory), 'more: 1\n');
    const { exitCode, stdout } = await run(directory, 'recover');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('counts as checkpoint 2; the next save seals it');
  });
});

describe('history under commands', () => {
  it('keeps a hundred checkpoints, however many commands save once each', async () => {
    const directory = freshFolder();
    const fs = createNodeFileSystem();
    const entries = Array.from({ length: 103 }, (_, n) => ({
      sequence: n + 1,
      timeMs: Date.now(),
    }));
    fillHistory(fs, entries, directory);
    for (const value of ['1', '2', '3']) await run(directory, 'set', 'v', value);
    // Closing keeps a second copy of the current one.
    expect(entriesIn(fs, directory)).toHaveLength(101);
  });
});

describe('--wait', () => {
  it('waits for who has the store open, and then does its work', async () => {
    const directory = await makeStore();
    const holder = await openCheckpointStore({ directory });
    const waiting = run(directory, 'set', 'workflow.status', 'DONE', '--wait', '20');
    await new Promise((resolve) => setTimeout(resolve, 120));
    await holder.close();
    expect(await waiting).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('says on stderr whom it waits for, once, after a second', async () => {
    const directory = await makeStore();
    const holder = await openCheckpointStore({ directory });
    const { exitCode, stderr } = await run(directory, 'set', 'a', '1', '--wait', '1.3');
    await holder.close();
    expect(exitCode).toBe(11);
    const [first, second] = stderr.split('\n');
    expect(first).toBe(`waiting for process ${process.pid}, which has the store open`);
    expect(second).toMatch(/^error LOCKED/);
  });

  it('ends with LOCKED when the time is over, and at once without it', async () => {
    const directory = await makeStore();
    const holder = await openCheckpointStore({ directory });
    const began = performance.now();
    expect((await run(directory, 'recover', '--wait', '0.2')).exitCode).toBe(11);
    expect(performance.now() - began).toBeGreaterThan(190);
    expect((await run(directory, 'restore', 'previous', '--yes')).exitCode).toBe(11);
    await holder.close();
  });

  it.each(['soon', '-1', '', '1e9'])('refuses %j as a number of seconds', async (seconds) => {
    const { exitCode, stderr } = await run(freshFolder(), 'save', '-', `--wait=${seconds}`);
    expect([exitCode, stderr.includes('Give a number of seconds')]).toEqual([2, true]);
  });
});

describe('set, of a text that YAML reads otherwise', () => {
  it.each([
    ['it failed: #3', true],
    ['see #3 there', true],
    ['{ a: 1 }', false],
    ['[1, 2]', false],
    ['plain text', false],
    ['"see #3"', false],
  ])('%j says so on stderr: %s', async (value, isTold) => {
    const directory = await makeStore();
    const { stderr } = await run(directory, 'set', 'notes', value);
    expect(stderr.includes('--string')).toBe(isTold);
    expect((await run(directory, 'set', 'notes', value, '--string')).stderr).toBe('');
  });
});
