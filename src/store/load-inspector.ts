/**
 * The local inspector of a store that was opened with `inspector: true`. Loaded only then: it is the one
 * thing above the store that the store knows of.
 */
import type {
  AttachedInspector,
  AttachOptions,
  InspectedStore,
} from '../inspector/attach-inspector.js';
import type { CheckpointStoreOptions } from './store-options.js';

/** Attaches it, if it is wanted; says where on the logger. */
export async function loadInspector(
  store: InspectedStore,
  { inspector = false, audit, directory, logger }: CheckpointStoreOptions,
): Promise<AttachedInspector | undefined> {
  if (inspector === false) return undefined;
  if (inspector !== true && (typeof inspector !== 'object' || inspector === null)) {
    throw new TypeError('inspector is true, false, or an object of settings');
  }
  if (audit === false) throw new TypeError('the inspector shows the audit: leave out audit: false');
  const options: AttachOptions = { title: directory, ...(inspector !== true && inspector) };
  const { attachInspector } = await import('../inspector/attach-inspector.js');
  const attached = await attachInspector(store, options);
  logger?.info({ url: attached.url }, 'the inspector is listening');
  return attached;
}
