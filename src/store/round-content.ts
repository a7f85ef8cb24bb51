/**
 * What a round publishes, as the port is told of it.
 */
import type { ArtifactRecord } from '../format/artifact-lines.js';
import type { Splice as ByteSplice } from '../format/image-splice.js';
import type { RoundContent } from '../io/checkpoint-io.js';
import type { Draft } from './draft.js';
import { byteSplicesOf, type Version } from './version.js';

/** A version's content; with what it replaces in what is published, where one edit has made it. */
export function contentOf(
  version: Version,
  published: Draft | undefined,
  artifacts?: readonly ArtifactRecord[],
): RoundContent {
  const edit = editOf(version, published?.version);
  return {
    get text() {
      return version.text;
    },
    version,
    ...(edit && { edit }),
    ...(artifacts && { artifacts }),
  };
}

/** Offsets are counted in bytes when somebody asks: only a log of several saves does. */
function editOf(version: Version, of: Version | undefined): RoundContent['edit'] {
  if (of === undefined) return undefined;
  const splices = of === version ? [] : version.base === of ? version.splices : undefined;
  if (splices === undefined) return undefined;
  let inBytes: readonly ByteSplice[] | undefined;
  return {
    of,
    get splices() {
      inBytes ??= byteSplicesOf(of, splices);
      return inBytes;
    },
  };
}
