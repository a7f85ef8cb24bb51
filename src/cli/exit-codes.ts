/**
 * The exit codes of the command line: stable within a major version, documented in `docs/cli.md`.
 * Owns which error leads to which code.
 */
import type { CheckpointErrorCode } from '../errors.js';

/** Every exit code by name. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  /** It went well, and a person should know something: a recovery with loss or findings, an edited file. */
  findings: 3,
  corrupt: 4,
  noStore: 10,
  locked: 11,
  /** 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit codes in words, for `--help`. */
export const EXIT_CODE_HELP = `Exit codes:
  0    done
  1    error: nothing was saved, or not found
  2    usage: the command line was not understood
  3    done, with findings: recovered with loss or with something to know, edited file
  4    corrupt: a checkpoint or a log does not verify
  10   no store there
  11   locked: another process has the store open
  130  interrupted (143 by SIGTERM)`;

/** The exit code that an error of this package leads to. */
export function exitCodeOf(code: CheckpointErrorCode): ExitCode {
  switch (code) {
    case 'NO_STORE':
      return EXIT.noStore;
    case 'LOCKED':
      return EXIT.locked;
    case 'REFUSED':
    case 'ENTRY_DAMAGED':
      return EXIT.corrupt;
    // What was typed can't be meant: neither the input nor the store has anything to do with it.
    case 'INVALID_PATH':
    case 'PATH_OUTSIDE_STORE':
      return EXIT.usage;
    default:
      return EXIT.error;
  }
}

/** The graver of two outcomes of one command: corrupt before error before findings before ok. */
export function graver(left: ExitCode, right: ExitCode): ExitCode {
  const order: readonly ExitCode[] = [EXIT.ok, EXIT.findings, EXIT.error, EXIT.corrupt];
  return order.indexOf(left) >= order.indexOf(right) ? left : right;
}
