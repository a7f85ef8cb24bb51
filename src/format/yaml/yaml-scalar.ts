/**
 * Scalars between text and value, by the core schema of YAML 1.2.2 (chapter 10.3). Reading gives
 * what a scalar's content means; writing gives one-line text that means a value. What is written
 * here is also safe for YAML 1.1 readers, which take `yes`, `1_000` or `12:30` for other types.
 */
import type { YamlValue } from './yaml-value.js';

/** How a string is quoted. */
export type QuoteStyle = 'plain' | 'single' | 'double';

/** Where and how a scalar is to be written. */
export interface ScalarOptions {
  /** The style to keep where the value permits. */
  readonly quote: QuoteStyle;
  /** Whether the scalar stands inside a flow collection, where commas and brackets mean something. */
  readonly inFlow: boolean;
  /** Whether dates and times may stay unquoted, as they are where they replace unquoted ones. */
  readonly allowPlainDate?: boolean;
}

const NULL = /^(?:~|null|Null|NULL|)$/;
const TRUE = /^(?:true|True|TRUE)$/;
const FALSE = /^(?:false|False|FALSE)$/;
const DECIMAL = /^[-+]?[0-9]+$/;
const OCTAL_OR_HEX = /^0(?:o[0-7]+|x[0-9a-fA-F]+)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const INFINITY = /^[-+]?\.(?:inf|Inf|INF)$/;
const NAN = /^\.(?:nan|NaN|NAN)$/;

/** The longest integer whose digits are converted; more would take quadratic time and is kept as text. */
const MAX_INTEGER_DIGITS = 4096;

/** The value of a plain scalar's content. Integers outside the safe range are `bigint`s. */
export function readPlain(content: string): YamlValue {
  if (NULL.test(content)) return null;
  if (TRUE.test(content)) return true;
  if (FALSE.test(content)) return false;
  if (DECIMAL.test(content) || OCTAL_OR_HEX.test(content)) return readInteger(content);
  if (FLOAT.test(content)) return Number(content);
  if (INFINITY.test(content)) return content.startsWith('-') ? -Infinity : Infinity;
  if (NAN.test(content)) return Number.NaN;
  return content;
}

function readInteger(content: string): YamlValue {
  const asNumber = Number(content);
  if (Number.isSafeInteger(asNumber)) return asNumber === 0 ? 0 : asNumber;
  if (content.length > MAX_INTEGER_DIGITS) return content;
  const digits = BigInt(content.replace(/^[-+]/, ''));
  return content.startsWith('-') ? -digits : digits;
}

/** The one-line text of a scalar that is not a string. */
export function writeNonString(value: null | boolean | number | bigint): string {
  if (typeof value !== 'number') return String(value);
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  if (Object.is(value, -0)) return '-0.0';
  // An integer outside the safe range must not read back as a bigint: it is written as a float.
  const isUnsafe = Number.isInteger(value) && !Number.isSafeInteger(value);
  const text = isUnsafe ? value.toExponential() : String(value);
  return text.includes('e') && !text.includes('.') ? text.replace('e', '.0e') : text;
}

/** The one-line text of a string, in the style asked for or the next one that can carry it. */
export function writeString(value: string, options: ScalarOptions): string {
  if (options.quote === 'plain' && isPlainSafe(value, options)) return value;
  if (options.quote === 'single' && !NEEDS_ESCAPE.test(value)) {
    return `'${value.replaceAll("'", "''")}'`;
  }
  return writeDoubleQuoted(value);
}

/** The one-line text of any scalar. */
export function writeScalar(
  value: null | boolean | number | bigint | string,
  options: ScalarOptions,
): string {
  return typeof value === 'string' ? writeString(value, options) : writeNonString(value);
}

// Everything that is not printable in YAML 1.2.2 (rule 1), plus what editors or readers of YAML 1.1
// take for line breaks, plus the byte-order mark.
const NEEDS_ESCAPE = /[\p{Cc}\u2028\u2029\ufeff]|\p{Surrogate}|\p{Noncharacter_Code_Point}/u;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\0', '\\0'],
]);

function writeDoubleQuoted(value: string): string {
  let text = '"';
  for (const character of value) {
    const short = ESCAPES.get(character);
    if (short !== undefined) text += short;
    else if (NEEDS_ESCAPE.test(character)) text += escapeCodePoint(character.codePointAt(0) ?? 0);
    else text += character;
  }
  return `${text}"`;
}

