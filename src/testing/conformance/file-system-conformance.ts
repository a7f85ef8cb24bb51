/**
 * What every `FileSystem` must do, as data that any test framework can run. Nothing relies on a
 * permission being denied, because tests may run as root. `docs/testing.md` shows how to use it.
 */
import { directoryCases } from './directory-cases.js';
import { fileCases } from './file-cases.js';
import type { FileSystemCase, FileSystemSubject } from './file-system-conformance-case.js';
import { handleCases } from './handle-cases.js';
import { linkCases } from './link-cases.js';
import { lockCases } from './lock-cases.js';
import { nameCases } from './name-cases.js';
import { syncCases } from './sync-cases.js';

/** One case of a suite: `run` gets a factory, makes itself a fresh subject, and throws if it fails. */
export interface ConformanceCase<Subject> {
  /** What it is about, to gather cases by. */
  readonly group: string;
  /** The behaviour that it asks for, as a sentence. */
  readonly title: string;
  /** Runs the case on a subject of its own; rejects with an {@link AssertionFailure} if it does not hold. */
  run(create: () => Subject | Promise<Subject>): Promise<void>;
}

const cases: readonly FileSystemCase[] = [
  ...fileCases,
  ...handleCases,
  ...nameCases,
  ...directoryCases,
  ...linkCases,
  ...syncCases,
  ...lockCases,
];

/** The suite. Run each case on a file system of its own: `await run(() => subject)`. */
export const fileSystemConformance: readonly ConformanceCase<FileSystemSubject>[] = cases.map(
  ({ group, title, run }) => ({
    group,
    title,
    async run(create) {
      const subject = await create();
      const { fs, root } = subject;
      try {
        await run({
          fs,
          root,
          symlink: (target, path) => subject.symlink(target, path),
          at: (path) => `${root}/${path}`,
        });
      } finally {
        subject.dispose();
      }
    },
  }),
);
