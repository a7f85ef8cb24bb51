/**
 * Everything that is compared, by name: what it is called, what kind it is, and how it saves, opens and
 * recovers where it can.
 */
import {
  lmdbOpens,
  lmdbSaves,
  sqliteOpens,
  sqliteRecoveries,
  sqliteSaves,
} from '../peers/databases.mjs';
import {
  atomically,
  parseAndPrint,
  readAndParse,
  stringifyAndWrite,
  writeFileAtomic,
} from '../peers/text-files.mjs';
import { appends, ownCalls, readsAndHashes, readsHashesWrites } from './floors.mjs';
import { opensOf, recoveriesOf, savesOf, ways } from './ours.mjs';

const ours = Object.entries(ways).map(([name, { title }]) => [
  name,
  {
    title,
    kind: 'ours',
    save: (context) => savesOf(name, context),
    open: (context) => opensOf(name, context),
    recover: (context) => recoveriesOf(name, context),
  },
]);

const ownFloors = Object.entries(ways).map(([name, { title }]) => [
  `calls-of-${name}`,
  {
    title: `bare system calls of: ${title}`,
    kind: 'floor',
    save: (context) => ownCalls(name, context),
  },
]);

/** All of them. `needs` names a package that may be missing. */
export const contenders = {
  append: { title: 'append + fdatasync', kind: 'floor', save: (context) => appends(context) },
  'append-blocking': {
    title: 'append + fdatasyncSync',
    kind: 'floor',
    save: (context) => appends({ ...context, blocking: true }),
  },
  overwrite: {
    title: 'write into preallocated + fdatasync',
    kind: 'floor',
    save: (context) => appends({ ...context, preallocated: true }),
  },
  'overwrite-blocking': {
    title: 'write into preallocated + fdatasyncSync',
    kind: 'floor',
    save: (context) => appends({ ...context, preallocated: true, blocking: true }),
  },
  'read-hash': { title: 'read + SHA-256', kind: 'floor', open: readsAndHashes },
  'read-hash-write': {
    title: 'read + SHA-256 + publish durably, once each',
    kind: 'floor',
    recover: readsHashesWrites,
  },
  ...Object.fromEntries(ownFloors),
  'write-file-atomic': {
    title: 'write-file-atomic + directory sync',
    kind: 'peer',
    save: writeFileAtomic,
  },
  atomically: { title: 'atomically + directory sync', kind: 'peer', save: atomically },
  'yaml-stringify': {
    title: 'yaml.stringify + write-file-atomic + directory sync',
    kind: 'peer',
    save: stringifyAndWrite,
    open: readAndParse,
    // Nothing tells it that it was killed.
    recover: readAndParse,
  },
  'yaml-document': {
    title: 'yaml parseDocument + setIn + toString, no I/O',
    kind: 'peer',
    save: parseAndPrint,
  },
  'sqlite-wal': {
    title: 'better-sqlite3, WAL, FULL',
    kind: 'peer',
    needs: 'better-sqlite3',
    save: (context) => sqliteSaves('WAL', context),
    open: (context) => sqliteOpens('WAL', context),
    recover: (context) => sqliteRecoveries('WAL', context),
  },
  'sqlite-delete': {
    title: 'better-sqlite3, DELETE, FULL',
    kind: 'peer',
    needs: 'better-sqlite3',
    save: (context) => sqliteSaves('DELETE', context),
    open: (context) => sqliteOpens('DELETE', context),
  },
  lmdb: {
    title: 'lmdb, flushed',
    kind: 'peer',
    needs: 'lmdb',
    save: lmdbSaves,
    open: lmdbOpens,
    // It has no recovery of its own: what was flushed is there.
    recover: lmdbOpens,
  },
  ...Object.fromEntries(ours),
};
