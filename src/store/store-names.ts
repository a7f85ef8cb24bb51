/**
 * Names of stores below one root: each is the name of a directory, so each is checked before it becomes
 * part of a path. The rules are in `docs/many-stores.md`.
 */
import { CheckpointError } from '../errors.js';
import { isWellFormed } from '../format/bytes.js';

/** Longest name, in bytes of UTF-8: file systems take 255, and temporary names need some. */
const NAME_BYTES_MAX = 200;

/** Why a text can't be the name of a store; `undefined` where it can. */
export function problemOfName(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.startsWith('.')) return 'it begins with a dot';
  if (/[/\\]/.test(name)) return 'it holds a separator of paths';
  if ([...name].some(isControl)) return 'it holds a control character';
  if (!isWellFormed(name)) return 'it holds half a surrogate pair';
  const { length } = new TextEncoder().encode(name);
  if (length > NAME_BYTES_MAX)
    return `it has ${length} bytes; at most ${NAME_BYTES_MAX} are allowed`;
  return undefined;
}

/** @throws TypeError for what is no text; CheckpointError `INVALID_NAME` */
export function checkStoreName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new TypeError('the name of a store is a string');
  const problem = problemOfName(name);
  if (problem === undefined) return;
  throw new CheckpointError(
    'INVALID_NAME',
    `${JSON.stringify(name)} can't be the name of a store: ${problem}. Use the name of one directory.`,
    { name },
  );
}

function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}
