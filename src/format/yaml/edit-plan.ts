/**
 * What the parts of the YAML editor share: the text being edited, the splices planned so far, and
 * where things begin and end in it. An edit is planned as splices against the original text, so
 * whatever no splice touches stays byte for byte.
 */
import { commentsIn, type FoundComment } from './find-comments.js';
import { applySplices, type Splice, sortSplices } from './splice.js';
import type { YamlPath } from './yaml-path.js';
import { Printer, type PrintStyle } from './yaml-print.js';
import type { YamlText } from './yaml-text.js';
import { type CollectionNode, type Entry, Lines, type Node } from './yaml-tree.js';
import type { YamlValue } from './yaml-value.js';

/** Where a node stands: nothing above it at the root. */
export interface Place {
  readonly parent: CollectionNode | undefined;
  readonly entry: Entry | undefined;
  readonly inFlow: boolean;
}

/** A change to one entry of a collection, in the order of the result. */
export type EntryChange =
  | { readonly kind: 'keep'; readonly entry: Entry; readonly edit: () => void }
  | { readonly kind: 'remove'; readonly entry: Entry }
  | {
      readonly kind: 'add';
      readonly key: string | undefined;
      readonly value: YamlValue;
      /** Where the item was, if it was moved, and what changes in it. */
      readonly from?: { readonly entry: Entry; readonly edit: () => void } | undefined;
    };

/** How an edit is planned. What is not asked for is left out. */
export interface EditMode {
  /** The one place that differs, where it is known beforehand. */
  readonly changedPath?: YamlPath | undefined;
  /** Whether the items of the list at a path are known to be where they were, with new ones behind them. */
  readonly keepsPlaces?: ((path: YamlPath) => boolean) | undefined;
  /** Paths whose collections are written anew instead of edited. */
  readonly rewritten?: ReadonlySet<string>;
  /** Write strings of several lines in quotes. */
  readonly isQuoted?: boolean;
  /** Write items that move anew, at their new place. */
  readonly isStill?: boolean;
  /** Drop white space on blank lines next to what changes; it may mean something else there. */
  readonly hasTidyBlanks?: boolean;
  /** Keep a final line break that the text did not have; a block scalar may need it. */
  readonly keepsFinalBreak?: boolean;
}

/** An edit in the making. */
export class EditPlan {
  readonly source: YamlText;
  readonly printer: Printer;
  /** The document's line break. */
  readonly eol: string;
  splices: Splice[] = [];
  changedPaths: YamlPath[] = [];
  /** The new value of every node that was met and differs. */
  readonly changed = new Map<Node, YamlValue>();
  readonly mode: EditMode;
  /** What offsets refer to: without a byte-order mark, and with a final line break even if the source has none. */
  readonly text: string;
  readonly lines: Lines;
  private foundComments: readonly FoundComment[] | undefined;

  constructor(source: YamlText, style: PrintStyle, mode: EditMode) {
    this.source = source;
    this.printer = new Printer(style);
    this.mode = mode;
    const firstBreak = source.body.indexOf('\n');
    this.eol = firstBreak > 0 && source.body[firstBreak - 1] === '\r' ? '\r\n' : '\n';
    const isOpenEnd = !source.body.endsWith('\n');
    this.text = isOpenEnd ? source.body + this.eol : source.body;
    this.lines = isOpenEnd ? new Lines(this.text) : source.lines;
  }

  /** Every comment of the document; found only where one is in danger. */
  get comments(): readonly FoundComment[] {
    this.foundComments ??= commentsIn(this.text);
    return this.foundComments;
  }

  /** What a node is to say. */
  newValueOf(node: Node): YamlValue {
    const value = this.changed.get(node);
    return value === undefined ? node.value : value;
  }

  /** Plans to replace a range. */
  replace(start: number, end: number, text: string): void {
    if (start !== end || text !== '') this.splices.push({ start, end, text });
  }

  /**
   * The text of a range after an edit that stays within it, or `undefined` for an edit that does
   * not. The range itself stays as it is, and what changes in it is not noted.
   */
  textAfter(start: number, end: number, edit: () => void): string | undefined {
    const { splices, changedPaths } = this;
    this.splices = [];
    this.changedPaths = [];
    edit();
    const inner = this.splices;
    this.splices = splices;
    this.changedPaths = changedPaths;
    if (inner.some((splice) => splice.start < start || splice.end > end)) return undefined;
    const shifted = inner.map((splice) => ({
      ...splice,
      start: splice.start - start,
      end: splice.end - start,
    }));
    return applySplices(this.text.slice(start, end), shifted);
  }

  /** Whether an anchor that is used, or an alias, stands in a range. */
  holdsReference(start: number, end: number): boolean {
    const isInside = (offset: number) => start <= offset && offset < end;
    return this.source.aliases.some(
      (alias) =>
        isInside(alias.start) ||
        (alias.kind === 'alias' && isInside(alias.target.anchor?.start ?? alias.target.start)),
    );
  }

  /** Plans to insert text. */
  insert(at: number, text: string): void {
    this.replace(at, at, text);
  }

  /** Plans to insert whole lines where a line begins. */
  insertLines(at: number, lines: readonly string[]): void {
    this.insert(at, lines.join(this.eol) + this.eol);
  }

  /** The text with everything planned; ends with a line break only if the source does, or the mode asks for it. */
  result(): string {
    const text = applySplices(this.text, this.splices);
    const isOpenEnd = this.text.length > this.source.body.length && text.endsWith(this.eol);
    return isOpenEnd && !this.mode.keepsFinalBreak ? text.slice(0, -this.eol.length) : text;
  }

