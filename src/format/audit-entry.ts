/**
 * An entry of the audit as text, and back: one line of JSON for each transition of a machine, chained
 * by SHA-256. Ruled by `docs/audit.md`; pure bytes and values, no files.
 *
 * The canonical form of an entry is its line without the member `hash`, which is always the last one:
 * members in the order of {@link AuditFacts}, then `previous`; members of `details` sorted by code
 * unit at every depth; no white space; strings and numbers as `JSON.stringify` writes them (RFC 8259,
 * numbers as RFC 8785). `hash` is the SHA-256 of the canonical form's UTF-8 bytes.
 */
import { sha256OfText } from './bytes.js';

/** What a detail of an entry may be: plain JSON. */
export type AuditValue =
  | string
  | number
  | boolean
  | null
  | readonly AuditValue[]
  | { readonly [name: string]: AuditValue };

/** Facts about a transition, by name: codes, sizes, hashes, names of files; never their contents. */
export type AuditDetails = { readonly [name: string]: AuditValue };

/** What is known of a transition before it has a place in the chain. */
export interface AuditFacts {
  /** ISO 8601, UTC, to the millisecond. */
  readonly time: string;
  /** Microseconds since this run began, by a clock that is never set. */
  readonly elapsedUs: number;
  /** `checkpoint`, `recovery`, `write`, `detector`, `guard`; `audit` for entries about the record itself. */
  readonly machine: string;
  /** The state that was left, as `syncingWal` or `memory.idle`; empty for a machine that starts. */
  readonly from: string;
  /** The state that was entered; the same as `from` where only actions were taken. */
  readonly to: string;
  /** The event's type, as `syncWal.done`. */
  readonly event: string;
  /** Who sent the event: the id of an actor, or empty for the program that uses the store. */
  readonly by: string;
  /** The sequence number that the machine works on; 0 before any. */
  readonly sequence: number;
  /** The epoch of the writer; 0 until recovery has read the evidence. */
  readonly epoch: number;
  /** `<pid>@<host>`. */
  readonly process: string;
  readonly details: AuditDetails;
}

/** One entry: what happened, and its place in the chain. */
export interface AuditEntry extends AuditFacts {
  /** From 1, one higher for each entry, across files and runs. */
  readonly number: number;
  /** The `hash` of the entry before; 64 zeros before the first. */
  readonly previous: string;
  /** Lower-case hexadecimal SHA-256 of the canonical form. */
  readonly hash: string;
}

/** Where a chain stands: what the next entry is tied to. */
export interface AuditHead {
  /** The number of the last entry; 0 before the first. */
  readonly number: number;
  /** SHA-256 of that entry, in hexadecimal. */
  readonly hash: string;
}

/** What is wrong with a line by itself. */
export interface AuditLineProblem {
  /**
   * - `notJson`: no JSON object at all
   * - `fields`: a member is missing, unknown, or of the wrong type
   * - `notCanonical`: the same values written differently: white space, order, escapes, a name twice
   * - `hash`: the text is not what its hash was made of
   */
  readonly kind: 'notJson' | 'fields' | 'notCanonical' | 'hash';
  /** In words, with expected and found. */
  readonly message: string;
}

/** A line that was read. */
export type AuditReading =
  | { readonly entry: AuditEntry }
  | { readonly problem: AuditLineProblem; readonly number?: number };

/** The head of an empty chain. */
export const EMPTY_HEAD: AuditHead = { number: 0, hash: '0'.repeat(64) };

/** Longest line in bytes, line end included. An entry that would be longer loses its details. */
export const MAX_AUDIT_LINE = 16 * 1024;

const HASH = /^[0-9a-f]{64}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const isText = (value: unknown) => typeof value === 'string';
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isHash = (value: unknown) => typeof value === 'string' && HASH.test(value);

