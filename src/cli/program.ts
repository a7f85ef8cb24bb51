/**
 * The command line as a whole: its commands, its global options, and the way from arguments to an exit
 * code. Assumes nothing of the process: tests run it in memory, `main.ts` on the real streams.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import picocolors from 'picocolors';
import { packageFile } from '../io/node-package.js';
import { stackOf, type ToldError, tellError, UsageError } from './cli-error.js';
import { commandIn, loadCommands } from './commands.js';
import {
  type CliEnvironment,
  createContext,
  isVerbose,
  type Launch,
  type StoreFlags,
  wantsColors,
} from './context.js';
import { EXIT, EXIT_CODE_HELP, type ExitCode } from './exit-codes.js';
import { toJson } from './json.js';
import { printable } from './words.js';

const EXAMPLES = `
Examples:
  checkpoint-wal save plan.yaml
  checkpoint-wal set 'phases[0].status' COMPLETE
  checkpoint-wal get 'phases[0].status'
  checkpoint-wal status --json
  checkpoint-wal demo

${EXIT_CODE_HELP}`;

/**
 * The commands, without anything to run them in: for help and for the test of the docs. With a name, that
 * command alone, if there is one.
 */
export async function buildProgram(launch: Launch, name?: string): Promise<Command> {
  const program = new Command('checkpoint-wal')
    .description(
      'Crash-safe saves of an ORCHESTRATION.yaml: atomic, durable, recovered after every crash.',
    )
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('Add --help to see what there is.')
    .configureHelp({ helpWidth: 100 })
    .helpCommand('help [COMMAND]', 'show the help of a command');
  addGlobalOptions(program);
  program.version(packageVersion(), '-V, --version', 'print the version');
  program.addHelpText('after', EXAMPLES);
  const added = await loadCommands(name);
  const commands = added.map((add) => add(program, launch));
  for (const command of commands.flatMap((one) => [one, ...one.commands])) {
    addGlobalOptions(command);
    command.addHelpText('after', `\n${EXIT_CODE_HELP}`);
  }
  return program;
}

/** On the program and on every command, so that they work before and after the command's name. */
function addGlobalOptions(command: Command): void {
  command
    .option('--dir <DIR>', 'directory of the store (default: orchestration/ if it exists, else .)')
    .option('--file <NAME>', 'name of the checkpoint file (default: ORCHESTRATION.yaml)')
    .option('--json', 'print one JSON document on stdout, also for errors')
    .option('--verbose', 'print stack traces with errors (also: DEBUG=1)')
    .helpOption('-h, --help', 'show this help');
}

/** Runs one command line and returns its exit code. Never throws. */
export async function runCli(
  args: readonly string[],
  environment: CliEnvironment,
): Promise<ExitCode> {
  let outcome: ExitCode = EXIT.ok;
  let flags = flagsIn(args);
  const launch: Launch = async (command, body) => {
    flags = { ...command.parent?.parent?.opts(), ...command.parent?.opts(), ...command.opts() };
    outcome = await body(createContext(environment, flags));
  };
  const refusal: string[] = [];
  const program = await buildProgram(launch, commandIn(args));
  const commands = program.commands.flatMap((one) => [one, ...one.commands]);
  for (const command of [program, ...commands]) {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => void environment.stdout.write(text),
      writeErr: (text) => void refusal.push(text),
      getOutHasColors: () => wantsColors(environment.stdout, environment.env),
      getErrHasColors: () => false,
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    // An interruption that came too late to stop the command is none: what was asked for is done.
    return outcome;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const told = error instanceof CommanderError ? usageError(refusal) : error;
    return report(told, environment, flags);
  }
}

/** What the flags are as far as can be told before the command line was understood. */
function flagsIn(args: readonly string[]): StoreFlags {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  return { json: options.includes('--json'), verbose: options.includes('--verbose') };
}

function usageError(refusal: readonly string[]): UsageError {
  const [first = '', ...rest] = refusal.join('').trim().split('\n');
  const isHelp = first.startsWith('Usage:');
  const message = isHelp ? 'A command is needed.' : first.replace(/^error: /, '');
  const hint = isHelp ? [first, ...rest].join('\n') : rest.join(' ').trim();
  return new UsageError(message, hint);
}

function report(error: unknown, environment: CliEnvironment, flags: StoreFlags): ExitCode {
  const told = tellError(error);
  const { stdout, stderr, env } = environment;
  const verbose = isVerbose(flags, env);
  if (flags.json) {
    const { code, message, exitCode, hint, details } = told;
    const stack = verbose ? { stack: stackOf(error) } : {};
    stdout.write(toJson({ error: { code, message, exitCode, hint, ...details, ...stack } }));
    return told.exitCode;
  }
  stderr.write(errorText(told, wantsColors(stderr, env)));
  if (verbose) stderr.write(`${stackOf(error)}\n`);
  return told.exitCode;
}

function errorText({ code, message, hint, place, details }: ToldError, colored: boolean): string {
  const { red, bold } = picocolors.createColors(colored);
  // Messages of the YAML reader begin with the place in words: it is told once, where editors find it.
  const { file, line } = details;
  const inWords = `${String(file)}, line `;
  const what = message.startsWith(inWords) ? message.replace(/^.*?, column \d+: /s, '') : message;
  const isNamed = line === undefined && /[/\\]/.test(message);
  const isTold = place === undefined || isNamed || what.includes(place);
  const shown = isTold ? '' : `${bold(place)}: `;
  const { filesLookedAt } = details;
  const looked = Array.isArray(filesLookedAt) ? `  looked at: ${filesLookedAt.join('; ')}\n` : '';
  const advice = hint ? `  ${hint.replaceAll('\n', '\n  ')}\n` : '';
  return `${red(`error ${code}`)}: ${shown}${printable(`${what}\n${looked}${advice}`)}`;
}

function packageVersion(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8');
  const manifest: unknown = JSON.parse(text);
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return hasVersion ? String(manifest.version) : 'unknown';
}
