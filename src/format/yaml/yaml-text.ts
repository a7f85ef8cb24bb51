/**
 * Reading YAML text: bounded, safe against hostile input, and strict about damage. The grammar is
 * the `yaml` package's (its lexer, parser and composer); limits, keys, types, aliases and errors
 * are ours. One document, YAML 1.2 core schema; docs/format.md has the rules.
 *
 * Depth is capped while the parser runs, token by token, because the package recurses per level:
 * measured on Node 20 with 2.9.1, its composer exhausts the default stack between 500 and 1,000
 * levels, and its parser throws while closing 1,000 levels of `- key:`.
 */
import { Composer, type CST, type Document, Lexer, Parser, type YAMLParseError } from 'yaml';
import type { CheckpointErrorCode } from '../../errors.js';
import { type ProblemAt, problemsIn } from './yaml-problem.js';
import { Lines, type Node } from './yaml-tree.js';
import { buildTree } from './yaml-tree-builder.js';
import { MAX_DEPTH, type YamlValue } from './yaml-value.js';

/** What a text may cost. Exceeding a limit is a coded error, never a crash or a hang. */
export interface YamlLimits {
  /** Size in UTF-8 bytes; 64 MiB by default. Beyond it: `TOO_LARGE`. */
  readonly maxBytes: number;
  /**
   * Lexical tokens that are held at once, which is what memory is spent on (about 0.5 KB each); 1,000,000
   * by default. A long block text is read in sections, most others as a whole. Beyond it: `TOO_LARGE`.
   */
  readonly maxTokens: number;
  /**
   * Lexical tokens of a text, which is what reading all of it takes time for (about 5 µs each), in sections
   * or not; 10,000,000 by default. Beyond it: `TOO_LARGE`.
   */
  readonly maxTotalTokens: number;
  /** Nesting of lists and maps, aliases followed; 200 by default, at most. Beyond it: `TOO_DEEP`. */
  readonly maxDepth: number;
  /** Alias nodes; 1,000 by default. Beyond it: `TOO_MANY_ALIASES`. */
  readonly maxAliases: number;
  /** Values that aliases stand for, all uses counted; 100,000 by default. Beyond it: `TOO_MANY_ALIASES`. */
  readonly maxAliasValues: number;
}

/** The limits in force where none are given. */
export const DEFAULT_LIMITS: YamlLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxTokens: 1_000_000,
  maxTotalTokens: 10_000_000,
  maxDepth: MAX_DEPTH,
  maxAliases: 1000,
  maxAliasValues: 100_000,
};

/** Options of {@link parseYaml}. */
export interface ParseYamlOptions {
  /** Named in errors; nothing is opened. */
  readonly file?: string;
  readonly limits?: Partial<YamlLimits>;
}

/** A text that was read: what it says, and where it says what. */
export interface YamlText {
  readonly text: string;
  /** The text without its byte-order mark; what the ranges of the tree refer to. */
  readonly body: string;
  /** Deeply frozen. Values used through an alias are shared. */
  readonly value: YamlValue;
  /** The document's root, with the range of every value. */
  readonly root: Node;
  readonly lines: Lines;
  /** The document's aliases, in the order of the text. */
  readonly aliases: readonly Node[];
  /** How many lexical tokens it took. */
  readonly tokens: number;
  readonly options: ParseYamlOptions;
}

/** What was given to the parser since the program began; tests count by it what an edit costs. */
export const parserWork = { texts: 0, units: 0 };

/**
 * Reads one YAML document.
 *
 * Integers that a number can't hold are `bigint`s. Keys are text, as they are written (`1.10` is
 * the key "1.10"). `<<` is an ordinary key, as YAML 1.2 has it. Tags other than the core schema's
 * stay in the text and have no influence on the value.
 *
 * @throws CheckpointError with `line` and `column`: `INVALID_YAML` (also for several documents,
 * control characters, keys that are collections, aliases without anchor, and tags that contradict
 * their value), `DUPLICATE_KEY`, `EMPTY_DOCUMENT`, `TOO_LARGE`, `TOO_DEEP`, `TOO_MANY_ALIASES`.
 */
export function parseYaml(text: string, options: ParseYamlOptions = {}): YamlText {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  limits.maxDepth = Math.min(limits.maxDepth, MAX_DEPTH);
  limits.maxTokens = Math.min(limits.maxTokens, limits.maxTotalTokens);
  // The package's parser miscounts the indentation of a line that begins with a byte-order mark.
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  const problem = problemsIn(body, options.file);
  checkCharacters(body, limits, problem);
  parserWork.texts += 1;
  parserWork.units += body.length;
  const { tokens, count } = readTokens(body, limits, problem);
  const { document, composed } = compose(body, tokens, problem);
  const tagName = (source: string) => composed.directives.tagName(source, () => {}) ?? source;
  const tree = buildTree({ document, tagName, limits, problem });
  return {
    text,
    body,
    value: tree.root.value,
    root: tree.root,
    lines: new Lines(body),
    aliases: tree.aliases,
    tokens: count,
    options,
  };
}

