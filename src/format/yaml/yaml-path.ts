/**
 * Paths into a state, as text: a path is a list of map keys and list indexes, written dotted and
 * bracketed, `phases[0].status`. Following one is `path-access.ts`'s.
 */
import { CheckpointError } from '../../errors.js';

/** Steps from the root: a string is a map's key, a number a list's index. The root is the empty path. */
export type YamlPath = readonly (string | number)[];

const BARE_KEY = /^[A-Za-z_$][\w$-]*$/;

/**
 * Reads a path: keys separated by dots, indexes in brackets, and any key in brackets and quotes
 * (`a["b.c"]`, `a['x']`; double quotes read JSON escapes, in single quotes `''` is a quote).
 * The empty text is the root. A number after a dot is a key; `getAt` and `setAt` let it
 * stand for an index where it meets a list.
 *
 * @throws CheckpointError `INVALID_PATH` with the 1-based `column` of what can't be read.
 */
export function parsePath(text: string): YamlPath {
  const steps: (string | number)[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '[') {
      const step = readBracket(text, at);
      steps.push(step.value);
      at = step.end;
      continue;
    }
    if (text[at] === '.') {
      if (at === 0) throw invalidPath(text, at, 'a path does not start with a dot');
      at += 1;
    } else if (at > 0) {
      throw invalidPath(text, at, 'after a closing bracket comes a dot or a bracket');
    }
    const end = endOfKey(text, at);
    if (end === at) throw invalidPath(text, at, 'a key is missing here (quote an empty key: [""])');
    steps.push(text.slice(at, end));
    at = end;
  }
  return steps;
}

function endOfKey(text: string, from: number): number {
  let end = from;
  while (end < text.length && text[end] !== '.' && text[end] !== '[') {
    if (text[end] === ']') throw invalidPath(text, end, 'this bracket was never opened');
    end += 1;
  }
  return end;
}

function readBracket(text: string, at: number): { value: string | number; end: number } {
  const quoted = /^\[(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\]/s.exec(text.slice(at));
  if (quoted) {
    const inner = quoted[0].slice(1, -1);
    return { value: readQuoted(text, at + 1, inner), end: at + quoted[0].length };
  }
  const close = text.indexOf(']', at);
  if (close === -1) throw invalidPath(text, at, 'this bracket is never closed');
  const inner = text.slice(at + 1, close);
  const index = /^(?:0|[1-9]\d*)$/.test(inner) ? Number(inner) : Number.NaN;
  if (!Number.isSafeInteger(index)) {
    throw invalidPath(text, at + 1, 'brackets hold an index from 0 or a key in quotes');
  }
  return { value: index, end: close + 1 };
}

function readQuoted(text: string, at: number, quoted: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1).replaceAll("''", "'");
  try {
    return JSON.parse(quoted) as string;
  } catch (cause) {
    throw invalidPath(text, at, 'this key is not a JSON string', { cause });
  }
}

function invalidPath(text: string, at: number, why: string, options?: { cause: unknown }) {
  const column = at + 1;
  const message = `The path ${JSON.stringify(text)} can't be read at column ${column}: ${why}.`;
  return new CheckpointError('INVALID_PATH', message, { path: text, column }, options);
}

/** Writes a path so that {@link parsePath} reads the same steps back. */
export function formatPath(path: YamlPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!BARE_KEY.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
