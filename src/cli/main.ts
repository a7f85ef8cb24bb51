#!/usr/bin/env node
/**
 * The executable: joins the command line to this process's streams and signals, and nothing more. A
 * first SIGINT or SIGTERM finishes or abandons what is going on and closes the store; a second one
 * ends at once, which is safe too: that is what the log is for.
 */
import { InterruptedError } from './cli-error.js';
import { runCli } from './program.js';

const interruption = new AbortController();

function interrupt(signal: 'SIGINT' | 'SIGTERM'): void {
  const reason = new InterruptedError(signal);
  if (interruption.signal.aborted) process.exit(reason.exitCode);
  interruption.abort(reason);
}

process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

// The reader has gone (`… | head`): what was printed is enough, and what was done is done.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    // A full disk behind stdout: there is nobody to tell it to but the exit code.
    process.stderr.write(`error: what was printed could not be written (${error.code})\n`);
    process.exit(1);
  });
}

const exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: interruption.signal,
});
process.exitCode = exitCode;
