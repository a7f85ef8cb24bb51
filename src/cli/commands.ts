/**
 * The commands by name, each in a module that is loaded when its command is run: one command line runs one
 * command, and what the others need (the laboratory, the inspector, the store itself) costs time at every
 * start. Owns their order in the help, for which all are loaded.
 */
import type { Command } from 'commander';
import type { Launch } from './context.js';

type AddCommand = (program: Command, launch: Launch) => Command;

const loaders: Readonly<Record<string, () => Promise<AddCommand>>> = {
  save: async () => (await import('./save-command.js')).addSaveCommand,
  set: async () => (await import('./set-command.js')).addSetCommand,
  get: async () => (await import('./get-command.js')).addGetCommand,
  status: async () => (await import('./status-command.js')).addStatusCommand,
  list: async () => (await import('./list-command.js')).addListCommand,
  recover: async () => (await import('./recover-command.js')).addRecoverCommand,
  verify: async () => (await import('./verify-command.js')).addVerifyCommand,
  history: async () => (await import('./history-command.js')).addHistoryCommand,
  show: async () => (await import('./show-command.js')).addShowCommand,
  diff: async () => (await import('./diff-command.js')).addDiffCommand,
  restore: async () => (await import('./restore-command.js')).addRestoreCommand,
  watch: async () => (await import('./watch-command.js')).addWatchCommand,
  'mark-healthy': async () => (await import('./health-commands.js')).addMarkHealthyCommand,
  reset: async () => (await import('./health-commands.js')).addResetCommand,
  wal: async () => (await import('./wal-command.js')).addWalCommand,
  audit: async () => (await import('./audit-command.js')).addAuditCommand,
  machines: async () => (await import('./machines-command.js')).addMachinesCommand,
  inspect: async () => (await import('./inspect-command.js')).addInspectCommand,
  doctor: async () => (await import('./doctor-command.js')).addDoctorCommand,
  explore: async () => (await import('./explore-command.js')).addExploreCommand,
  demo: async () => (await import('./demo-command.js')).addDemoCommand,
};

/** Loads the one command of this name; all of them where there is none, or none is given. */
export async function loadCommands(name?: string): Promise<readonly AddCommand[]> {
  const one = name === undefined || !Object.hasOwn(loaders, name) ? undefined : loaders[name];
  return await Promise.all(
    (one === undefined ? Object.values(loaders) : [one]).map((load) => load()),
  );
}

/** Options before a command's name that a value follows. */
const VALUE_OPTIONS = new Set(['--dir', '--file']);

/** The first argument that is no option, nor an option's value: what may be the name of a command. */
export function commandIn(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (VALUE_OPTIONS.has(arg)) index += 1;
    else if (!arg.startsWith('-') || arg === '-') return arg;
  }
  return undefined;
}
