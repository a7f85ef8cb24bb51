/**
 * Finding where a YAML text can be cut into sections, by looking at its lines only. Whatever is not
 * certain stays in one piece, up to the whole text. What makes a cut certain: in a block map or list
 * whose keys or dashes stand in column c, each line indented deeper than c belongs to the entry above
 * it, whatever it is (a block, a quoted or plain scalar that goes on, a flow collection), and each
 * line in column c is a comment or begins an entry. See docs/adr/0019-edits-work-on-sections.md.
 */
import { type Body, bodyOf, branchOf, isCut, leafOf, type Part } from './section-tree.js';
import { readPlain } from './yaml-scalar.js';

/** A text in sections. */
export interface Scanned {
  /** What stands before the root: nothing, or comments and `---`. */
  readonly preamble: string;
  readonly root: Body;
}

/** How long a leaf is about to be, in UTF-16 units. */
const LEAF_LENGTH = 128;
/** A value longer than this is cut itself. */
const BRANCH_LENGTH = 2 * LEAF_LENGTH;
/** Cuts within cuts. */
const MAX_CUTS = 50;
const MAX_KEY = 500;
/** How far back is looked for the beginning of a word, so that many in one long word take no quadratic time. */
const MAX_WORD = 200;

const NEWLINE = 10;
const SPACE = 32;
const HASH = 35;
const DASH = 45;

