/**
 * Verifies a chain of entries line by line, in memory that does not grow with it: form and hash of each
 * line, its tie to the one before, heads and checkpoints that are known from elsewhere. Ruled by
 * `docs/audit.md`.
 */
import {
  type AuditDetails,
  type AuditEntry,
  type AuditHead,
  EMPTY_HEAD,
  readAuditLine,
} from '../format/audit-entry.js';

/** Where a link of the chain is broken. */
export interface BrokenLink {
  /**
   * - `notJson`, `fields`, `notCanonical`, `hash`: the line by itself
   * - `number`: an entry is missing, repeated or out of order
   * - `previous`: the entry is not tied to the one before it
   * - `start`: the first entries are missing, and no entry says that retention removed them
   * - `head`: the chain is not the one whose head was written down: changed, or cut off
   * - `checkpoint`: a checkpoint on disk is not the one that the audit says was saved
   * - `cut`: the last line has no end although lines follow in another file
   */
  readonly kind:
    | ReturnType<typeof problemKind>
    | 'number'
    | 'previous'
    | 'start'
    | 'head'
    | 'checkpoint'
    | 'cut';
  /** The file, as the caller named it; absent where the link is to something else. */
  readonly file?: string;
  /** 1-based line in that file. */
  readonly line?: number;
  /** The number that the entry claims. */
  readonly number?: number;
  readonly expected?: string | number;
  readonly found?: string | number;
  /** In words. */
  readonly message: string;
}

function problemKind(reading: ReturnType<typeof readAuditLine>) {
  return 'problem' in reading ? reading.problem.kind : 'hash';
}

/** What verifying came to. */
export interface AuditVerdict {
  readonly intact: boolean;
  /** The first broken link. */
  readonly broken?: BrokenLink;
  /** How many links are broken, each counted where it is met. */
  readonly brokenCount: number;
  /** Lines that were read, and of them the entries that read well. */
  readonly lines: number;
  readonly entries: number;
  /** Runs: how often a store was opened. */
  readonly runs: number;
  readonly first?: AuditHead;
  readonly head: AuditHead;
  /** Heads that the chain goes through; and those of entries that retention has removed, which prove nothing. */
  readonly headsProven: number;
  readonly headsUnproven: readonly number[];
  /** Whether a run met a record that was damaged, and put it away: what came before is not in this chain. */
  readonly hasFindings: boolean;
  /** What the audit says of itself, or what is no proof of a change; in words. */
  readonly notes: readonly string[];
}

/** What is known from elsewhere. */
export interface KnownFacts {
  /** Heads that were written down: the chain must go through each of them. */
  readonly heads?: readonly AuditHead[];
  /** SHA-256 of checkpoints on disk by sequence number, and which file that is. */
  readonly checkpoints?: ReadonlyMap<number, { readonly sha256: string; readonly file: string }>;
}

const NOTES_MAX = 50;

/** Takes one line after the other; then tells what it came to. */
export class AuditVerifier {
  /** Heads that are known, by number; taken out when they were met. */
  readonly #heads = new Map<number, string[]>();
  #headsProven = 0;
  #hasFindings = false;
  /** Hashes of images that are about to be published, by sequence number. */
  readonly #intended = new Map<number, string>();
  readonly #known: KnownFacts;
  #last: AuditHead | undefined;
  #first: AuditEntry | undefined;
  #startFile: { readonly file: string; readonly line: number } | undefined;
  #isStartExplained = false;
  #broken: BrokenLink | undefined;
  #brokenCount = 0;
  #lines = 0;
  #entries = 0;
  #runs = 0;
  readonly #notes: string[] = [];
  #notesLeft = 0;
  /** What the audit says was saved, for the checkpoints that are known. */
  readonly #saved = new Map<number, string>();

  constructor(known: KnownFacts = {}) {
    this.#known = known;
    for (const { number, hash } of known.heads ?? []) {
      this.#heads.set(number, [...(this.#heads.get(number) ?? []), hash]);
    }
  }

  /** The first broken link so far. */
  get broken(): BrokenLink | undefined {
    return this.#broken;
  }

