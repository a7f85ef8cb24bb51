/**
 * Errors about a text: where they are, in words and in numbers. Every refusal to read a YAML text
 * is made here, so that all of them name the line and the column.
 */
import { CheckpointError, type CheckpointErrorCode } from '../../errors.js';

/** Makes a coded error for a place in a text. */
export type ProblemAt = (
  code: CheckpointErrorCode,
  offset: number,
  what: string,
) => CheckpointError;

/** How errors about one text are made. `file` is only named, never opened. */
export function problemsIn(text: string, file: string | undefined): ProblemAt {
  return (code, offset, what) => {
    const { line, column } = positionOf(text, offset);
    const where = `${file ?? 'the YAML text'}, line ${line}, column ${column}`;
    const details = { line, column, ...(file === undefined ? {} : { file }) };
    return new CheckpointError(code, `${where}: ${what}`, details);
  };
}

/** 1-based line and column of an offset, in UTF-16 code units. Linear; for errors only. */
export function positionOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: Math.max(1, Math.min(offset, text.length) - start + 1) };
}
