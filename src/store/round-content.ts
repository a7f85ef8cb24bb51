/**
 * What a round publishes, as the port is told of it.
 */
import type { ArtifactRecord } from '../format/artifact-lines.js';
import type { RoundContent } from '../io/checkpoint-io.js';
import type { Draft } from './draft.js';
import type { Version } from './version.js';

/** A version's content; with what it replaces in what is published, where one edit has made it. */
export function contentOf(
  version: Version,
  published: Draft | undefined,
  artifacts?: readonly ArtifactRecord[],
): RoundContent {
  const of = published?.version;
  const splices = of === version ? [] : version.base === of ? version.byteSplices : undefined;
  return {
    get text() {
      return version.text;
    },
    version,
    ...(of && splices && { edit: { of, splices } }),
    ...(artifacts && { artifacts }),
  };
}
