/**
 * A port whose program is killed, or whose storage fails, at one operation. What is killed neither
 * performs nor answers any more, as a program that is gone.
 */
import { CheckpointError, type CheckpointErrorCode } from '../../errors.js';
import type { CheckpointIo } from '../../io/checkpoint-io.js';
import { isPromiseLike } from '../../io/run.js';

/** Where the program ends: before the operation is performed, or after it and before its answer. */
export type CutMoment = 'before' | 'after';

type Perform = (input: unknown) => unknown;

/** A port that is cut off at an operation. */
export interface CutIo {
  readonly io: CheckpointIo;
  /** Resolves when the cut is reached; never, if there are fewer operations. */
  readonly reached: Promise<'killed'>;
}

/** Kills the program at the operation with number `index`, counted from 0 since the port was made. */
export function cutIo(inner: CheckpointIo, index: number, moment: CutMoment): CutIo {
  let reach: (killed: 'killed') => void = () => {};
  const reached = new Promise<'killed'>((resolve) => {
    reach = resolve;
  });
  const silence = new Promise<never>(() => {});
  let count = 0;
  const io = wrap(inner, (perform, input) => {
    const here = count++;
    if (here < index) return perform(input);
    if (here === index && moment === 'after') {
      const done = () => reach('killed');
      const output = perform(input);
      if (isPromiseLike(output)) output.then(done, done);
      else done();
    } else {
      reach('killed');
    }
    return silence;
  });
  return { io, reached };
}

/** Fails the operation with number `index`, once and without performing it. */
export function failingIo(
  inner: CheckpointIo,
  index: number,
  code: CheckpointErrorCode,
): { readonly io: CheckpointIo; readonly failed: () => string | undefined } {
  let count = 0;
  let failed: string | undefined;
  const io = wrap(inner, (perform, input, name) => {
    if (count++ !== index) return perform(input);
    failed = name;
    throw new CheckpointError(code, `${name} was made to fail`);
  });
  return { io, failed: () => failed };
}

function wrap(
  inner: CheckpointIo,
  around: (perform: Perform, input: unknown, name: string) => unknown,
): CheckpointIo {
  const wrapped = Object.entries(inner).map(([name, perform]) => [
    name,
    (input: unknown) => around(perform as Perform, input, name),
  ]);
  return Object.fromEntries(wrapped) as CheckpointIo;
}
