/**
 * `inspect`: a run in the browser: a store that is open, the audit of one that was, or a case of the crash
 * lab; served to this machine only, or as one file. Documented in `docs/cli.md` and `docs/inspector.md`.
 */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { AuditVerifier } from '../audit/audit-verifier.js';
import { readDrawings } from '../inspector/node-drawings.js';
import { type InspectorServer, startInspectorServer } from '../inspector/node-inspector-server.js';
import { htmlOfRun, readPage } from '../inspector/node-page.js';
import { renderPage } from '../inspector/page-html.js';
import type { RunModel } from '../inspector/run-model.js';
import { parseCaseFile } from '../testing/case-file.js';
import { caseRun } from '../testing/case-run.js';
import { type AuditSource, auditSources } from './audit-files.js';
import { follow } from './audit-follow.js';
import { chainNow, newCheckpoints, readAuditRun, SHOWN_ENTRIES_MAX } from './audit-run.js';
import { UsageError } from './cli-error.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { openBrowser } from './open-browser.js';
import { readBytes } from './read-input.js';
import { toFileOrStdout } from './stream-output.js';
import { grouped, printable } from './words.js';

const EXAMPLES = `
Examples:
  checkpoint-wal inspect --open
  checkpoint-wal inspect --audit incident/audit.jsonl
  checkpoint-wal inspect --case failing.json
  checkpoint-wal inspect --html incident.html`;

interface InspectFlags {
  readonly audit?: string;
  readonly case?: string;
  readonly port: number;
  readonly open?: boolean;
  readonly html?: string;
  readonly force?: boolean;
  readonly contents: boolean;
}

const CASE_BYTES_MAX = 256 * 1024 * 1024;

/** Adds the command. */
export function addInspectCommand(program: Command, launch: Launch): Command {
  return program
    .command('inspect')
    .summary('watch a run in the browser: live, from an audit, or a crash')
    .description(
      'Serves one page on 127.0.0.1, under an address that holds a secret: the statecharts with their ' +
        'active states, a timeline to scrub through, the messages between actors, what of each file is ' +
        'durable, and the checkpoint with its diff. Of a store that is open elsewhere it follows the ' +
        'audit. Takes no lock, asks nothing of any network. Ends on Ctrl-C, with exit code 0.',
    )
    .option('--audit <FILE>', 'a file of an audit, or a directory with one, instead of the store')
    .option('--case <FILE>', 'a case that "explore --save" or "explore --example" wrote')
    .option('--port <N>', 'listen there (default: any that is free)', toPort, 0)
    .option('--open', 'open it in the browser')
    .option('--html <FILE>', 'write one file that needs nothing else, and end')
    .option('--force', 'even if that file is there already')
    .option('--no-contents', 'leave the texts of checkpoints out')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: InspectFlags, command: Command) => {
      await launch(command, (context) => inspect(context, flags));
    });
}

/** A run, and whether more of it may come. */
interface Inspected {
  readonly model: RunModel;
  /** Of a store: where more comes from, and what verifies it. */
  readonly live?: { readonly sources: readonly AuditSource[]; readonly verifier: AuditVerifier };
}

async function inspect(context: CliContext, flags: InspectFlags): Promise<ExitCode> {
  if (flags.audit !== undefined && flags.case !== undefined) {
    throw new UsageError('--audit and --case are two different runs: give one of them.');
  }
  const { model, live } = await read(context, flags);
  if (flags.html !== undefined) return await write(context, model, flags);
  await serve(context, model, live, flags);
  return EXIT.ok;
}

