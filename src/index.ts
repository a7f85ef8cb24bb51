/**
 * `checkpoint-wal`: crash-safe checkpoints for orchestrators. The public API, by name.
 *
 * @module checkpoint-wal
 */
export {
  createDurableActor,
  type DurableActor,
  type DurableActorOptions,
  type DurableActorSettings,
  type DurableStore,
  type SavedSnapshot,
} from './durable/durable-actor.js';
export { idempotencyKey } from './durable/durable-run.js';
export {
  CheckpointError,
  type CheckpointErrorCode,
  type CheckpointErrorDetails,
  type Problem,
} from './errors.js';
export type { ArtifactRecord } from './format/artifact-lines.js';
export type { AuditDetails, AuditEntry, AuditHead, AuditValue } from './format/audit-entry.js';
export type {
  BadCheckpoint,
  CountedFailure,
  DetectorSettings,
  FailureSignal,
  HealthMemory,
  HealthPolicy,
  RestoreMode,
} from './format/health-format.js';
export type { Splice } from './format/image-splice.js';
export type { YamlPath } from './format/yaml/yaml-path.js';
export type { YamlLimits } from './format/yaml/yaml-text.js';
export type { YamlMap, YamlValue } from './format/yaml/yaml-value.js';
export type { ArtifactCheck, ArtifactProgress, ArtifactState } from './io/artifacts.js';
export type {
  CheckpointCondition,
  CheckpointContent,
  CheckpointEvidence,
  CheckpointHistory,
  CheckpointIo,
  CheckpointRelation,
  CheckpointSelector,
  CurrentContent,
  FailureKind,
  HealthEvidence,
  HistoryContent,
  HistoryEntry,
  HistoryEvidence,
  HistorySearch,
  IoFailure,
  IoOperations,
  KeptFile,
  Observation,
  OperationName,
  RoundContent,
  SaveSource,
  WalEvidence,
  WalVerdict,
} from './io/checkpoint-io.js';
export type {
  FileHandle,
  FileLock,
  FileStat,
  FileSystem,
  LockOwner,
  LockResult,
  MaybePromise,
  OpenMode,
} from './io/file-system.js';
export { createIoActor } from './io/io-actor.js';
export type {
  CheckpointIoLogic,
  CheckpointRequest,
  IoBehaviour,
  IoEvent,
  IoInput,
  IoPolicies,
  IoRequest,
  IoSnapshot,
  RequestAddress,
  SaveRequestOptions,
  UpdateRecipe,
} from './io/io-messages.js';
export {
  createNodeFileSystem,
  type NodeFileSystemOptions,
  type SyncMode,
} from './io/node-file-system.js';
export type {
  CheckpointTraces,
  RecoverTrace,
  RestoreTrace,
  SaveTrace,
  SyncTrace,
} from './io/node-tracing.js';
export type { SyncKind } from './io/sync-watching-file-system.js';
export type {
  CheckpointCommand,
  CheckpointEmitted,
  CheckpointInput,
  CheckRequest,
  Durability,
  FlushRequest,
  RestoreRequest,
  SaveRequest,
} from './machines/checkpoint-messages.js';
export { failureDetectorMachine } from './machines/failure-detector-machine.js';
export type { HealthChange } from './machines/failure-memory.js';
export { guardMachine } from './machines/guard-machine.js';
export type { HealthReport } from './machines/health-report.js';
export type { PublishPolicy } from './machines/publish-policy.js';
export type { ExternalEditPolicy } from './machines/recovery-decision.js';
export { recoveryMachine } from './machines/recovery-machine.js';
export type { RecoveryDecision, RecoveryReport } from './machines/recovery-report.js';
export { writeMachine } from './machines/write-machine.js';
export type { ArtifactsOptions } from './store/artifact-source.js';
export type { AuditOptions, AuditStatus, AuditSync } from './store/audit-trail.js';
export type {
  AnswerAddress,
  CheckpointNotice,
  EditedOutside,
} from './store/checkpoint-notices.js';
export {
  type CheckpointStores,
  type CheckpointStoresOptions,
  type CheckpointStoresStats,
  type OpenStoreOptions,
  type OptionsOfOneStore,
  openCheckpointStores,
  type StoreLease,
} from './store/checkpoint-stores.js';
export { fileCheckpointIo } from './store/embedded-io.js';
export type { Latency } from './store/latency-histogram.js';
export {
  type ListStoresOptions,
  listCheckpointStores,
  type StoreSummary,
} from './store/list-stores.js';
export type { PublishOptions } from './store/publish-options.js';
export type { RestoreCall, RestoreResult, RestoreTarget } from './store/restore.js';
export type { RestoreOptions } from './store/restore-options.js';
export { diffStates, type Relocated, type StateChange } from './store/state-diff.js';
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
  StoreClock,
} from './store/store-options.js';
export type { StoreStats } from './store/store-stats.js';
export type { Watch, WatchOptions } from './store/watch.js';
export { type CheckpointStore, openCheckpointStore } from './store.js';
