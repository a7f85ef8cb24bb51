/**
 * Judging one round of the demo: everything is read from disk, before and after, and compared with
 * what the protocol promises. Pure but for the evidence it is given; a test feeds it tampered stores.
 */

import { readSeal } from '../format/seal.js';
import { setYaml } from '../format/yaml/yaml-edit.js';
import { parsePath } from '../format/yaml/yaml-path.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import type { StoreInspection } from '../store/inspect-store.js';
import type { DemoRound, KillPoint } from './demo-plan.js';

/** What was read from disk around one kill. */
export interface RoundEvidence {
  readonly round: DemoRound;
  /** How the child ended. */
  readonly killedBy: string;
  /** Before the child was started. */
  readonly before: StoreInspection;
  /** After the kill, before recovery. */
  readonly found: StoreInspection;
  /** After recovery, the store closed again. */
  readonly after: StoreInspection;
  /** The checkpoint's bytes after recovery. */
  readonly bytes: Uint8Array;
  /** The orchestration that the demo began with. */
  readonly original: string;
  readonly recoveryMs: number;
}

/** One row of the demo's table. */
export interface DemoRow {
  readonly killedIn: KillPoint;
  readonly killedBy: string;
  /** Verdict on the log that the kill left. */
  readonly log: string;
  /** Label of recovery's decision about it. */
  readonly decision: string;
  readonly sequenceBefore: number;
  readonly sequenceAfter: number;
  /** Which text is there now: that of before the save, or that of after it. */
  readonly state: 'old' | 'new' | 'neither';
  readonly fileIntact: boolean;
  readonly commentsIntact: boolean;
  readonly recoveryMs: number;
  /** What is not as the protocol promises, in words; empty if the round went well. */
  readonly problems: readonly string[];
}

/** In these states the save is logged already: recovery must finish it. */
const LOGGED: ReadonlySet<KillPoint> = new Set([
  'writingCheckpoint',
  'syncingCheckpoint',
  'deletingWal',
  'applyingWal',
]);

/** Judges a round. */
export function judgeRound(evidence: RoundEvidence): DemoRow {
  const { round, killedBy, before, found, after, bytes, original, recoveryMs } = evidence;
  const reading = readSeal(bytes);
  const text = reading.kind === 'sealed' ? reading.text : undefined;
  const facts = {
    killedIn: round.killedIn,
    killedBy,
    log: found.wal?.verdict ?? 'absent',
    decision: found.plan.decisions[0]?.label ?? 'none',
    sequenceBefore: before.sequence ?? 0,
    sequenceAfter: reading.kind === 'sealed' ? reading.sequence : 0,
    state: stateOf(text, before.text ?? '', round),
    fileIntact: text !== undefined && parses(text),
    commentsIntact: text !== undefined && keepsComments(original, text),
    recoveryMs,
  };
  return { ...facts, problems: problemsWith(facts, after) };
}

function stateOf(
  text: string | undefined,
  before: string,
  { path, value }: DemoRound,
): DemoRow['state'] {
  if (text === undefined) return 'neither';
  if (text === before) return 'old';
  return text === setYaml(parseYaml(before), parsePath(path), value).text ? 'new' : 'neither';
}

function parses(text: string): boolean {
  try {
    parseYaml(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether every comment of `original` is in `text`, byte for byte and in the same order. */
export function keepsComments(original: string, text: string): boolean {
  const lines = text.split('\n');
  let at = 0;
  return original.split('\n').every((line) => {
    const comment = commentIn(line);
    if (comment === undefined) return true;
    const found = lines.findIndex((candidate, index) => index >= at && matches(candidate, comment));
    at = found + 1;
    return found !== -1;
  });
}

interface Comment {
  readonly text: string;
  /** The comment is all of its line, indentation included. */
  readonly whole: boolean;
}

/** What follows a `#` at the start of a line or after a blank; exact enough for the demo's own text. */
function commentIn(line: string): Comment | undefined {
  const found = /(^|\s)#.*$/.exec(line);
  if (found === null) return undefined;
  const whole = line.trimStart().startsWith('#');
  return { text: whole ? line : found[0].trimStart(), whole };
}

function matches(line: string, { text, whole }: Comment): boolean {
  return whole ? line === text : line.endsWith(` ${text}`);
}

function problemsWith(
  row: Omit<DemoRow, 'problems'>,
  { wal, health, temporaries, sequence }: StoreInspection,
): string[] {
  const mustBeNew = LOGGED.has(row.killedIn) || row.log === 'sealed';
  const expected = mustBeNew ? 'new' : 'old';
  const checks: readonly (readonly [boolean, string])[] = [
    [row.killedBy === 'SIGKILL', `the child was not killed but ended with ${row.killedBy}`],
    [!LOGGED.has(row.killedIn) || row.log === 'sealed', `its log was logged, but is ${row.log}`],
    [row.fileIntact, 'the seal of the file does not verify'],
    [row.commentsIntact, 'a comment was changed or lost'],
    [row.state === expected, `the file holds the ${row.state} state, not the ${expected} one`],
    [
      row.sequenceAfter > row.sequenceBefore === (row.state === 'new'),
      `sequence ${row.sequenceBefore} became ${row.sequenceAfter}`,
    ],
    [row.sequenceAfter === (sequence ?? 0), 'the store and its file disagree on the sequence'],
    [wal === undefined, 'the log is still there after recovery'],
    [temporaries.length === 0, 'a temporary file is still there after recovery'],
    [health === 'ok', `the store is ${health} after recovery`],
  ];
  return checks.filter(([isWell]) => !isWell).map(([, problem]) => problem);
}
