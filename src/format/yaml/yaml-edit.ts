/**
 * Changing a YAML text so that it says another value, with every byte that holds nothing changed
 * kept. Edits are planned as splices at the ranges of the parsed tree, and the result is read back:
 * if it does not say exactly the next value, new text is written more cautiously, and as a last
 * resort ever larger parts are written anew until it does. No way of these loses a comment.
 */
import { CheckpointError } from '../../errors.js';
import { editRoot } from './edit-node.js';
import { type EditMode, EditPlan } from './edit-plan.js';
import { commentsIn } from './find-comments.js';
import { setAt } from './path-access.js';
import { rereadScalars } from './reread-scalars.js';
import { type Splice, sortSplices } from './splice.js';
import { formatPath, type YamlPath } from './yaml-path.js';
import { DEFAULT_STYLE, Printer, type PrintStyle } from './yaml-print.js';
import { lazyStyle, styleOf } from './yaml-style.js';
import { parseYaml, type YamlText } from './yaml-text.js';
import { equalValues, type YamlValue } from './yaml-value.js';

/** The outcome of an edit. */
export interface YamlEdit {
  readonly text: string;
  /**
   * What changed, the smallest parts: changed and added values where they are now, removed ones
   * where they were.
   */
  readonly changedPaths: readonly YamlPath[];
  /** The result as read back, to go on from without parsing again. */
  readonly source: YamlText;
  /**
   * How often a larger part had to be written anew because the text read back differed: 0 for
   * every layout that the editor knows. Its comments are kept, gathered above it.
   */
  readonly rewrites: number;
  /** Whether the gentlest way to write what is new said something else, so that all of it is written otherwise. */
  readonly isCautious: boolean;
  /**
   * What was replaced in the source's text, ascending; `undefined` where the text was written anew,
   * or its last line had no line break.
   */
  readonly splices: readonly Splice[] | undefined;
}

/**
 * Text whose value is `next`. A text that says `next` already comes back as it is; the order of map
 * keys is no difference. New entries follow the habits of the document and of their siblings.
 *
 * @throws CheckpointError `TOO_LARGE`, `TOO_DEEP` or `TOO_MANY_ALIASES` if the result could not be
 * read back within the limits of `source`; `UNFAITHFUL_VALUE` if no text says `next`, which
 * `cloneValue` rules out beforehand.
 */
export function editYaml(source: YamlText, next: YamlValue): YamlEdit {
  return editAt(source, next, {});
}

/**
 * Text with one place changed, removed (`undefined`) or added; missing maps on the way are created
 * as {@link setAt} does. Where `editYaml` would have to find out which item of a list became which,
 * this knows it.
 *
 * @throws CheckpointError as {@link editYaml} and {@link setAt}.
 */
export function setYaml(source: YamlText, path: YamlPath, next: YamlValue | undefined): YamlEdit {
  return editAt(source, setAt(source.value, path, next), { changedPath: path });
}

/**
 * Text whose value is `next`, of which it is known that it came about by setting places one after the
 * other, none of them by removing an item of a list.
 *
 * @throws CheckpointError as {@link editYaml} does.
 */
export function setAllYaml(
  source: YamlText,
  paths: readonly YamlPath[],
  next: YamlValue,
): YamlEdit {
  return editAt(source, next, { keepsPlaces: keptPlaces(paths) });
}

/** Which lists have their items where they were: those that were only gone through, never set. */
export function keptPlaces(paths: readonly YamlPath[]): (path: YamlPath) => boolean {
  // Asked only of lists.
  const isKept = once(() => findKept(paths));
  return (path) => isKept()(path);
}

function findKept(paths: readonly YamlPath[]): (path: YamlPath) => boolean {
  const passed = new Set<string>();
  const set = new Set<string>();
  for (const path of paths) {
    const whole = keyOf(path);
    if (set.has(whole)) continue;
    set.add(whole);
    for (let length = 0; length < path.length; length += 1) passed.add(keyOf(path, length));
  }
  const isSet = (path: YamlPath) =>
    set.has(keyOf(path)) || path.some((_, length) => set.has(keyOf(path, length)));
  return (path) => passed.has(keyOf(path)) && !isSet(path);
}

/** The beginning of a path as text; an index may be given as text as well. */
function keyOf(path: YamlPath, length = path.length): string {
  return JSON.stringify(path.slice(0, length).map(String));
}

/** What is known of a change beyond the values before and after it. */
export type KnownChange = Pick<EditMode, 'changedPath' | 'keepsPlaces'>;

/**
 * As {@link editYaml}, where more is known of the change, or where the habits to follow are those of a
 * longer text of which `source` is a part.
 */