  /** Entries so far. */
  get entries(): number {
    return this.#entries;
  }

  /**
   * Takes a line, without its line end. Returns the entry, where the line is one.
   * `line` is its 1-based number in `file`.
   */
  take(text: string, file: string, line: number): AuditEntry | undefined {
    this.#lines += 1;
    const reading = readAuditLine(text);
    if ('problem' in reading) {
      const { kind, message } = reading.problem;
      const number = reading.number === undefined ? {} : { number: reading.number };
      this.#break({ kind, file, line, ...number, message: `${message}` });
      // What follows can only be tied to what the line says of itself.
      this.#last = undefined;
      return undefined;
    }
    const { entry } = reading;
    this.#entries += 1;
    if (this.#entries === 1 && this.#lines === 1) this.#begin(entry, file, line);
    else this.#tie(entry, file, line);
    this.#last = { number: entry.number, hash: entry.hash };
    this.#compare(entry, file, line);
    this.#learn(entry);
    return entry;
  }

  /** The last line of a file has no end. At the end of the last file that is how a crash leaves it. */
  takeUnended(text: string, file: string, line: number, isLastFile: boolean): void {
    this.#lines += 1;
    if (isLastFile) {
      const bytes = new TextEncoder().encode(text).length;
      this.#note(
        `${file}:${line} has no end (${bytes} bytes): being written, or torn by a crash; the next open sets it aside`,
      );
      return;
    }
    this.#break({ kind: 'cut', file, line, message: 'the file ends inside of a line' });
    this.#last = undefined;
  }