/** Refuses what no YAML text holds: too many bytes, control characters, text that has no UTF-8 form. */
function checkCharacters(text: string, limits: YamlLimits, problem: ProblemAt): void {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20) {
      if (unit === 0x09 || unit === 0x0a) continue;
      if (unit === 0x0d && text.charCodeAt(at + 1) === 0x0a) continue;
      const name = `U+${unit.toString(16).toUpperCase().padStart(4, '0')}`;
      const what =
        unit === 0x0d ? 'a carriage return without line feed' : `the control character ${name}`;
      throw problem('INVALID_YAML', at, `${what} can't stand in YAML. The file may be damaged.`);
    }
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = text.charCodeAt(at + 1);
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) {
      throw problem('INVALID_YAML', at, "half of a character (a lone surrogate) can't be saved.");
    }
    // A pair is four bytes, counted as 2 + 2 so far with its two units.
    at += 1;
  }
  if (bytes > limits.maxBytes) {
    const what = `the text has ${bytes} bytes; the limit is ${limits.maxBytes}.`;
    throw problem('TOO_LARGE', text.length, what);
  }
}

/** Runs lexer and parser, one lexeme at a time so that depth, tokens and time stay bounded. */
function readTokens(
  text: string,
  limits: YamlLimits,
  problem: ProblemAt,
): { tokens: CST.Token[]; count: number } {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  const watch = new ParserWatch(parser, limits, problem);
  for (const lexeme of new Lexer().lex(text)) {
    watch.before(lexeme);
    for (const token of parser.next(lexeme)) tokens.push(token);
    watch.after();
  }
  for (const token of parser.end()) tokens.push(token);
  return { tokens, count: watch.tokens };
}

/** How many lexical tokens a text has, without reading it. */
export function countTokens(text: string): number {
  let count = 0;
  for (const _ of new Lexer().lex(text)) count += 1;
  return count;
}

/** More lexical tokens than this a text of a length can't have: the lexer marks the beginning of each scalar. */
export function maxTokensIn(length: number): number {
  return 2 * length + 2;
}

/** The parser's open levels beside its collections: the document below and a scalar on top. */
const EXTRA_LEVELS = 2;

/** How many steps the parser may spend rescanning blank lines, a quadratic cost in its comments. */
const MAX_RESCAN_STEPS = 50_000_000;

class ParserWatch {
  private readonly parser: Parser;
  private readonly limits: YamlLimits;
  private readonly problem: ProblemAt;
  tokens = 0;
  private blanks = 0;
  private sawComment = false;
  private rescans = 0;

  constructor(parser: Parser, limits: YamlLimits, problem: ProblemAt) {
    this.parser = parser;
    this.limits = limits;
    this.problem = problem;
  }

  before(lexeme: string): void {
    this.tokens += 1;
    if (this.tokens > this.limits.maxTokens) {
      this.fail('TOO_LARGE', `the text has more than ${this.limits.maxTokens} tokens.`);
    }
    // At each comment the parser walks over the blank lines before the first one of its group.
    if (lexeme.startsWith('#')) {
      this.rescans += this.blanks;
      this.sawComment = true;
    } else if (lexeme.trim() !== '') {
      this.blanks = 0;
      this.sawComment = false;
    } else if (!this.sawComment) {
      this.blanks += 1;
    }
    if (this.rescans > MAX_RESCAN_STEPS) {
      this.fail('TOO_LARGE', 'too many blank lines and comments stand in one place.');
    }
  }

  after(): void {
    if (this.parser.stack.length <= this.limits.maxDepth + EXTRA_LEVELS) return;
    this.fail('TOO_DEEP', `nested deeper than ${this.limits.maxDepth} levels. Flatten it.`);
  }

  private fail(code: CheckpointErrorCode, what: string): never {
    throw this.problem(code, this.parser.offset, what);
  }
}

/** Validates the tokens and picks the one document. */
function compose(text: string, tokens: readonly CST.Token[], problem: ProblemAt) {
  const documents = tokens.filter((token) => token.type === 'document');
  const second = documents[1];
  if (second) {
    const what = 'a second document begins here. A state is one document; remove the others.';
    throw problem('INVALID_YAML', second.offset, what);
  }
  // Types, tags and duplicate keys are judged by the tree: the package's own check of keys takes
  // quadratic time. The failsafe schema also keeps `%YAML 1.1` from changing what values mean.
  const composer = new Composer({
    schema: 'failsafe',
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    strict: true,
    logLevel: 'silent',
  });
  let composed: Document.Parsed | undefined;
  for (const result of composer.compose(tokens, true, text.length)) composed ??= result;
  const first = composed && firstError(composed.errors);
  if (first) throw problem(codeOf(first), first.pos[0], `${describe(first)}.`);
  const document = documents[0];
  if (!composed || !document || isEmpty(document)) {
    const what =
      'there is no value here, only white space or comments. Write {} for an empty state.';
    throw problem('EMPTY_DOCUMENT', document?.offset ?? text.length, what);
  }
  return { document, composed };
}

function firstError(errors: readonly YAMLParseError[]): YAMLParseError | undefined {
  let first = errors[0];
  for (const error of errors) if (first && error.pos[0] < first.pos[0]) first = error;
  return first;
}

function codeOf(error: YAMLParseError): CheckpointErrorCode {
  return error.code === 'RESOURCE_EXHAUSTION' ? 'TOO_DEEP' : 'INVALID_YAML';
}

/** The package's message, shortened: some quote the whole source. */
function describe(error: YAMLParseError): string {
  const message = error.message.replace(/\s+/g, ' ').trim();
  return message.length <= 200 ? message : `${message.slice(0, 200)}…`;
}

function isEmpty(document: CST.Document): boolean {
  return !document.value && !document.start.some(({ type }) => type === 'anchor' || type === 'tag');
}