async function read(context: CliContext, flags: InspectFlags): Promise<Inspected> {
  const { environment, directory, file } = context;
  const checkpoints = flags.contents ? 'texts' : 'facts';
  if (flags.case !== undefined)
    return { model: await readCase(context, flags.case, flags.contents) };
  if (flags.audit !== undefined) {
    const path = resolve(environment.cwd, flags.audit);
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    const sources = isFolder
      ? auditSources(path)
      : auditSources(path, [flags.audit], environment.cwd);
    const options = { title: flags.audit, source: 'audit' as const, checkpoints: 'none' as const };
    const { model } = await readAuditRun(context, sources, options);
    return { model };
  }
  const sources = auditSources(directory);
  const source = flags.html === undefined ? ('live' as const) : ('audit' as const);
  const options = { title: join(directory, file), source, checkpoints } as const;
  const { model, verifier } = await readAuditRun(context, sources, options);
  return { model, live: { sources, verifier } };
}

async function readCase(context: CliContext, name: string, contents: boolean): Promise<RunModel> {
  const bytes = await readBytes(context, name, CASE_BYTES_MAX);
  const found = parseCaseFile(new TextDecoder().decode(bytes));
  const title = `${name} (${found.scenario.name}, ${found.model})`;
  const model = await context.progress.during('recovering the case', () =>
    caseRun(found, { machines: readDrawings(), title }),
  );
  if (contents) return model;
  return { ...model, checkpoints: model.checkpoints.map(({ text: _, ...rest }) => rest) };
}

async function write(
  context: CliContext,
  model: RunModel,
  { html, force }: InspectFlags,
): Promise<ExitCode> {
  const text = htmlOfRun(model);
  await toFileOrStdout(context, { name: html, force }, (put) => put(text));
  const bytes = Buffer.byteLength(text);
  const told = `${html}: ${grouped(model.entries.length)} entries, ${grouped(bytes)} bytes. It needs nothing else; anybody who has it can read what it shows.\n`;
  context.result({ file: html, bytes, entries: model.entries.length }, printable(told));
  return EXIT.ok;
}

async function serve(
  context: CliContext,
  model: RunModel,
  live: Inspected['live'],
  { port, open, contents }: InspectFlags,
): Promise<void> {
  const { signal } = context.environment;
  const entries = [...model.entries];
  const checkpoints = new Map(model.checkpoints.map((one) => [one.sequence, one]));
  const server = await startServer(port, model.title, () => ({
    ...model,
    ...(live && { chain: chainNow(live.verifier) }),
    entries,
    checkpoints: [...checkpoints.values()],
  }));
  context.result({ url: server.url }, `${server.url}\n`);
  context.note('Whoever has this address can see the run. Ctrl-C ends it.');
  if (open) openBrowser(server.url);
  try {
    if (live === undefined) await untilAborted(signal);
    for await (const lines of live ? follow(context.directory, live.sources, signal) : []) {
      const fresh = lines
        .map(({ text, file, line }) => live?.verifier.take(text, file, line))
        .filter((entry) => entry !== undefined);
      if (lines.length > 0 && live) server.send({ kind: 'chain', chain: chainNow(live.verifier) });
      if (fresh.length === 0) continue;
      entries.push(...fresh);
      if (entries.length > SHOWN_ENTRIES_MAX * 1.5) entries.splice(0, SHOWN_ENTRIES_MAX / 2);
      server.send({ kind: 'entries', entries: fresh });
      const isSaved = fresh.some(({ machine, to }) => machine === 'write' && to === 'committed');
      if (!isSaved) continue;
      const known = new Set(checkpoints.keys());
      for (const checkpoint of await newCheckpoints(context, contents ? 'texts' : 'facts', known)) {
        checkpoints.set(checkpoint.sequence, checkpoint);
        server.send({ kind: 'checkpoint', checkpoint });
      }
    }
  } finally {
    server.send({ kind: 'ended', message: 'the inspector was closed' });
    await server.close();
  }
}

async function startServer(
  port: number,
  title: string,
  model: () => RunModel,
): Promise<InspectorServer> {
  const shell = (query: string) => renderPage({ query, title });
  try {
    return await startInspectorServer({ port, ...readPage(), shell, model });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new UsageError(`Port ${port} is taken: choose another, or leave --port out.`);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }));
}

function toPort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 0 && port <= 65_535)) throw new InvalidArgumentError('It is a number up to 65535.');
  return port;
}