  #begin(entry: AuditEntry, file: string, line: number): void {
    this.#first = entry;
    this.#startFile = { file, line };
    if (entry.number !== 1 || entry.previous === EMPTY_HEAD.hash) return;
    this.#break({
      kind: 'previous',
      file,
      line,
      number: 1,
      expected: EMPTY_HEAD.hash,
      found: entry.previous,
      message: 'the first entry is tied to one before it',
    });
  }

  #tie(entry: AuditEntry, file: string, line: number): void {
    const last = this.#last;
    if (last === undefined) {
      // The line before is broken, and was told.
      this.#first ??= entry;
      this.#startFile ??= { file, line };
      return;
    }
    const { number, previous } = entry;
    if (number !== last.number + 1) {
      this.#break({
        kind: 'number',
        file,
        line,
        number,
        expected: last.number + 1,
        found: number,
        message: wordsFor(number, last.number + 1),
      });
    } else if (previous !== last.hash) {
      this.#break({
        kind: 'previous',
        file,
        line,
        number,
        expected: last.hash,
        found: previous,
        message:
          'the entry is not tied to the one before it: that one, or this one, was put in its place',
      });
    }
  }

  #compare({ number, hash }: AuditEntry, file: string, line: number): void {
    for (const expected of this.#heads.get(number) ?? []) {
      if (expected === hash) {
        this.#headsProven += 1;
        continue;
      }
      const message =
        'the entry is not the one whose hash was written down: the chain was made anew';
      this.#break({ kind: 'head', file, line, number, expected, found: hash, message });
    }
    this.#heads.delete(number);
  }

  #learn({ machine, event, details, sequence, number }: AuditEntry): void {
    if (machine === 'audit') this.#learnOfAudit(event, details, number);
    if (!this.#known.checkpoints?.has(sequence)) return;
    const { sha256 } = details;
    if (event === 'writeIntent.done' && typeof sha256 === 'string') {
      this.#intended.set(sequence, sha256);
    } else if (event === 'syncCheckpoint.done') {
      // Published: only now does the file have to be that one. What recovery publishes has its hash in
      // the log alone, and what the record said of that number before may have been given up.
      const intended = machine === 'write' ? this.#intended.get(sequence) : undefined;
      if (intended === undefined) this.#saved.delete(sequence);
      else this.#saved.set(sequence, intended);
      this.#intended.delete(sequence);
    }
  }

  #learnOfAudit(event: string, details: AuditDetails, number: number): void {
    if (event === 'audit.opened') this.#runs += 1;
    const { setAside, through, hash, count } = details;
    const { isDamaged } = details;
    if (isDamaged === true) {
      this.#hasFindings = true;
      this.#note(`entry ${number}: a run found entries before it damaged, and went on`);
    }
    if (typeof setAside === 'object') {
      this.#hasFindings ||= JSON.stringify(setAside).includes('"damaged"');
      this.#note(`entry ${number}: a run began with ${describe(setAside)}`);
    }
    if (event === 'audit.entriesLost') {
      this.#note(
        `entry ${number}: ${describe(count)} entries were lost while they could not be written`,
      );
    }
    if (event === 'audit.fileGone' || event === 'audit.fileCut') {
      this.#hasFindings = true;
      const what = event === 'audit.fileGone' ? 'removed' : 'cut';
      this.#note(`entry ${number}: the file was ${what} by somebody while the store was open`);
    }
    const first = this.#first;
    if (event !== 'audit.pruned' || first === undefined) return;
    if (through === first.number - 1 && hash === first.previous) this.#isStartExplained = true;
  }

  /** The end: what is missing shows only now. */
  finish(): AuditVerdict {
    this.#checkStart();
    const unproven = [...this.#heads].flatMap(([number, hashes]) =>
      hashes.flatMap((hash) => (this.#checkUnmet(number, hash) ? [number] : [])),
    );
    for (const [sequence, { sha256, file }] of this.#known.checkpoints ?? []) {
      const saved = this.#saved.get(sequence);
      if (saved === undefined || saved === sha256) continue;
      const message = `checkpoint ${sequence} is not the one that the audit says was saved: one of them was changed`;
      this.#break({ kind: 'checkpoint', file, expected: saved, found: sha256, message });
    }
    const first = this.#first && { number: this.#first.number, hash: this.#first.hash };
    if (this.#notesLeft > 0) this.#notes.push(`… and ${this.#notesLeft} notes more`);
    return {
      intact: this.#brokenCount === 0,
      ...(this.#broken && { broken: this.#broken }),
      brokenCount: this.#brokenCount,
      lines: this.#lines,
      entries: this.#entries,
      runs: this.#runs,
      headsProven: this.#headsProven,
      headsUnproven: unproven,
      hasFindings: this.#hasFindings,
      ...(first && { first }),
      head: this.#last ?? EMPTY_HEAD,
      notes: this.#notes,
    };
  }

  /** A head that no entry was compared with: whether it is of one that is not there any more. */
  #checkUnmet(number: number, hash: string): boolean {
    const first = this.#first;
    const last = this.#last?.number ?? 0;
    if (first !== undefined && number < first.number) {
      const isTied = number === first.number - 1 && hash === first.previous;
      if (isTied) this.#headsProven += 1;
      return !isTied;
    }
    const message =
      number > last
        ? `the chain ends at entry ${last}, and entry ${number} was written down as its head: the end was cut off`
        : `entry ${number} was written down, and is not in the chain`;
    this.#break({ kind: 'head', number, expected: hash, found: last, message });
    return false;
  }

  #checkStart(): void {
    const first = this.#first;
    if (first === undefined || first.number === 1) return;
    if (this.#isStartExplained) {
      this.#note(`the chain begins at entry ${first.number}: retention removed what came before`);
      return;
    }
    const message = `the chain begins at entry ${first.number}, and no entry says that retention removed what came before`;
    const where = this.#startFile ?? {};
    this.#break({
      kind: 'start',
      ...where,
      number: first.number,
      expected: 1,
      found: first.number,
      message,
    });
  }

  #break(link: BrokenLink): void {
    this.#brokenCount += 1;
    this.#broken ??= link;
  }

  #note(text: string): void {
    if (this.#notes.length < NOTES_MAX) this.#notes.push(text);
    else this.#notesLeft += 1;
  }
}

function wordsFor(found: number, expected: number): string {
  const missing = found - expected;
  if (missing > 0)
    return `${missing === 1 ? 'an entry is' : `${missing} entries are`} missing before it`;
  return 'the entry is repeated, or out of order';
}

function describe(value: unknown): string {
  return JSON.stringify(value);
}