export function editAt(
  source: YamlText,
  next: YamlValue,
  known: KnownChange,
  findStyle: () => PrintStyle = () => styleOf(source),
): YamlEdit {
  if (equalValues(source.value, next)) {
    return {
      text: source.text,
      changedPaths: [],
      source,
      rewrites: 0,
      isCautious: false,
      splices: [],
    };
  }
  const style = once(findStyle);
  const tried = new Set<string>();
  let changedPaths: readonly YamlPath[] = [];
  for (const mode of MODES) {
    const planned = attempt(source, next, style, { ...mode, ...known });
    if (changedPaths.length === 0) changedPaths = planned.changedPaths;
    const { text } = planned;
    if (text === undefined || tried.has(text)) continue;
    tried.add(text);
    const { splices } = planned;
    const edited = readBack(source, text, next, splices);
    const isCautious = mode !== MODES[0];
    if (edited) return { text, changedPaths, source: edited, rewrites: 0, isCautious, splices };
  }
  return rewrite(source, next, style, changedPaths);
}

/**
 * What is tried when the text read back says something else, gentlest first: all of these keep the
 * user's text and comments, and differ only in how what is new is written.
 */
const MODES: readonly EditMode[] = [
  {},
  { keepsFinalBreak: true },
  { isQuoted: true },
  { isQuoted: true, hasTidyBlanks: true },
  { isQuoted: true, hasTidyBlanks: true, keepsFinalBreak: true, isStill: true },
];

/** YAML text for a value that has no text yet: block style, two spaces, `\n`, final newline. */
export function printYaml(value: YamlValue): string {
  const printer = new Printer(DEFAULT_STYLE);
  const printed = printer.value(value, -1, undefined);
  const lines = printed.kind === 'inline' ? [printed.text] : printer.documentLines(printed);
  return `${lines.join('\n')}\n`;
}

function once<T>(find: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => {
    found ??= { value: find() };
    return found.value;
  };
}

/** One way to edit: the text, or `undefined` where the plan contradicts itself, and what changes. */
function attempt(
  source: YamlText,
  next: YamlValue,
  style: () => PrintStyle,
  mode: EditMode,
): {
  text: string | undefined;
  changedPaths: readonly YamlPath[];
  splices?: readonly Splice[] | undefined;
} {
  const plan = new EditPlan(source, lazyStyle(style, mode.isQuoted !== true), mode);
  editRoot(plan, next);
  if (mode.hasTidyBlanks) plan.tidyBlanks();
  if (mode.rewritten) plan.keepComments();
  const { changedPaths } = plan;
  try {
    const text = markOf(source) + plan.result();
    const splices = source.text.endsWith('\n') ? splicesOf(plan, markOf(source)) : undefined;
    return { text, changedPaths, splices };
  } catch (error) {
    // Two changes that overlap: this way to edit contradicts itself, another may not.
    if (error instanceof RangeError) return { text: undefined, changedPaths };
    throw error;
  }
}

function splicesOf({ splices }: EditPlan, mark: string): readonly Splice[] {
  return sortSplices(splices).map(({ start, end, text }) => ({
    start: start + mark.length,
    end: end + mark.length,
    text,
  }));
}

/** The byte-order mark that a text begins with, or nothing. */
function markOf(source: YamlText): string {
  return source.text.slice(0, source.text.length - source.body.length);
}

/** The text read back, or `undefined` if it is not YAML or does not say `next`. */
function readBack(
  source: YamlText,
  text: string | undefined,
  next: YamlValue,
  splices: readonly Splice[] = [],
): YamlText | undefined {
  if (text === undefined) return undefined;
  try {
    const edited = rereadScalars(source, splices, text) ?? parseYaml(text, source.options);
    return equalValues(edited.value, next) ? edited : undefined;
  } catch (error) {
    const isLimit = error instanceof CheckpointError && error.code.startsWith('TOO_');
    if (isLimit || !(error instanceof CheckpointError)) throw error;
    return undefined;
  }
}

/**
 * Writes ever larger parts anew: the collections around what changed, theirs, up to the document.
 * The comments of what is written anew stay, gathered above it.
 */
function rewrite(
  source: YamlText,
  next: YamlValue,
  style: () => PrintStyle,
  changedPaths: readonly YamlPath[],
): YamlEdit {
  const longest = changedPaths.reduce((length, path) => Math.max(length, path.length), 0);
  let rewrites = 0;
  for (let level = 1; level <= longest; level += 1) {
    rewrites += 1;
    const rewritten = new Set(
      changedPaths.map((path) => formatPath(path.slice(0, Math.max(0, path.length - level)))),
    );
    const mode = { isQuoted: true, isStill: true, rewritten };
    const edited = readBack(source, attempt(source, next, style, mode).text, next);
    if (edited)
      return {
        text: edited.text,
        changedPaths,
        source: edited,
        rewrites,
        isCautious: true,
        splices: undefined,
      };
  }
  const comments = commentsIn(source.body).map(({ text }) => `${text}\n`);
  const text = markOf(source) + comments.join('') + printYaml(next);
  const edited = readBack(source, text, next);
  if (edited)
    return {
      text,
      changedPaths,
      source: edited,
      rewrites: rewrites + 1,
      isCautious: true,
      splices: undefined,
    };
  throw new CheckpointError('UNFAITHFUL_VALUE', 'No YAML text was found that says this state.');
}
