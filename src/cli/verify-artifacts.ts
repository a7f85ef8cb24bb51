/**
 * `verify --artifacts`: whether the files that belong to a checkpoint are as they were when it was saved.
 * Reads only; nothing outside of the artifacts' root.
 */
import { resolve } from 'node:path';
import type { ArtifactRecord } from '../format/artifact-lines.js';
import {
  type ArtifactCheck,
  type ArtifactProgress,
  type ArtifactState,
  verifyArtifacts,
} from '../io/artifacts.js';
import { createNodeFileSystem } from '../io/node-file-system.js';
import type { CliContext, Colors } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { count, printable } from './words.js';

/** The artifacts of one checkpoint, each compared with its record. */
export interface ArtifactReport {
  /** The checkpoint's file. */
  readonly file: string;
  readonly root: string;
  readonly intact: number;
  readonly checks: readonly ArtifactCheck[];
}

/** Where artifacts lie: as asked for, relative to the working directory, else in the store's directory. */
export function artifactsRoot(context: CliContext, asked: string | undefined): string {
  return asked === undefined ? context.directory : resolve(context.environment.cwd, asked);
}

/** A progress line about artifacts, and what keeps it up to date. */
export function artifactProgress(doing: string) {
  let now: ArtifactProgress | undefined;
  return {
    onProgress: (progress: ArtifactProgress) => {
      now = progress;
    },
    words: () => {
      if (now === undefined || now.totalBytes === 0) return doing;
      const percent = Math.floor((now.doneBytes / now.totalBytes) * 100);
      return `${doing}: ${percent} % of the artifacts read, at ${printable(now.path)}`;
    },
  };
}

/** Compares the artifacts of a checkpoint with its records. */
export async function checkArtifacts(
  { environment, progress }: CliContext,
  file: string,
  root: string,
  records: readonly ArtifactRecord[],
): Promise<ArtifactReport> {
  const { words, onProgress } = artifactProgress('verifying');
  const { signal } = environment;
  const checks = await progress.during(words, () =>
    verifyArtifacts(createNodeFileSystem(), root, records, { signal, onProgress }),
  );
  const intact = checks.filter(({ state }) => state === 'intact').length;
  return { file, root, intact, checks };
}

/** `findings` where an artifact is not what was recorded; it says nothing about the checkpoint itself. */
export function exitCodeOfArtifacts({ intact, checks }: ArtifactReport): ExitCode {
  return intact === checks.length ? EXIT.ok : EXIT.findings;
}

const COLORS = {
  intact: 'green',
  missing: 'red',
  changed: 'yellow',
  unreadable: 'red',
} as const satisfies Record<ArtifactState, keyof Colors>;

/** A line for each artifact that is not intact, and how many are. */
export function artifactText({ intact, checks }: ArtifactReport, colors: Colors): string {
  const bad = checks.filter(({ state }) => state !== 'intact');
  const lines = bad.map(({ state, path, reason = '' }) => {
    const what = printable(`artifact ${path}: ${reason}`);
    return `${colors[COLORS[state]](state.padEnd(11))} ${what}\n`;
  });
  return `${lines.join('')}${count(intact, 'artifact')} of ${checks.length} intact\n`;
}
