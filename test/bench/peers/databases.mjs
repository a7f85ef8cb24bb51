/** Embedded databases: one row or key holds the state as text, one transaction a save, durable when answered. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { textsOf } from './text-files.mjs';

async function openSqlite(path, journal) {
  const { default: Database } = await import('better-sqlite3');
  const database = new Database(path);
  database.pragma(`journal_mode = ${journal}`);
  database.pragma('synchronous = FULL');
  return database;
}

function fill(database, text) {
  database.exec('CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY, text TEXT NOT NULL)');
  database.prepare('INSERT OR REPLACE INTO state VALUES (1, ?)').run(text);
}

const read = (database) => database.prepare('SELECT text FROM state WHERE id = 1').get().text;

/** Saves in SQLite; the call returns when the transaction is durable, and blocks until then. */
export async function sqliteSaves(journal, { directory, state, change }) {
  const database = await openSqlite(join(directory, 'state.db'), journal);
  fill(database, state.text);
  const update = database.prepare('UPDATE state SET text = ? WHERE id = 1');
  const textOf = textsOf(state, change);
  return { act: (n) => void update.run(textOf(n)), close: () => database.close() };
}

/** Opening a database that was closed, and reading the row. */
export async function sqliteOpens(journal, { directory, state }) {
  const path = join(directory, 'state.db');
  const first = await openSqlite(path, journal);
  fill(first, state.text);
  first.close();
  return openedAgain(journal, path, () => {});
}

/** Opening a database that was killed with what it had in its write-ahead log, and reading the row. */
export async function sqliteRecoveries(journal, { directory, state }) {
  const live = join(directory, 'live');
  const work = join(directory, 'work');
  mkdirSync(live);
  const first = await openSqlite(join(live, 'state.db'), journal);
  fill(first, state.text);
  cpSync(live, join(directory, 'killed'), { recursive: true });
  first.close();
  return openedAgain(journal, join(work, 'state.db'), () => {
    rmSync(work, { recursive: true, force: true });
    cpSync(join(directory, 'killed'), work, { recursive: true });
  });
}

function openedAgain(journal, path, prepare) {
  let database;
  return {
    before() {
      database?.close();
      prepare();
    },
    async act() {
      database = await openSqlite(path, journal);
      read(database);
    },
    close: () => database?.close(),
  };
}

/** Saves in LMDB; committed is not yet durable there, flushed is. */
export async function lmdbSaves({ directory, state, change }) {
  const { open } = await import('lmdb');
  const database = open({ path: directory });
  await database.put('state', state.text);
  const textOf = textsOf(state, change);
  return {
    async act(n) {
      await database.put('state', textOf(n));
      await database.flushed;
    },
    close: () => database.close(),
  };
}

/** Opening LMDB and reading the key; also what follows a kill, as it has no recovery of its own. */
export async function lmdbOpens({ directory, state }) {
  const { open } = await import('lmdb');
  const first = open({ path: directory });
  await first.put('state', state.text);
  await first.flushed;
  await first.close();
  let database;
  return {
    before: () => database?.close(),
    act() {
      database = open({ path: directory });
      database.get('state');
    },
    close: () => database?.close(),
  };
}
