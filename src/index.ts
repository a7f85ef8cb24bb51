/**
 * `checkpoint-wal`: crash-safe checkpoints for orchestrators. The public API, by name.
 */
export {
  CheckpointError,
  type CheckpointErrorCode,
  type CheckpointErrorDetails,
} from './errors.js';
export type { ArtifactRecord } from './format/artifact-lines.js';
export type {
  BadCheckpoint,
  CountedFailure,
  DetectorSettings,
  FailureSignal,
  HealthMemory,
  HealthPolicy,
  RestoreMode,
} from './format/health-format.js';
export type { YamlPath } from './format/yaml/yaml-path.js';
export type { YamlLimits } from './format/yaml/yaml-text.js';
export type { YamlMap, YamlValue } from './format/yaml/yaml-value.js';
export type { ArtifactProgress } from './io/artifacts.js';
export type {
  CheckpointContent,
  CheckpointHistory,
  CheckpointIo,
  CheckpointSelector,
  HistoryContent,
  HistoryEntry,
  IoFailure,
  IoOperations,
  OperationName,
  RoundContent,
} from './io/checkpoint-io.js';
export type { FileHandle, FileLock, FileStat, FileSystem, LockOwner } from './io/file-system.js';
export { createIoActor } from './io/io-actor.js';
export type {
  CheckpointIoLogic,
  CheckpointRequest,
  SaveRequestOptions,
} from './io/io-messages.js';
export { createNodeFileSystem } from './io/node-file-system.js';
export type {
  CheckpointTraces,
  RecoverTrace,
  RestoreTrace,
  SaveTrace,
  SyncTrace,
} from './io/node-tracing.js';
export type {
  CheckpointCommand,
  CheckpointEmitted,
  CheckpointInput,
  Durability,
} from './machines/checkpoint-messages.js';
export { failureDetectorMachine } from './machines/failure-detector-machine.js';
export { guardMachine } from './machines/guard-machine.js';
export type { HealthReport } from './machines/health-report.js';
export type { ExternalEditPolicy } from './machines/recovery-decision.js';
export { recoveryMachine } from './machines/recovery-machine.js';
export type { RecoveryDecision, RecoveryReport } from './machines/recovery-report.js';
export { writeMachine } from './machines/write-machine.js';
export type { ArtifactsOptions } from './store/artifact-source.js';
export type { CheckpointNotice } from './store/checkpoint-notices.js';
export { fileCheckpointIo } from './store/embedded-io.js';
export type { Latency } from './store/latency-histogram.js';
export type { RestoreCall, RestoreResult, RestoreTarget } from './store/restore.js';
export type { RestoreOptions } from './store/restore-options.js';
export { diffStates, type StateChange } from './store/state-diff.js';
export { storeMachine as checkpointMachine } from './store/store-machine.js';
export type {
  CheckOptions,
  CheckpointLogger,
  CheckpointStoreEvent,
  CheckpointStoreOptions,
  CheckResult,
  Frozen,
  SaveOptions,
  SaveResult,
} from './store/store-options.js';
export type { StoreStats } from './store/store-stats.js';
export type { Watch, WatchOptions } from './store/watch.js';
export { type CheckpointStore, openCheckpointStore } from './store.js';
