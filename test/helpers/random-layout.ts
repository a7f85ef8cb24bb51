/**
 * Writes a value as YAML in a random layout: block and flow, every quoting style, comments and
 * blank lines wherever they are legal, odd indentation, anchors, markers, line breaks. Every line
 * knows which values it holds, so that a test can tell which lines an edit may touch. Independent
 * of the code under test: what a piece of text means is asked of the `yaml` package.
 */
import { parse } from 'yaml';

/** A JSON-compatible value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** Steps from the root. */
export type Path = readonly (string | number)[];

/** One line of a layout, without line break, and the values that have text on it. */
export interface LaidOutLine {
  readonly text: string;
  readonly owners: readonly Path[];
}

/** A value as text. */
export interface Layout {
  readonly text: string;
  readonly lines: readonly LaidOutLine[];
}

/** Options of {@link layOut}. */
export interface LayoutOptions {
  /** Whether values that repeat may be written as anchors and aliases. */
  readonly anchors: boolean;
  /** Without what keeps a text from being cut into sections: tabs, CRLF, marks, directives, `? ` keys. */
  readonly tame?: boolean;
}

/** Lays a value out; the same seed gives the same layout. */
export function layOut(value: Json, seed: number, options: LayoutOptions): Layout {
  return new LayoutWriter(seed, options).document(value);
}

const COMMENTS = [
  '# note',
  '#',
  '# a: b',
  '# - x',
  '# "quote\' [',
  '# === banner ===',
  '#\ttab',
  '# é🙂',
];

class LayoutWriter {
  private readonly options: LayoutOptions;
  private readonly lines: LaidOutLine[] = [];
  private line = '';
  private owners: Path[] = [];
  private state: number;
  private anchors = new Map<string, string>();
  /** Names are never used twice, also where a value gets a second anchor. */
  private anchorCount = 0;
  private afterKeep = false;

  constructor(seed: number, options: LayoutOptions) {
    this.state = (seed >>> 0) + 0x9e3779b9;
    this.options = options;
  }

  /** mulberry32: small, seeded, good enough to vary layouts. */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  private chance(probability: number): boolean {
    return this.random() < probability;
  }

