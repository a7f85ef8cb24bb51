/**
 * An audit as a run for the inspector: its entries, what verifying them comes to, and the checkpoints that
 * are still on disk. A broken line is part of the verdict; the entries around it are shown.
 */
import { type AuditVerdict, AuditVerifier, type BrokenLink } from '../audit/audit-verifier.js';
import type { AuditEntry } from '../format/audit-entry.js';
import { sha256Hex } from '../format/bytes.js';
import { readDrawings } from '../inspector/node-drawings.js';
import type { ChainVerdict, CheckpointView, RunModel } from '../inspector/run-model.js';
import type { AuditSource } from './audit-files.js';
import { readWithProgress } from './audit-log.js';
import type { CliContext } from './context.js';
import { accessHistory } from './history-access.js';
import { grouped } from './words.js';

/** More are not shown: the newest are. */
export const SHOWN_ENTRIES_MAX = 200_000;

/** All texts together, newest first. */
const TEXTS_MAX = 16 * 1024 * 1024;
const CHECKPOINTS_MAX = 500;

/** What to read. */
export interface AuditRunOptions {
  readonly title: string;
  readonly source: 'live' | 'audit';
  /** Whether checkpoints are read from the store's directory, and whether their texts are shown. */
  readonly checkpoints: 'none' | 'facts' | 'texts';
}

/** A run that was read, and what goes on verifying what comes. */
export interface AuditRun {
  readonly model: RunModel;
  readonly verifier: AuditVerifier;
}

/** Reads an audit. */
export async function readAuditRun(
  context: CliContext,
  sources: readonly AuditSource[],
  { title, source, checkpoints }: AuditRunOptions,
): Promise<AuditRun> {
  const verifier = new AuditVerifier();
  let entries: AuditEntry[] = [];
  let left = 0;
  for await (const lines of readWithProgress(context, sources)) {
    for (const { text, file, line, ended, isLastFile } of lines) {
      if (!ended) verifier.takeUnended(text, file, line, isLastFile);
      const entry = ended ? verifier.take(text, file, line) : undefined;
      if (entry !== undefined) entries.push(entry);
    }
    if (entries.length > SHOWN_ENTRIES_MAX * 1.5) {
      left += entries.length - SHOWN_ENTRIES_MAX;
      entries = entries.slice(-SHOWN_ENTRIES_MAX);
    }
  }
  left += Math.max(0, entries.length - SHOWN_ENTRIES_MAX);
  const model: RunModel = {
    version: 1,
    title,
    source,
    machines: readDrawings(),
    entries: entries.slice(-SHOWN_ENTRIES_MAX),
    chain: chainOf(verifier.finish(), left),
    checkpoints: checkpoints === 'none' ? [] : await readCheckpoints(context, checkpoints),
  };
  return { model, verifier };
}

/** What verifying a run that goes on has come to by now. */
export function chainNow({ broken, entries }: AuditVerifier): ChainVerdict {
  const message = `${grouped(entries)} entries so far, each tied to the one before`;
  return broken === undefined
    ? { intact: true, message }
    : { intact: false, message: brokenText(broken) };
}

function brokenText({ file, line, message }: BrokenLink): string {
  return `${line === undefined ? '' : `${file}:${line}: `}${message}.`;
}

function chainOf({ broken, entries, head, notes }: AuditVerdict, left: number): ChainVerdict {
  const shown = left === 0 ? '' : ` The newest ${grouped(SHOWN_ENTRIES_MAX)} are shown.`;
  if (broken !== undefined) {
    return { intact: false, message: `${brokenText(broken)}${shown}` };
  }
  const count = `${grouped(entries)} entries, each tied to the one before`;
  const noted = notes.map((note) => ` ${note}.`).join('');
  return {
    intact: true,
    message: `${count}; head ${head.number}:${head.hash.slice(0, 12)}….${noted}${shown}`,
  };
}

/** What the store still has. Somebody may be saving meanwhile: what is gone is left out. */
async function readCheckpoints(
  context: CliContext,
  what: 'facts' | 'texts',
): Promise<CheckpointView[]> {
  let access: Awaited<ReturnType<typeof accessHistory>>;
  try {
    access = await accessHistory(context);
  } catch {
    return [];
  }
  const views: CheckpointView[] = [];
  let bytesLeft = what === 'texts' ? TEXTS_MAX : 0;
  for (const entry of access.list(CHECKPOINTS_MAX).reverse()) {
    try {
      const { text } = access.read(entry);
      const bytes = new TextEncoder().encode(text);
      bytesLeft -= bytes.length;
      views.push({
        sequence: entry.sequence,
        size: bytes.length,
        sha256: sha256Hex(bytes),
        ...(entry.label !== undefined && { label: entry.label }),
        ...(bytesLeft >= 0 && { text }),
      });
    } catch {
      // Damaged, or pruned since it was listed.
    }
  }
  return views.reverse();
}

/** The checkpoint that is current now, if it is another than `known`. */
export async function newCheckpoints(
  context: CliContext,
  what: 'facts' | 'texts',
  known: ReadonlySet<number>,
): Promise<CheckpointView[]> {
  const views = await readCheckpoints(context, what);
  return views.filter(({ sequence }) => !known.has(sequence));
}
