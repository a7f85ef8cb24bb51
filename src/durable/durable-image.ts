/**
 * What a checkpoint holds of a durable actor, as a mapping: which machine, in which version, how many
 * transitions, and its persisted snapshot. The format is described in `docs/durable-actors.md`.
 */
import type { Snapshot } from 'xstate';
import { CheckpointError } from '../errors.js';
import { formatPath, type YamlPath } from '../format/yaml/yaml-path.js';
import { isMap, type YamlMap, type YamlValue } from '../format/yaml/yaml-value.js';
import { encodeSnapshot, type MentionOf } from './snapshot-codec.js';

/** The only version there is of this format. */
const FORMAT = 1;

/** See the head of this file. */
export interface DurableImage {
  readonly machine: string;
  /** Of the machine, as the user counts. */
  readonly version: string | number | undefined;
  /** Names this life of the actor in idempotency keys. */
  readonly run: string;
  readonly transitions: number;
  /** In plain form; see `decodeSnapshot`. */
  readonly snapshot: YamlMap;
}

/** The mapping that is saved. */
export function toMapping(
  { machine, version, run, transitions }: Omit<DurableImage, 'snapshot'>,
  snapshot: Snapshot<unknown>,
  mentionOf: MentionOf,
): YamlMap {
  return {
    durable: FORMAT,
    machine,
    ...(version !== undefined && { version }),
    run,
    transitions,
    snapshot: encodeSnapshot(snapshot, mentionOf),
  };
}

/**
 * Reads such a mapping.
 * @throws CheckpointError `SNAPSHOT_INVALID` where something else is there, `UNSUPPORTED_VERSION` where a
 * newer version of this package wrote it
 */
export function fromMapping(value: YamlValue, path: YamlPath): DurableImage {
  const at = path.length === 0 ? 'The state' : `The state at ${formatPath(path)}`;
  if (!isMap(value) || value.durable === undefined || !isMap(value.snapshot)) {
    throw new CheckpointError(
      'SNAPSHOT_INVALID',
      `${at} is not that of a durable actor. Give it a place of its own by the option path, or another store.`,
      { path: formatPath(path) },
    );
  }
  const { durable, machine, version, run, transitions, snapshot } = value;
  if (durable !== FORMAT) {
    throw new CheckpointError(
      'UNSUPPORTED_VERSION',
      `${at} was saved in version ${String(durable)} of the format of durable actors; this package reads version ${FORMAT}.`,
      { path: formatPath(path) },
    );
  }
  if (
    typeof machine !== 'string' ||
    typeof run !== 'string' ||
    !Number.isSafeInteger(transitions)
  ) {
    throw new CheckpointError(
      'SNAPSHOT_INVALID',
      `${at} is damaged: machine, run and transitions must be there. An earlier checkpoint can be restored.`,
      { path: formatPath(path) },
    );
  }
  return {
    machine,
    version: typeof version === 'string' || typeof version === 'number' ? version : undefined,
    run,
    transitions: transitions as number,
    snapshot: snapshot as YamlMap,
  };
}
