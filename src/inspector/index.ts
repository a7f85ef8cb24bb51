/**
 * `checkpoint-wal/inspector`: the local inspector for a program's own live store, and a run as one file.
 *
 * @module checkpoint-wal/inspector
 */
export {
  type AttachedInspector,
  type AttachOptions,
  attachInspector,
  type InspectedStore,
} from './attach-inspector.js';
export { htmlOfRun } from './node-page.js';
export type {
  ChainVerdict,
  CheckpointView,
  CrashView,
  DiskFile,
  DiskFrame,
  FileView,
  MachineDrawing,
  RunModel,
} from './run-model.js';