function escapeCodePoint(codePoint: number): string {
  if (codePoint <= 0xff) return `\\x${codePoint.toString(16).padStart(2, '0')}`;
  if (codePoint <= 0xffff) return `\\u${codePoint.toString(16).padStart(4, '0')}`;
  return `\\U${codePoint.toString(16).padStart(8, '0')}`;
}

const INDICATOR_FIRST = /^[-?:,[\]{}#&*!|>'"%@`=]|^\.\.\./;
const READ_AS_OTHER_TYPE_BY_YAML_1_1 =
  /^(?:y|n|yes|no|on|off|<<|[-+]?[0-9][0-9_,]*(?::[0-9_.]+)+|[-+.]?[0-9][0-9_.,]*(?:[eE][-+]?[0-9]+)?|0[box][0-9a-fA-F_]+)$/i;
const DATE = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt\s].*)?$/;

function isPlainSafe(value: string, { inFlow, allowPlainDate }: ScalarOptions): boolean {
  if (value === '' || value !== value.trim() || NEEDS_ESCAPE.test(value)) return false;
  if (INDICATOR_FIRST.test(value) || /:(?:\s|$)|\s#/.test(value)) return false;
  if (inFlow && /[,[\]{}:]/.test(value)) return false;
  if (typeof readPlain(value) !== 'string' || READ_AS_OTHER_TYPE_BY_YAML_1_1.test(value)) {
    return false;
  }
  return allowPlainDate === true || !DATE.test(value);
}

/** Whether unquoted text is a date or a time to a YAML 1.1 reader. */
export function isDateLike(text: string): boolean {
  return DATE.test(text);
}

/** The header and body lines of a literal or folded block scalar. */
export interface BlockScalarText {
  readonly header: string;
  /** Lines without indentation. */
  readonly lines: readonly string[];
}

/** How a block scalar may be written. */
export interface BlockScalarOptions {
  readonly style: 'literal' | 'folded';
  /**
   * Whether it takes the place of another block scalar, so that what is risky in new text (spaces
   * at the ends of lines, several final newlines) is as its author has it already.
   */
  readonly isReplacement: boolean;
  /** Columns from the parent to the content if an indentation indicator may be written; otherwise 0. */
  readonly indicator: number;
}

/**
 * A string as a block scalar, or `undefined` where only quotes can carry it safely: control
 * characters, and in new text spaces at the ends of lines, which editors strip, or several final
 * newlines, which would swallow the blank lines that follow.
 */
export function writeBlockScalar(
  value: string,
  { style, isReplacement, indicator }: BlockScalarOptions,
): BlockScalarText | undefined {
  const body = value.replace(/\n+$/, '');
  const endings = value.length - body.length;
  if (body === '' || (endings > 1 && !isReplacement)) return undefined;
  if (NEEDS_ESCAPE.test(body.replace(/[\n\t]/g, ''))) return undefined;
  const lines = body.split('\n');
  if (!isReplacement && lines.some((line) => /[ \t]$/.test(line))) return undefined;
  const isIndented = /^\n*[ \t]/.test(body);
  if (isIndented ? indicator < 1 || indicator > 9 : body.startsWith('\n') && !isReplacement) {
    return undefined;
  }
  const chomp = endings === 0 ? '-' : endings === 1 ? '' : '+';
  const suffix = `${isIndented ? indicator : ''}${chomp}`;
  const trailing = new Array<string>(Math.max(0, endings - 1)).fill('');
  if (style === 'literal') return { header: `|${suffix}`, lines: [...lines, ...trailing] };
  if (lines.some((line) => /[ \t]$/.test(line))) return undefined;
  return { header: `>${suffix}`, lines: [...foldable(lines), ...trailing] };
}

/** The lines that folding joins to these: a line break between two lines of words takes a blank line. */
function foldable(lines: readonly string[]): string[] {
  const folded: string[] = [];
  let above: string | undefined;
  for (const line of lines) {
    if (line === '') folded.push('');
    else {
      const isFolded = above !== undefined && !/^[ \t]/.test(above) && !/^[ \t]/.test(line);
      if (isFolded) folded.push('');
      for (const part of /^[ \t]/.test(line) ? [line] : wrap(line)) folded.push(part);
      above = line;
    }
  }
  return folded;
}

const WRAP_WIDTH = 96;

/** Breaks a line at single spaces between words, which folding joins again. */
function wrap(line: string): string[] {
  if (line.length <= WRAP_WIDTH) return [line];
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/(?<=\S) (?=\S)/)) {
    if (current !== '' && current.length + 1 + word.length > WRAP_WIDTH) {
      lines.push(current);
      current = word;
    } else {
      current = current === '' ? word : `${current} ${word}`;
    }
  }
  return [...lines, current];
}
