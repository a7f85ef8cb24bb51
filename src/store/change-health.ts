/**
 * Saying that a store is healthy, or that everything is forgotten, without opening it: that also works
 * where opening is refused. Takes the lock for as long as it takes.
 */
import type { HealthMemory } from '../format/health-format.js';
import { DEFAULT_LIMITS } from '../format/yaml/yaml-text.js';
import { createFileCheckpointIo } from '../io/file-checkpoint-io.js';
import type { FileSystem } from '../io/file-system.js';
import { createNodeFileSystem } from '../io/node-file-system.js';
import { absolute, DEFAULT_FILE } from '../io/store-paths.js';
import { changedBy, HEALTHY, isWorthKeeping } from '../machines/failure-memory.js';
import { CheckpointDocument } from './document.js';

/** Which store. */
export interface ChangeHealthOptions {
  readonly directory: string;
  readonly file?: string | undefined;
  readonly fileSystem?: FileSystem | undefined;
}

/** What was remembered, and what is now. */
export interface ChangedHealth {
  readonly before: HealthMemory;
  readonly after: HealthMemory;
}

/**
 * Changes what the failure detector remembers, durably. `healthy` forgets failures, restores and that
 * the detector had stopped; `reset` forgets the bad checkpoints as well. Nothing else is touched.
 * @throws CheckpointError `LOCKED` while the store is open: call `markHealthy()` there; the code of an
 * I/O error
 */
export async function changeHealth(
  options: ChangeHealthOptions,
  kind: 'healthy' | 'reset',
): Promise<ChangedHealth> {
  const io = createFileCheckpointIo({
    fs: options.fileSystem ?? createNodeFileSystem(),
    directory: absolute(options.directory, () => process.cwd()),
    file: options.file ?? DEFAULT_FILE,
    content: new CheckpointDocument({ limits: {} }),
    now: () => Date.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    maxCheckpoints: Number.POSITIVE_INFINITY,
    maxAgeMs: Number.POSITIVE_INFINITY,
    maxBytes: DEFAULT_LIMITS.maxBytes,
    artifactRoot: '/',
    externalEdits: 'adopt',
    validateSealed: false,
  });
  await io.acquireLock(undefined);
  try {
    // Only to know which text is current; it is judged by nobody here.
    await io.checkCheckpoint(undefined);
    const { memory: before = HEALTHY, ...at } = await io.readHealth(undefined);
    // The lock is ours: a run that is still noted is not under way.
    const after = changedBy(changedBy(before, { kind }, at), { kind: 'closed' }, at);
    await io.writeHealth({ memory: isWorthKeeping(after) ? after : undefined });
    return { before, after };
  } finally {
    await io.releaseLock(undefined);
  }
}
