/**
 * `checkpoint-wal`: crash-safe checkpoints for orchestrators. The public API, by name.
 */
export {
  CheckpointError,
  type CheckpointErrorCode,
  type CheckpointErrorDetails,
} from './errors.js';
export type { ArtifactRecord } from './format/artifact-lines.js';
export type { YamlPath } from './format/yaml/yaml-path.js';
export type { YamlLimits } from './format/yaml/yaml-text.js';
export type { YamlMap, YamlValue } from './format/yaml/yaml-value.js';
export type { ArtifactProgress } from './io/artifacts.js';
export type {
  CheckpointContent,
  CheckpointHistory,
  CheckpointIo,
  HistoryContent,
  HistoryEntry,
  IoFailure,
  IoOperations,
  OperationName,
  RoundContent,
} from './io/checkpoint-io.js';
export type { FileHandle, FileLock, FileStat, FileSystem, LockOwner } from './io/file-system.js';
export { createIoActor } from './io/io-actor.js';
export { createNodeFileSystem } from './io/node-file-system.js';
export {
  type CheckpointCommand,
  type CheckpointEmitted,
  type CheckpointInput,
  checkpointMachine,
  type Durability,
} from './machines/checkpoint-machine.js';
export type { ExternalEditPolicy } from './machines/recovery-decision.js';
export { recoveryMachine } from './machines/recovery-machine.js';
export type { RecoveryDecision, RecoveryReport } from './machines/recovery-report.js';
export { writeMachine } from './machines/write-machine.js';
export type { ArtifactsOptions } from './store/artifact-source.js';
export type {
  CheckpointLogger,
  CheckpointStoreEvent,
  CheckpointStoreOptions,
  Frozen,
  SaveOptions,
  SaveResult,
} from './store/store-options.js';
export { type CheckpointStore, openCheckpointStore } from './store.js';