  /** Lines as a continuation of the line before them. */
  below(lines: readonly string[]): string {
    return lines.map((line) => this.eol + line).join('');
  }

  /** An offset on the last line of a content that ends at `end`, which is past the line break of a block scalar. */
  lastLineOf(start: number, end: number): number {
    return end > start && this.text[end - 1] === '\n' ? end - 1 : end;
  }

  /** Where the last line of an entry or node ends, its comment included, its line break not. */
  lineEndOf({ start, end }: { start: number; end: number }): number {
    return this.lines.endOf(this.lastLineOf(start, end));
  }

  /**
   * Where the lines of a block entry end: past the line break of its last line and past the
   * comments that follow it at once and are indented deeper than the entry.
   */
  ownEnd(entry: Entry): number {
    const column = this.lines.columnOf(entry.start);
    let end = this.lines.nextStart(this.lastLineOf(entry.start, entry.end));
    while (end < this.text.length && this.isDeeperComment(end, column)) {
      end = this.lines.nextStart(end);
    }
    return end;
  }

  /**
   * Where the comments begin that stand right above a block entry, in its column: they are taken
   * to be about it. `limit` is where the lines before them end.
   */
  attachedStart(entry: Entry, limit: number): number {
    const column = this.lines.columnOf(entry.start);
    let at = this.lines.startOf(entry.start);
    while (at > limit) {
      const above = this.lines.startOf(at - 1);
      const line = this.text.slice(above, at);
      if (!line.trimStart().startsWith('#') || line.indexOf('#') !== column) return at;
      at = above;
    }
    return at;
  }

  private isDeeperComment(lineStart: number, column: number): boolean {
    let at = lineStart;
    while (this.text[at] === ' ' || this.text[at] === '\t') at += 1;
    return this.text[at] === '#' && at - lineStart > column;
  }

  /**
   * Keeps blank and comment lines from becoming part of a block scalar that ends right above them
   * after this edit: spaces on blank lines go, comments move out to `column`, and after a scalar
   * that keeps its final line breaks (`+`) blank lines go. What is planned to go anyway is passed over.
   */
  shieldFromBlockScalar(lineStart: number, column: number, keepsBreaks: boolean): void {
    let isKept = keepsBreaks;
    const pass = this.passReplaced(lineStart);
    for (let at = lineStart; at < this.text.length; at = this.lines.nextStart(at)) {
      at = pass(at);
      const line = this.text.slice(at, this.lines.endOf(at));
      const indent = line.length - line.trimStart().length;
      if (line.trim() === '') {
        this.replace(at, isKept ? this.lines.nextStart(at) : at + indent, '');
        continue;
      }
      if (!line.startsWith('#', indent)) return;
      if (indent > column) this.replace(at + column, at + indent, '');
      isKept = false;
    }
  }

  /** Leads, for ascending offsets from `from` on, past what is planned so far to be replaced. */
  private passReplaced(from: number): (at: number) => number {
    const ranges = this.splices.filter(({ start, end }) => end > start && end > from);
    ranges.sort((a, b) => a.start - b.start);
    let next = 0;
    return (at) => {
      let past = at;
      for (let range = ranges[next]; range && range.start <= past; range = ranges[next]) {
        past = Math.max(past, range.end);
        next += 1;
      }
      return past;
    };
  }

  /** Puts the comments of everything that is replaced or removed above it. */
  keepComments(): void {
    const removed = this.splices.filter(({ start, end }) => end > start);
    const saved = new Map<number, string[]>();
    for (const { start, text } of this.comments) {
      const range = removed.find((splice) => splice.start <= start && start < splice.end);
      if (!range) continue;
      const at = this.lines.startOf(range.start);
      saved.set(at, [...(saved.get(at) ?? []), text]);
    }
    for (const [at, comments] of saved) {
      const indent = /^ */.exec(this.text.slice(at))?.[0] ?? '';
      this.insert(at, comments.map((comment) => indent + comment + this.eol).join(''));
    }
  }

  /** Drops the white space of blank lines right below what was planned so far. */
  tidyBlanks(): void {
    const done = new Set<number>();
    const pass = this.passReplaced(0);
    for (const { end } of sortSplices(this.splices)) {
      let at = this.lines.startOf(end) === end ? end : this.lines.nextStart(end);
      while (at < this.text.length && !done.has(at)) {
        const lineEnd = this.lines.endOf(at);
        if (this.text.slice(at, lineEnd).trim() !== '') break;
        done.add(at);
        this.replace(Math.min(pass(at), lineEnd), lineEnd, '');
        at = this.lines.nextStart(at);
      }
    }
  }

  /**
   * Whether a block scalar written above `lineStart`, below a parent at `column`, would take in
   * what stands there: deeper comments, or blank lines with spaces or tabs.
   */
  wouldSwallow(lineStart: number, column: number): boolean {
    for (let at = lineStart; at < this.text.length; at = this.lines.nextStart(at)) {
      const line = this.text.slice(at, this.lines.endOf(at));
      if (line === '') continue;
      const indent = line.length - line.trimStart().length;
      return indent === line.length || (line[indent] === '#' && indent > column);
    }
    return false;
  }

  /** An offset moved back over one line break that ends there. */
  beforeBreak(offset: number): number {
    if (this.text[offset - 1] !== '\n') return offset;
    return this.text[offset - 2] === '\r' ? offset - 2 : offset - 1;
  }

  /** An offset moved back over spaces and tabs. */
  beforeBlanks(offset: number): number {
    let at = offset;
    while (this.text[at - 1] === ' ' || this.text[at - 1] === '\t') at -= 1;
    return at;
  }
}
