/**
 * `audit`: reads the record of a store's transitions. Its commands are in files of their own; none of
 * them takes the lock or changes anything. Documented in `docs/cli.md`.
 */
import type { Command } from 'commander';
import { addAuditExport, addAuditHead } from './audit-export.js';
import { addAuditLog, addAuditTail } from './audit-log.js';
import { addAuditVerify } from './audit-verify.js';
import type { Launch } from './context.js';

const EXAMPLES = `
Examples:
  checkpoint-wal audit log --machine recovery
  checkpoint-wal audit verify
  checkpoint-wal audit head --out audit-head.json`;

/** Adds the command and those below it. */
export function addAuditCommand(program: Command, launch: Launch): Command {
  const audit = program
    .command('audit')
    .summary('read, verify and export the record of all transitions')
    .description(
      'The record of every transition of a store, audit.jsonl: each entry is tied to the one before it by ' +
        'SHA-256. Reads only, also while a store is open.',
    )
    .addHelpText('after', EXAMPLES);
  addAuditLog(audit, launch);
  addAuditVerify(audit, launch);
  addAuditExport(audit, launch);
  addAuditHead(audit, launch);
  addAuditTail(audit, launch);
  return audit;
}