/** A key that is written plainly, without anything that would need a second look; or in quotes without escapes. */
const ENTRY =
  /^(?:([^\s:#&*!|>'"%@`,[\]{}?\-\p{Cc}][^\s:#\p{Cc}]*(?: [^\s:#\p{Cc}]+)*)|"([^"\\\p{Cc}]*)"|'([^'\p{Cc}]*)'):(?=[ \n]|$)/u;
const MARKER = /--- *\n/y;
/** Where a value begins behind a dash. */
const ITEM = /- *(.?)/y;
const NO_TEXT = /(?:[-+]?\d+(?:\.\d+)?|true|false|null|~|[[{|>].*) *(?:#.*)?$/my;

/** The text in sections, or `undefined` where it has to stay whole. */
export function scanSections(text: string): Scanned | undefined {
  if (/[\t\r\ufeff]/.test(text) || mayHoldAnchor(text)) return undefined;
  const rootStart = endOfPreamble(text);
  const column = firstColumn(text, rootStart);
  if (column === undefined) return undefined;
  const { length } = text;
  const range = { text, start: rootStart, end: length, isCompact: false, cuts: 0 };
  const root = scanBody({ ...range, ...column });
  return root && { preamble: text.slice(0, rootStart), root };
}

/**
 * A piece of a body scanned anew: its parts, or `undefined` where it is none any more.
 * @param isFirst whether the body begins with the piece
 */
export function scanParts(
  text: string,
  { isList, column, isCompact }: Pick<Body, 'isList' | 'column' | 'isCompact'>,
  isFirst: boolean,
): readonly Part[] | undefined {
  const range = { text, start: 0, end: text.length, isList, column, cuts: 0 };
  return scanBody({ ...range, isCompact: isCompact && isFirst })?.parts;
}

/**
 * Whether an anchor may stand in a text: only then do its parts depend on one another. An anchor comes
 * first on its line, or behind an indicator or a tag; behind any other word `&` is part of a scalar.
 */
function mayHoldAnchor(text: string): boolean {
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
    if (!/[^\s,[\]{}]/.test(text[at + 1] ?? ' ')) continue;
    let end = at;
    while (text.charCodeAt(end - 1) === SPACE) end -= 1;
    let start = end;
    while (start > 0 && end - start < MAX_WORD && !/\s/.test(text[start - 1] ?? '')) start -= 1;
    if (end - start === MAX_WORD) return true;
    const word = text.slice(start, end);
    if (word === '' || /[:\-?[{,]$|!/.test(word)) return true;
  }
  return false;
}

/** Past a `---` that only comments stand before. Markers elsewhere fit no entry and end the scan. */
function endOfPreamble(text: string): number {
  MARKER.lastIndex = endOfComments(text);
  return MARKER.test(text) ? MARKER.lastIndex : 0;
}

/** Past the comments and blank lines that a text begins with. */
export function endOfComments(text: string): number {
  for (let at = 0; ; ) {
    let first = at;
    while (text.charCodeAt(first) === SPACE) first += 1;
    const unit = text.charCodeAt(first);
    const end = unit === NEWLINE || unit === HASH ? text.indexOf('\n', first) : -1;
    if (end === -1) return at;
    at = end + 1;
  }
}

/** What kind of collection begins in a text, and in which column. */
function firstColumn(
  text: string,
  start: number,
  end = text.length,
): { isList: boolean; column: number } | undefined {
  for (let at = start; at < end; ) {
    let first = at;
    while (text.charCodeAt(first) === SPACE) first += 1;
    const unit = text.charCodeAt(first);
    if (unit !== NEWLINE && unit !== HASH && first < end) {
      const isList = isDash(text, first);
      if (!isList && !entryAt(text, first)) return undefined;
      return { isList, column: first - at };
    }
    at = nextLine(text, first);
  }
  return undefined;
}

/** Where the next line begins; the last one may have no line break. */
function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

function isDash(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== DASH) return false;
  const next = text.charCodeAt(at + 1);
  return next === SPACE || next === NEWLINE;
}

interface EntryLine {
  readonly key: string;
  readonly isQuoted: boolean;
  /** The first character of what follows the colon on its line. */
  readonly first: string;
  /** Where that is. */
  readonly valueAt: number;
}

function entryAt(text: string, at: number): EntryLine | undefined {
  // Of a long line no more than this is looked at: a search without end would exhaust the stack.
  const found = ENTRY.exec(text.slice(at, at + MAX_KEY));
  if (!found || found[0].length === MAX_KEY) return undefined;
  const [all, plain, double, single] = found;
  const key = plain ?? double ?? single ?? '';
  if (/^(?:---|\.\.\.)/.test(key)) return undefined;
  let valueAt = at + all.length;
  while (text.charCodeAt(valueAt) === SPACE) valueAt += 1;
  const first = text.charCodeAt(valueAt) === NEWLINE ? '' : text.charAt(valueAt);
  return { key, isQuoted: plain === undefined, first, valueAt };
}

/** A line with a dash; the key is empty. */
interface ItemLine extends EntryLine {
  /** Whether a map or list begins on the line. */
  readonly isMap?: boolean;
}

interface Range {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly isList: boolean;
  readonly column: number;
  /** Whether the first entry begins at the start of the range, behind a dash on its line. */
  readonly isCompact: boolean;
  readonly cuts: number;
}

/** An entry while its lines are being passed. */
interface Open {
  /** Where it begins, with the comments above it. */
  readonly start: number;
  /** Where the line with its key or dash ends. */
  readonly lineEnd: number;
  readonly key: string;
  readonly isEmpty: boolean;
  /** Where a map or list begins behind a dash, on its line; -1 where none does. */
  readonly innerAt: number;
  /** Whether what begins on its line is certainly no string, but for block scalars. */
  readonly isCollection: boolean;
  mayHoldText: boolean;
  isIndentless: boolean;
  hasDeeper: boolean;
}

function scanBody(range: Range): Body | undefined {
  const scan = new BodyScan(range);
  return scan.run() ? bodyOf(range, scan.parts) : undefined;
}

class BodyScan {
  readonly parts: Part[] = [];
  private readonly range: Range;
  private readonly names = new Set<unknown>();
  private open: Open | undefined;
  /** Where the comments begin that belong to the next entry; -1 for none. */
  private commentsAt = -1;
  private groupStart: number;
  private groupKeys: string[] = [];
  private groupCount = 0;
  private groupHasText = false;

  constructor(range: Range) {
    this.range = range;
    this.groupStart = range.start;
  }

  /** False where something is not certain. */
  run(): boolean {
    const { text, start, end, column, isCompact } = this.range;
    for (let at = start; at < end; ) {
      let first = at;
      while (text.charCodeAt(first) === SPACE) first += 1;
      const next = nextLine(text, first);
      const unit = text.charCodeAt(first);
      const indent = isCompact && at === start ? column : first - at;
      if (unit === HASH && indent <= column) {
        if (this.commentsAt === -1) this.commentsAt = at;
      } else if (unit !== NEWLINE && unit !== HASH && first < end) {
        const isFine =
          indent > column ? this.deeper(first) : indent === column && this.begin(at, first, next);
        if (!isFine) return false;
      }
      at = next;
    }
    if (!this.open) return false;
    this.close(end);
    this.flush(end);
    return true;
  }

  /** A line of the open entry. */
  private deeper(first: number): boolean {
    const { open } = this;
    if (!open) return false;
    this.commentsAt = -1;
    if (open.hasDeeper || open.isIndentless) return true;
    open.hasDeeper = true;
    const { text } = this.range;
    // What looked like a number may go on, and what stands below a key alone may be a string.
    const isBlock = open.isEmpty ? isDash(text, first) || entryAt(text, first) : open.isCollection;
    if (!isBlock) open.mayHoldText = true;
    return true;
  }

  private begin(at: number, first: number, next: number): boolean {
    const { text, isList } = this.range;
    if (isDash(text, first) !== isList) return !isList && this.indentless(first);
    const start = !this.open ? this.range.start : this.commentsAt === -1 ? at : this.commentsAt;
    const line: ItemLine | undefined = isList ? itemAt(text, first) : entryAt(text, first);
    if (!line || (!isList && !this.isNew(line))) return false;
    if (this.open) this.close(start);
    this.commentsAt = -1;
    const isEmpty = line.first === '' || line.first === '#';
    NO_TEXT.lastIndex = line.valueAt;
    const isNoText = isEmpty || line.isMap === true || NO_TEXT.test(text);
    const isCollection = line.isMap === true || /[[{|>]/.test(line.first);
    const flags = { isEmpty, isCollection, mayHoldText: !isNoText };
    const below = { isIndentless: false, hasDeeper: false };
    const innerAt = line.isMap === true ? line.valueAt : -1;
    this.open = { start, lineEnd: next, key: line.key, innerAt, ...flags, ...below };
    return true;
  }

  /** A dash below a key, in the key's column. */
  private indentless(first: number): boolean {
    const { open, range } = this;
    if (!open?.isEmpty || open.hasDeeper || !isDash(range.text, first)) return false;
    open.isIndentless = true;
    this.commentsAt = -1;
    return true;
  }

  /** Whether a key is there once: as text, and by what it says (1.0 and 1.00 are one key). */
  private isNew({ key, isQuoted }: EntryLine): boolean {
    const typed = isQuoted ? key : readPlain(key);
    const says = typeof typed === 'string' ? undefined : { typed };
    if (this.names.has(key) || (says && this.names.has(says.typed))) return false;
    this.names.add(key);
    if (says) this.names.add(says.typed);
    return true;
  }

  private close(end: number): void {
    const { open, range } = this;
    if (!open) return;
    const start = open.innerAt === -1 ? open.lineEnd : open.innerAt;
    const canBeCut = open.innerAt !== -1 || open.isEmpty;
    const body = canBeCut && end - start > BRANCH_LENGTH ? this.inner(open, start, end) : undefined;
    if (body) {
      this.flush(open.start);
      this.parts.push(branchOf(range.text.slice(open.start, start), open.key, body));
      this.groupStart = end;
      return;
    }
    if (open.start - this.groupStart >= LEAF_LENGTH) this.flush(open.start);
    if (!range.isList) this.groupKeys.push(open.key);
    this.groupCount += 1;
    this.groupHasText ||= open.mayHoldText;
  }

  /** What stands in an entry from `start` on, in sections. */
  private inner(open: Open, start: number, end: number): Body | undefined {
    const { text, isList, column, cuts } = this.range;
    if (cuts >= MAX_CUTS) return undefined;
    const isCompact = open.innerAt !== -1;
    const found = isCompact ? this.behindDash(start) : firstColumn(text, start, end);
    // Dashes below a key may stand in its column.
    const least = found?.isList && !isList ? column : column + 1;
    if (!found || found.column < least) return undefined;
    const body = scanBody({ text, start, end, ...found, isCompact, cuts: cuts + 1 });
    // An item that would be one section is one with its dash.
    return isList && body && !isCut(body) ? undefined : body;
  }

  /** As {@link firstColumn}, for what begins on the line of a dash. */
  private behindDash(at: number): { isList: boolean; column: number } {
    const { text, start, isCompact, column } = this.range;
    const line = text.lastIndexOf('\n', at - 1) + 1;
    // Of a line that begins behind another dash only the end is here.
    const before = isCompact && line <= start ? column + at - start : at - line;
    return { isList: isDash(text, at), column: before };
  }

  private flush(end: number): void {
    if (this.groupCount > 0) {
      const text = this.range.text.slice(this.groupStart, end);
      const { start, column, isCompact } = this.range;
      const indent = isCompact && this.groupStart === start ? column : 0;
      const flags = { indent, mayHoldText: this.groupHasText };
      this.parts.push(leafOf(text, this.groupCount, this.groupKeys, flags));
    }
    this.groupStart = end;
    this.groupKeys = [];
    this.groupCount = 0;
    this.groupHasText = false;
  }
}

/** What stands behind a dash. */
function itemAt(text: string, at: number): ItemLine | undefined {
  ITEM.lastIndex = at;
  const found = ITEM.exec(text);
  if (!found) return undefined;
  const first = found[1] ?? '';
  const valueAt = at + found[0].length - first.length;
  const isMap = first !== '' && (isDash(text, valueAt) || entryAt(text, valueAt) !== undefined);
  return { key: '', isQuoted: true, first, valueAt, isMap };
}
