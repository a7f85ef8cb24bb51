/**
 * The crash lab, for other people's code as well as for this package's: entry `checkpoint-wal/testing`.
 * `docs/testing.md` begins with a first scenario.
 *
 * @module checkpoint-wal/testing
 */
export {
  type ChosenImage,
  type CrashImage,
  type CrashImageOptions,
  type CrashImages,
  crashImages,
  mount,
} from '../io/crash-images.js';
export type { DiskState, InodeFacts, PendingOperation } from '../io/disk-state.js';
export { faultFromJson, ruleFromJson } from '../io/fault-json.js';
export {
  atMost,
  atRandom,
  type Decide,
  eachPath,
  type FaultLike,
  type FaultOperation,
  type FaultRule,
  failEvery,
  failNth,
  firstOf,
  type Match,
  type MatchData,
  onPath,
  type PathData,
  type RuleData,
  since,
  until,
} from '../io/fault-rules.js';
export {
  delay,
  describeFault,
  doneThenFail,
  dropPages,
  type Fault,
  type FaultCode,
  fail,
  faultCodes,
  flipBit,
  lie,
  loseLock,
  misdirect,
  type ShortAmount,
  short,
} from '../io/faults.js';
export {
  FaultyFileSystem,
  type FaultyOptions,
  type ForgetfulDisk,
  type InjectedFault,
  type Schedule,
} from '../io/faulty-file-system.js';
export {
  MemoryFileSystem,
  type MemoryFileSystemOptions,
  type SnapshotAttributes,
  type SnapshotEntry,
} from '../io/memory-file-system.js';
export type { Attributes as InodeAttributes } from '../io/memory-inodes.js';
export {
  type OperationName,
  type RecordedOperation,
  RecordingFileSystem,
  type RecordingHooks,
} from '../io/recording-file-system.js';
export {
  type DiskMoment,
  describeState,
  type PersistenceModel,
  SimulatedDisk,
  type SimulatedDiskOptions,
} from '../io/simulated-disk.js';
export { type CaseFile, type CaseInode, fromData, parseCaseFile, toCaseFile } from './case-file.js';
export type { CheckName, MetInRecovery, Outcome, RecoveredStore } from './check-recovery.js';
export { AssertionFailure } from './conformance/assert.js';
export {
  type CheckpointIoSubject,
  checkpointIoConformance,
  checkpointIoEditConformance,
  type EditableCheckpointIoSubject,
} from './conformance/checkpoint-io-conformance.js';
export {
  type ConformanceCase,
  fileSystemConformance,
} from './conformance/file-system-conformance.js';
export type { FileSystemSubject } from './conformance/file-system-conformance-case.js';
export { Coverage, type CoverageRow } from './coverage.js';
export {
  type DetectorFound,
  type DetectorPromise,
  type DetectorScenario,
  type DetectorStep,
  detectorProgram,
} from './detector-lab.js';
export { detectorPlans } from './detector-plans.js';
export { diskFaults, drawDiskFaults } from './disk-faults.js';
export { drawScenario } from './draw-scenario.js';
export {
  type BegunEffect,
  type DurableFailure,
  type DurableLabOptions,
  type DurableReport,
  type DurableSubject,
  type DurableWorld,
  exploreDurableActor,
} from './durable-lab.js';
export type { Allowed } from './expectation.js';
export { explore, type StoreExploreOptions, type StoreSettings, storeProgram } from './explore.js';
export {
  type ExploreOptions,
  exploreProgram,
  type FirstCrash,
  type Probe,
  type Program,
  type Recovered,
} from './explore-program.js';
export type {
  ExploreCounts,
  ExploreReport,
  Failure,
  FoundFailure,
  TrailStep,
} from './explore-report.js';
export { drawPlans, type FailurePlan, failurePlans } from './failure-plans.js';
export { type PortFault, recoveryFaults, runFaults } from './faulty-io.js';
export { type LabOptions, type LabProgress, type LabReport, runLab } from './lab.js';
export { NodeFsTracer, type TraceMarks, type TraceOptions } from './node-fs-tracer.js';
export { type ReplayedCase, replayCase } from './replay-case.js';
export type {
  Asking,
  SaveStep,
  Scenario,
  ScenarioFaults,
  ScenarioStep,
  TogetherStep,
} from './scenario.js';
export { labScenarios } from './scenarios.js';
export type { SealPromise } from './seal-promises.js';
export { slowSyncs } from './slow-syncs.js';
export type { TracedFiles, WriterOperation, WriterTrace } from './traced-writer.js';
export {
  describeVerdict,
  exploreWriter,
  type FoundContent,
  type WriterCrash,
  type WriterLabOptions,
  type WriterLoss,
  type WriterReport,
  type WriterVerdict,
} from './writer-lab.js';