/** The members of a line, in order, each with what it must be. */
const members: readonly (readonly [keyof AuditEntry, (value: unknown) => boolean, string])[] = [
  ['number', (value) => isCount(value) && value !== 0, 'a whole number from 1'],
  ['time', (value) => typeof value === 'string' && TIME.test(value), 'a time in UTC'],
  ['elapsedUs', isCount, 'whole microseconds'],
  ['machine', isText, 'a text'],
  ['from', isText, 'a text'],
  ['to', isText, 'a text'],
  ['event', isText, 'a text'],
  ['by', isText, 'a text'],
  ['sequence', isCount, 'a whole number'],
  ['epoch', isCount, 'a whole number'],
  ['process', isText, 'a text'],
  ['details', isObject, 'an object'],
  ['previous', isHash, '64 hexadecimal digits'],
  ['hash', isHash, '64 hexadecimal digits'],
];

/** A transition with its place in the chain, and its line, `\n` included. */
export function sealEntry(
  facts: AuditFacts,
  head: AuditHead,
): { readonly entry: AuditEntry; readonly line: string } {
  const sealed = chain(facts, head);
  if (fits(sealed.line)) return sealed;
  return chain({ ...facts, details: { tooLarge: true } }, head);
}

function chain(facts: AuditFacts, { number, hash: previous }: AuditHead) {
  const body = { number: number + 1, ...inOrder(facts), previous };
  const canonical = JSON.stringify(body);
  const hash = sha256OfText(canonical);
  return { entry: { ...body, hash }, line: `${canonical.slice(0, -1)},"hash":"${hash}"}\n` };
}

function inOrder(facts: AuditFacts): AuditFacts {
  return {
    time: facts.time,
    elapsedUs: facts.elapsedUs,
    machine: facts.machine,
    from: facts.from,
    to: facts.to,
    event: facts.event,
    by: facts.by,
    sequence: facts.sequence,
    epoch: facts.epoch,
    process: facts.process,
    details: sorted(facts.details) as AuditDetails,
  };
}

/** Reads one line, without its line end, and checks it by itself: form, and own hash. */
export function readAuditLine(line: string): AuditReading {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { problem: { kind: 'notJson', message: 'the line is no JSON' } };
  }
  if (!isObject(value)) return { problem: { kind: 'notJson', message: 'the line is no object' } };
  const number = isCount(value.number) ? { number: value.number as number } : {};
  const wrong = wrongMember(value);
  if (wrong !== undefined) return { problem: { kind: 'fields', message: wrong }, ...number };
  // Every member was checked just now.
  const entry = value as unknown as AuditEntry;
  const canonical = canonicalOf(entry);
  if (`${canonical.slice(0, -1)},"hash":"${entry.hash}"}` !== line) {
    const message = 'the line is not in canonical form: it was written by something else';
    return { problem: { kind: 'notCanonical', message }, ...number };
  }
  const hash = sha256OfText(canonical);
  if (hash !== entry.hash) {
    const message = `the entry was changed: its text has the hash ${hash}, and says ${entry.hash}`;
    return { problem: { kind: 'hash', message }, ...number };
  }
  return { entry };
}

/** The text that an entry's hash is made of. */
export function canonicalOf(entry: AuditEntry): string {
  return JSON.stringify({
    number: entry.number,
    ...inOrder(entry),
    previous: entry.previous,
  });
}

function wrongMember(value: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, isRight, what] of members) {
    if (!Object.hasOwn(value, name)) return `the member "${name}" is missing`;
    if (!isRight(value[name])) return `the member "${name}" is not ${what}`;
  }
  const known = new Set<string>(members.map(([name]) => name));
  const unknown = Object.keys(value).find((name) => !known.has(name));
  return unknown === undefined ? undefined : `the member ${JSON.stringify(unknown)} is unknown`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same with the members of every object in order. Names like `__proto__` stay ordinary names. */
function sorted(value: AuditValue): AuditValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(
    names.map((name) => [name, sorted((value as AuditDetails)[name] ?? null)]),
  );
}

const encoder = new TextEncoder();

/** No character takes more than three bytes for each of its units: most lines need no counting. */
function fits(line: string): boolean {
  return line.length * 3 <= MAX_AUDIT_LINE || encoder.encode(line).length <= MAX_AUDIT_LINE;
}
