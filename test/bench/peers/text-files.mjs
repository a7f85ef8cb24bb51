/**
 * Writers of whole files, each with the directory synced after it, which none of them does: without that
 * the rename itself may be lost, and an equal promise is compared.
 */
import { closeSync, fsync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseDocument, stringify } from 'yaml';

const sync = promisify(fsync);

/** The name of the file, as people call it. */
const pathIn = (directory) => join(directory, 'ORCHESTRATION.yaml');

async function syncFolder(directory) {
  const folder = openSync(directory, 'r');
  try {
    await sync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Saves text that somebody else has rendered. */
function ready(write, { directory, state, change }) {
  const path = pathIn(directory);
  const textOf = textsOf(state, change);
  return {
    async act(n) {
      await write(path, textOf(n));
      await syncFolder(directory);
    },
    close: () => {},
  };
}

/** The texts that follow from one kind of change. */
export function textsOf(state, change) {
  if (change === 'append') return state.withEntry;
  return change === 'all' ? state.withAll : state.withField;
}

/** write-file-atomic: temporary file, fsync, rename. */
export async function writeFileAtomic(context) {
  const { default: write } = await import('write-file-atomic');
  return ready(write, context);
}

/** atomically: the same, with retries. */
export async function atomically(context) {
  const { writeFile } = await import('atomically');
  return ready(writeFile, context);
}

/** What people do today: the state is an object, and is printed anew for each save. */
export async function stringifyAndWrite({ directory, state, change }) {
  const { default: write } = await import('write-file-atomic');
  const path = pathIn(directory);
  const value = structuredClone(state.value);
  return {
    async act(n) {
      await write(path, stringify(changedObject(value, state, change, n)));
      await syncFolder(directory);
    },
    settle: () => clearList(value, state, change),
    close: () => {},
  };
}

/** The object with the change made to it, in place but for a whole new state. */
export function changedObject(value, { field, list, whole }, change, n) {
  if (change === 'all') return whole(n);
  const path = change === 'append' ? list : field.slice(0, -1);
  const parent = path.reduce((here, step) => here[step], value);
  if (change === 'append') parent.push(`entry ${n} was appended`);
  else parent[field.at(-1)] = `s${n}`;
  return value;
}

/** A list that was appended to is as long again as it was. */
export function clearList(value, { list, listLength }, change) {
  if (change === 'append') list.reduce((here, step) => here[step], value).length = listLength;
}

/** Only rendering, keeping comments: the document is parsed, one field is set, the whole is printed. */
export function parseAndPrint({ state }) {
  return {
    act(n) {
      const document = parseDocument(state.text);
      document.setIn(state.field, `s${n}`);
      return document.toString();
    },
    close: () => {},
  };
}

/** Reading a file and parsing it, which is how a program starts that keeps its state so. */
export async function readAndParse({ directory, state }) {
  const { default: write } = await import('write-file-atomic');
  await write(pathIn(directory), state.text);
  return { act: () => parse(readFileSync(pathIn(directory), 'utf8')), close: () => {} };
}
