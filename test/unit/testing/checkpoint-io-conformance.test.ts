/**
 * The port's conformance suite on this package's own port, on files in memory.
 */
import { describe, it } from 'vitest';
import { createFileCheckpointIo } from '../../../src/io/file-checkpoint-io.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import {
  checkpointIoConformance,
  checkpointIoEditConformance,
  type EditableCheckpointIoSubject,
} from '../../../src/testing/conformance/checkpoint-io-conformance.js';

const FILE = '/store/ORCHESTRATION.yaml';

function onMemory(): EditableCheckpointIoSubject {
  let fs = new MemoryFileSystem();
  return {
    open: (content) =>
      createFileCheckpointIo({
        fs,
        directory: '/store',
        file: 'ORCHESTRATION.yaml',
        content,
        now: () => Date.now(),
        random: (length) => crypto.getRandomValues(new Uint8Array(length)),
        maxCheckpoints: 100,
        maxAgeMs: Number.POSITIVE_INFINITY,
        maxBytes: 1 << 24,
        externalEdits: 'adopt',
        artifactRoot: '/',
        validateSealed: false,
      }),
    kill: () => {
      fs = fs.clone();
    },
    edit: (text) => {
      const file = fs.open(FILE, 'readWrite');
      file.truncate(0);
      file.write(new TextEncoder().encode(text), 0);
      file.close();
    },
    dispose: () => {},
  };
}

describe('the port on files', () => {
  it.each([...checkpointIoConformance])('$group: $title', ({ run }) => run(onMemory));
  it.each([...checkpointIoEditConformance])('$group: $title', ({ run }) => run(onMemory));
});