  private pick<T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.random() * items.length)] ?? items[0];
  }

  private put(text: string, path?: Path): void {
    this.line += this.options.tame ? text.replaceAll('\t', ' ') : text;
    if (path) this.owners.push(path);
  }

  private newline(): void {
    this.lines.push({ text: this.line, owners: this.owners });
    this.line = '';
    this.owners = [];
  }

  document(value: Json): Layout {
    const isTame = this.options.tame === true;
    const eol = this.chance(0.2) && !isTame ? '\r\n' : '\n';
    const mark = this.chance(0.1) && !isTame ? '\ufeff' : '';
    this.filler(0, []);
    const directive = this.chance(0.1) && !isTame;
    if (directive) {
      this.put('%YAML 1.2');
      this.newline();
    }
    if (directive || this.chance(0.2)) {
      this.put('---');
      if (this.chance(0.3)) this.put(' # start');
      this.newline();
      this.filler(0, []);
    }
    this.root(value);
    if (!this.afterKeep && this.chance(0.3)) this.filler(0, []);
    if (!this.afterKeep && this.chance(0.1)) {
      this.put('...');
      this.newline();
    }
    const text = mark + this.lines.map((line) => line.text).join(eol);
    const isOpenEnd = this.chance(0.2) && !this.afterKeep && this.lines.at(-1)?.text !== '';
    return { text: isOpenEnd ? text : text + eol, lines: this.lines };
  }

  private root(value: Json): void {
    if (isCollection(value) && size(value) > 0 && this.chance(0.9)) {
      this.blockCollection(value, [], this.chance(0.1) ? 2 : 0, true);
    } else {
      this.inlineValue(value, [], -1, 'own');
    }
  }

  /** Blank and comment lines, or none. */
  private filler(column: number, path: Path): void {
    while (this.chance(0.25)) {
      if (this.chance(0.4) && !this.afterKeep) {
        this.put(this.chance(0.2) ? '  ' : '', path);
        this.newline();
      } else {
        this.put(' '.repeat(column) + this.pick(COMMENTS as [string, ...string[]]), path);
        this.newline();
        this.afterKeep = false;
      }
    }
  }

  private trailing(): void {
    if (this.chance(0.2)) {
      this.put(this.pick([' ', '   ', '\t']) + this.pick(COMMENTS as [string, ...string[]]));
    } else if (this.chance(0.05)) this.put(this.pick(['  ', '\t']));
  }

  /** A block collection, its first entry on the present line if `isOwn` is false. */
  private blockCollection(
    value: Json[] | { [key: string]: Json },
    path: Path,
    column: number,
    isOwn: boolean,
  ): void {
    let isFirst = true;
    const step = this.pick([2, 2, 2, 4, 3, 1]);
    const gap = this.pick([1, 1, 1, 3]);
    const entries: [string | number, Json][] = Array.isArray(value)
      ? value.map((item, index) => [index, item])
      : Object.keys(value).map((key) => [key, value[key] ?? null]);
    for (const [key, item] of entries) {
      if (!isFirst || isOwn) {
        if (!isFirst) this.filler(column, path);
        else if (path.length > 0) this.filler(column, path);
        this.put(' '.repeat(column));
      }
      isFirst = false;
      this.afterKeep = false;
      if (typeof key === 'number') this.item(item, [...path, key], column, step, gap);
      else this.pair(key, item, [...path, key], column, step);
    }
  }

  private item(value: Json, path: Path, column: number, step: number, gap: number): void {
    this.put('-', path);
    const canBlock = isCollection(value) && size(value) > 0;
    if (!canBlock || this.chance(0.1)) {
      this.inlineValue(value, path, column, 'dash');
    } else if (this.chance(this.options.tame ? 0.6 : 0.8)) {
      this.put(' '.repeat(gap));
      this.blockCollection(value, path, column + 1 + gap, false);
    } else {
      this.belowIndicator(value, path, column + step);
    }
  }

  private belowIndicator(
    value: Json[] | { [key: string]: Json },
    path: Path,
    column: number,
  ): void {
    if (this.options.anchors && this.chance(0.3)) this.anchor(value);
    this.trailing();
    this.newline();
    this.blockCollection(value, path, column, true);
  }

  private anchor(value: Json): void {
    this.anchorCount += 1;
    const name = `a${this.anchorCount}`;
    this.anchors.set(JSON.stringify(value), name);
    this.put(` &${name}`);
  }

  private pair(key: string, value: Json, path: Path, column: number, step: number): void {
    if (this.chance(0.05) && !this.options.tame) {
      this.put(`? ${doubleQuoted(key)}`, path);
      this.newline();
      this.put(`${' '.repeat(column)}:`, path);
    } else {
      const text = this.scalarText(key, false, true);
      this.put(`${text}${/\w$/.test(text) && this.chance(0.05) ? ' ' : ''}:`, path);
    }
    const canBlock = isCollection(value) && size(value) > 0;
    if (!canBlock || this.chance(0.15)) {
      this.inlineValue(value, path, column, 'key');
      return;
    }
    const isIndentless = Array.isArray(value) && this.chance(0.3);
    this.belowIndicator(value, path, isIndentless ? column : column + step);
  }

  /** A scalar, flow collection or alias, and the rest of its line. */
  private inlineValue(
    value: Json,
    path: Path,
    column: number,
    after: 'key' | 'dash' | 'own',
  ): void {
    this.afterKeep = false;
    const isTabSafe = after === 'key' && !isCollection(value);
    const space = after === 'own' ? '' : this.pick([' ', ' ', '    ', isTabSafe ? '\t' : ' ']);
    const alias = this.anchors.get(JSON.stringify(value));
    if (alias && this.chance(0.7)) {
      this.put(`${space}*${alias}`, path);
      this.trailing();
      this.newline();
      return;
    }
    if (value === null && after !== 'own' && this.chance(0.4)) {
      this.trailing();
      this.newline();
      return;
    }
    if (
      typeof value === 'string' &&
      this.chance(0.5) &&
      this.blockScalar(value, path, column, space)
    ) {
      return;
    }
    if (after === 'key' && this.chance(0.1)) {
      this.trailing();
      this.newline();
      this.put(' '.repeat(column + 2));
    } else this.put(space);
    if (this.options.anchors && after !== 'own' && this.chance(0.1)) {
      this.anchor(value);
      this.put(' ');
    }
    if (isCollection(value)) this.flow(value, path, column + 2);
    else this.scalarLines(value, path, column);
    this.trailing();
    this.newline();
  }

  /** A scalar that may take several lines. */
  private scalarLines(value: Json, path: Path, column: number): void {
    const text = this.scalarText(value, false, false);
    const words = text.split(/(?<=[\w,]) (?=\w)/);
    const canFold = typeof value === 'string' && words.length > 1 && !text.includes('#');
    if (!canFold || this.chance(0.7)) {
      this.put(text, path);
      return;
    }
    words.forEach((word, index) => {
      if (index > 0) {
        this.newline();
        this.put(' '.repeat(column + 3));
      }
      this.put(word, path);
    });
  }

  private blockScalar(value: string, path: Path, column: number, space: string): boolean {
    const body = value.replace(/\n+$/, '');
    const endings = value.length - body.length;
    if (body === '' || /[^\P{Cc}\n]|[\u2028\u2029\ufeff\u0085]/u.test(value)) return false;
    if (body.split('\n').some((line) => /^\s+$/.test(line) || /\s$/.test(line))) return false;
    if (/^\n/.test(body)) return false;
    const step = this.pick([1, 2, 4]);
    const indicator = /^\s/.test(body) || this.chance(0.1) ? String(step) : '';
    const chomp = endings === 0 ? '-' : endings === 1 ? '' : '+';
    this.put(`${space}|${indicator}${chomp}`, path);
    this.trailing();
    this.newline();
    const indent = ' '.repeat(Math.max(0, column) + step);
    const extra = new Array<string>(Math.max(0, endings - 1)).fill('');
    for (const line of [...body.split('\n'), ...extra]) {
      this.put(line === '' ? '' : indent + line, path);
      this.newline();
    }
    this.afterKeep = true;
    return true;
  }

  private flow(value: Json[] | { [key: string]: Json }, path: Path, indent: number): void {
    const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
    const entries: [string | number, Json][] = Array.isArray(value)
      ? value.map((item, index) => [index, item])
      : Object.keys(value).map((key) => [key, value[key] ?? null]);
    const isMultiLine = entries.length > 0 && this.chance(0.3);
    const pad = this.chance(0.3) ? ' ' : '';
    this.put(open + pad, path);
    entries.forEach(([key, item], index) => {
      if (isMultiLine) this.flowBreak(indent);
      const inner = [...path, key];
      if (typeof key === 'string') this.put(`${this.scalarText(key, true, true)}: `, inner);
      if (isCollection(item)) this.flow(item, inner, indent + 2);
      else this.put(this.scalarText(item, true, false), inner);
      const isLast = index === entries.length - 1;
      if (!isLast || this.chance(0.2))
        this.put(`,${isMultiLine || isLast ? '' : this.pick([' ', '  '])}`);
    });
    if (isMultiLine) this.flowBreak(indent);
    this.put(pad + close, path);
  }

  private flowBreak(indent: number): void {
    if (this.chance(0.2)) this.put(' # in flow');
    this.newline();
    this.put(' '.repeat(indent + 1));
  }

  /** One-line text of a scalar, in a random style that means it. */
  private scalarText(value: Json, inFlow: boolean, isKey: boolean): string {
    if (typeof value !== 'string') return numberText(value);
    const double = doubleQuoted(value);
    const style = this.pick(['plain', 'plain', 'single', 'double']);
    const candidate =
      style === 'plain' ? value : style === 'single' ? `'${value.replaceAll("'", "''")}'` : double;
    return means(candidate, value, inFlow, isKey) ? candidate : double;
  }
}

function isCollection(value: Json): value is Json[] | { [key: string]: Json } {
  return typeof value === 'object' && value !== null;
}

function size(value: Json[] | { [key: string]: Json }): number {
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

function numberText(value: null | boolean | number | Json): string {
  if (typeof value !== 'number') return String(value);
  if (Object.is(value, -0)) return '-0.0';
  const isUnsafe = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isUnsafe ? value.toExponential() : String(value);
}

function doubleQuoted(value: string): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Whether a text means a string, asked of the `yaml` package, and survives where it is put. */
function means(text: string, value: string, inFlow: boolean, isKey: boolean): boolean {
  if (
    /[\n\r\u2028\u2029\ufeff\u0085]|\p{Cc}/u.test(text.replaceAll('\t', '')) ||
    text !== text.trim()
  )
    return false;
  if (isKey && /^[[{]/.test(text)) return false;
  if ((isKey && text.length > 900) || /^(?:---|\.\.\.)/.test(text)) return false;
  try {
    const sample = isKey ? `${text}: 1` : text;
    const read = parse(
      inFlow
        ? `[{${isKey ? sample : `k: ${sample}`}}, 2]`
        : isKey
          ? `a:\n  ${sample}\n`
          : `- ${text}\n- b\n`,
      {
        logLevel: 'error',
      },
    ) as unknown;
    const key = isKey ? JSON.stringify({ [value]: 1 }) : JSON.stringify({ k: value });
    const expected = inFlow ? `[${key},2]` : isKey ? `{"a":${key}}` : JSON.stringify([value, 'b']);
    return JSON.stringify(read) === expected;
  } catch {
    return false;
  }
}
