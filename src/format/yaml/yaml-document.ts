/**
 * A YAML text that is edited again and again. A long block text is held in sections: what it says is
 * read section by section when it is needed, and an edit parses and prints only the sections that it
 * touches; its cost follows the change. Every result is byte for byte that of `yaml-edit.ts`, which
 * edits a whole text, and does it here wherever sections are not certain to be enough.
 * Immutable; texts are joined only when asked for. See docs/adr/0019-edits-work-on-sections.md.
 */
import { CheckpointError } from '../../errors.js';
import { utf8Length } from '../utf8.js';
import { getAt, setAt } from './path-access.js';
import { type RecentTrees, withRecent } from './recent-trees.js';
import { changedPlaces, type KeepsPlaces, type PlaceChange } from './section-diff.js';
import { findPlace } from './section-place.js';
import { scanSections } from './section-scan.js';
import {
  type Body,
  bodyValue,
  bytesBefore,
  isCut,
  noteValue,
  reuseKnown,
  tokensIn,
} from './section-tree.js';
import { leafValue, NotInSections, styleOfSections } from './section-value.js';
import {
  type Committed,
  commitAppended,
  commitWindow,
  documentText,
  nextOf,
  openWindow,
  outerPath,
  type Place,
  textModel,
  type Window,
} from './section-window.js';
import type { Splice } from './splice.js';
import {
  editAt,
  editYaml,
  type KnownChange,
  keptPlaces,
  setAllYaml,
  setYaml,
  type YamlEdit,
} from './yaml-edit.js';
import type { YamlPath } from './yaml-path.js';
import { problemsIn } from './yaml-problem.js';
import {
  countTokens,
  DEFAULT_LIMITS,
  maxTokensIn,
  type ParseYamlOptions,
  parseYaml,
  type YamlLimits,
  type YamlText,
} from './yaml-text.js';
import { equalValues, type YamlValue } from './yaml-value.js';

/** An edit: the document after it, and what it replaced in the text before it. */
export interface DocumentEdit {
  /** The document before the edit where nothing changes. */
  readonly document: YamlDocument;
  /** Ascending, in UTF-16 units of the text before; `undefined` where the text was written anew. */
  readonly splices: readonly Splice[] | undefined;
}

interface Sections {
  readonly preamble: string;
  readonly root: Body;
  /** The size in UTF-8; `undefined` for texts far from the limit. */
  readonly bytes: number | undefined;
  /** The lexical tokens; `undefined` for texts far from the limit, or whose value nobody has asked for. */
  tokens?: number | undefined;
  /** Whether all sections were read, but for those that edits have made since. */
  isRead?: boolean | undefined;
  /** The trees that were read last, the newest first: the next edit often needs one again. */
  recent?: RecentTrees | undefined;
}

/** What an edit does in a window. */
interface WindowEdit {
  readonly place: Place;
  /** What the window's text is to say, and what else is known of the change. */
  readonly change: (
    window: Window,
    value: YamlValue,
  ) => { readonly next: YamlValue; readonly known: KnownChange };
  /** The level of the body whose strings show how a new one looks; `undefined` where none is needed. */
  readonly modelLevel: (window: Window, value: YamlValue) => number | undefined;
  /** The index of a leaf to be in the window in any case. */
  readonly model?: number | undefined;
  readonly commit: (
    window: Window,
    splices: readonly Splice[],
    edited: YamlText,
  ) => Committed | undefined;
}

/** A text, or what gives it. */
type LazyText = string | (() => string);

/** In UTF-16 units; what is shorter is read as a whole in a few milliseconds. */
const LONG_TEXT = 4096;

/** See the head of this file. */
export class YamlDocument {
  readonly #options: ParseYamlOptions;
  readonly #limits: YamlLimits;
  /** Or what gives it; `undefined` where it is made of the sections. */
  #text: LazyText | undefined;
  /** `undefined` until they are looked for, with what may be {@link #known} of them; `null` for none. */
  #found: Sections | null | undefined;
  #known: Body | undefined;
  #whole: YamlText | undefined;

  private constructor(options: ParseYamlOptions, text: LazyText | undefined, sections?: Sections) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#text = text;
    this.#found = sections;
  }

  /**
   * A document of the text, or of what gives it when it is first asked for; it is not looked at yet.
   * @param known a document much like it: what it knows of equal sections is taken over
   */
  static of(text: LazyText, options: ParseYamlOptions = {}, known?: YamlDocument): YamlDocument {
    const document = new YamlDocument(options, text);
    document.#known = known ? known.#found?.root : undefined;
    return document;
  }

  /** The text in sections, found at the first use. */
  get #sections(): Sections | undefined {
    if (this.#found === undefined) {
      this.#found = this.#scan(this.text) ?? null;
      this.#known = undefined;
    }
    return this.#found ?? undefined;
  }

  #scan(text: string): Sections | undefined {
    const { maxBytes } = this.#limits;
    const bytes = text.length * 6 > maxBytes ? utf8Length(text) : undefined;
    const scanned = (bytes ?? 0) > maxBytes ? undefined : scanSections(text);
    if (!scanned || !isCut(scanned.root)) return undefined;
    const root = this.#known ? reuseKnown(scanned.root, this.#known) : scanned.root;
    return { preamble: scanned.preamble, root, bytes };
  }

  /** The text, joined at the first use. */
  get text(): string {
    if (typeof this.#text === 'string') return this.#text;
    const found = this.#found;
    this.#text = found ? documentText(found.preamble, found.root) : (this.#text?.() ?? '');
    return this.#text;
  }

  /** The length of the text in UTF-16 units; costs nothing. */
  get length(): number {
    const sections = this.#found;
    return sections ? sections.preamble.length + sections.root.length : this.text.length;
  }

  /** How many bytes of UTF-8 the first units of the text take. */
  bytesBefore(units: number): number {
    const sections = this.#found;
    if (!sections) return utf8Length(this.text.slice(0, units));
    const inRoot = units - sections.preamble.length;
    if (inRoot <= 0) return utf8Length(sections.preamble.slice(0, units));
    return utf8Length(sections.preamble) + bytesBefore(sections.root, inRoot);
  }

  /**
   * What the text says, deeply frozen. Parts that are the same in the document that this one was
   * edited from are the same objects. @throws CheckpointError as {@link parseYaml} does
   */
  get value(): YamlValue {
    const sections = this.#sections;
    if (!sections || this.#whole) return this.#parsed.value;
    try {
      // Reading the whole text says where in it an error is.
      return attempt(() => this.#valueOf(sections)) ?? this.#parsed.value;
    } catch (error) {
      if (!(error instanceof TooManyTokens)) throw error;
      const what = `the text has more than ${this.#limits.maxTotalTokens} tokens.`;
      throw problemsIn(this.text, this.#options.file)('TOO_LARGE', this.length, what);
    }
  }

  #valueOf(sections: Sections): YamlValue | undefined {
    const { root } = sections;
    const max = this.#limits.maxTotalTokens;
    const isCounted = maxTokensIn(root.length) > max;
    let tokens = 0;
    const value = bodyValue(root, (leaf, depth) => {
      const read = leafValue(leaf, depth, this.#options);
      if (isCounted) tokens += leaf.known.tokens ?? 0;
      if (tokens > max) throw new TooManyTokens();
      return read;
    });
    sections.isRead = true;
    if (isCounted) {
      sections.tokens ??= tokensIn(root, countTokens);
      if (sections.tokens > max) throw new TooManyTokens();
    }
    return value;
  }

  /** Whether the text is long and in sections, of which many may still have to be read for its value. */
  get isUnread(): boolean {
    if (this.length < LONG_TEXT) return false;
    const sections = this.#sections;
    return sections !== undefined && sections.isRead !== true && this.#whole === undefined;
  }

  get #parsed(): YamlText {
    this.#whole ??= parseYaml(this.text, this.#options);
    return this.#whole;
  }

  /** As {@link setYaml}. @throws CheckpointError as that does */
  set(path: YamlPath, next: YamlValue | undefined): DocumentEdit {
    const edit = attempt(() => this.#setInSections(path, next));
    if (edit) return edit;
    // What is wrong with a path is said without parsing the whole text.
    if (this.#sections) setAt(this.value, path, next);
    return this.#taken(setYaml(this.#parsed, path, next));
  }

  /** As {@link editYaml}. @throws CheckpointError as that does */
  edit(next: YamlValue): DocumentEdit {
    const edit = attempt(() => this.#editInSections(next));
    return edit ?? this.#taken(editYaml(this.#parsed, next));
  }

  /** As {@link setAllYaml}. @throws CheckpointError as that does */
  setAll(paths: readonly YamlPath[], next: YamlValue): DocumentEdit {
    const edit = attempt(() => this.#editInSections(next, keptPlaces(paths)));
    return edit ?? this.#taken(setAllYaml(this.#parsed, paths, next));
  }

  #taken(edit: YamlEdit): DocumentEdit {
    if (edit.text === this.text) return { document: this, splices: [] };
    const document = YamlDocument.of(edit.text, this.#options, this);
    const sections = document.#sections;
    // Read once, as a whole; sections that don't fit what was read are read by themselves.
    if (sections && noteValue(sections.root, edit.source.value)) sections.isRead = true;
    else document.#whole = edit.source;
    return { document, splices: edit.splices };
  }

  #setInSections(path: YamlPath, next: YamlValue | undefined): DocumentEdit | undefined {
    const sections = this.#sections;
    const found = sections && findPlace(sections.root, path, next === undefined);
    if (!found) return undefined;
    const { place, level, isList, isNew, isBehindBranch } = found;
    const pathIn = ({ before }: Window) =>
      path.map((step, at) =>
        at === level && isList ? Number(step) - found.before + (before?.count ?? 0) : step,
      );
    return this.#editWindow(sections, {
      place,
      change: (window, value) => {
        const inner = pathIn(window);
        return { next: setAt(value, inner, next), known: { changedPath: inner } };
      },
      modelLevel: (window, value) => {
        if (typeof next !== 'string' || path.length !== level + 1) return undefined;
        const follows = isNew ? !isList : typeof getAt(value, pathIn(window)) !== 'string';
        return follows ? level : undefined;
      },
      commit: isBehindBranch
        ? (window, splices) => commitAppended(window, level, splices)
        : commitWindow,
    });
  }

  #editWindow(sections: Sections, edit: WindowEdit): DocumentEdit | undefined {
    const options = this.#options;
    const { preamble, root, isRead } = sections;
    const inner = edit.place.branches.length;
    const always = edit.model === undefined ? undefined : { level: inner, index: edit.model };
    let window = openWindow(root, edit.place, always);
    let source = this.#read(sections, window.text);
    const level = edit.modelLevel(window, source.value);
    const model = level === undefined ? undefined : textModel(window, level, source, options);
    if (model && always && model.index !== always.index) return undefined;
    if (model && !always) {
      window = openWindow(root, edit.place, model);
      source = this.#read(sections, window.text);
    }
    const { next, known } = edit.change(window, source.value);
    const style = () => styleOfSections(root, preamble.length, options);
    const edited = editAt(source, next, known, style);
    sections.recent = withRecent(sections.recent, source);
    if (edited.splices?.length === 0) return { document: this, splices: [] };
    const committed = edited.splices && edit.commit(window, edited.splices, edited.source);
    if (!committed) return undefined;
    const bytes = this.#bytesAfter(sections, window, committed);
    const tokens = this.#tokensAfter(sections, window, edited.text);
    if (bytes === 'unknown' || tokens === 'unknown') return undefined;
    const recent = withRecent(sections.recent, edited.source, source);
    const after = { preamble, root: committed.root, bytes, tokens, isRead, recent };
    const splices = committed.splices.map(({ start, end, text }) => {
      return { start: start + preamble.length, end: end + preamble.length, text };
    });
    return { document: new YamlDocument(options, undefined, after), splices };
  }

  #bytesAfter(
    { bytes, preamble }: Sections,
    window: Window,
    { root, splices }: Committed,
  ): number | undefined | 'unknown' {
    const { maxBytes } = this.#limits;
    // A unit takes three bytes at most.
    if (bytes === undefined) {
      return (preamble.length + root.length) * 3 > maxBytes ? 'unknown' : undefined;
    }
    let after = bytes;
    for (const { start, end, text } of splices) {
      const shift = window.start - window.offset;
      after += utf8Length(text) - utf8Length(window.text.slice(start + shift, end + shift));
    }
    return after > maxBytes ? 'unknown' : after;
  }

  #tokensAfter(
    { tokens }: Sections,
    window: Window,
    edited: string,
  ): number | undefined | 'unknown' {
    if (tokens === undefined) return undefined;
    const { text, start, end } = window;
    const after = edited.slice(start, edited.length - (text.length - end));
    const count = tokens - countTokens(text.slice(start, end)) + countTokens(after);
    return count > this.#limits.maxTotalTokens ? 'unknown' : count;
  }

  #read(sections: Sections, text: string): YamlText {
    const known = sections.recent?.find((one) => one.text === text);
    return known ?? parseYaml(text, this.#options);
  }

  #editInSections(next: YamlValue, keepsPlaces?: KeepsPlaces): DocumentEdit | undefined {
    const sections = this.#sections;
    if (!sections) return undefined;
    const { value } = this;
    if (equalValues(value, next)) return { document: this, splices: [] };
    let document: YamlDocument = this;
    const splices: (readonly Splice[])[] = [];
    // From the last to the first, so that what is still to be changed stays where it is.
    for (const change of changedPlaces(sections.root, value, next, keepsPlaces) ?? [undefined]) {
      const edit = change && document.#editPlace(change, keepsPlaces);
      if (!edit?.splices) return undefined;
      document = edit.document;
      splices.push(edit.splices);
    }
    return { document, splices: splices.reverse().flat() };
  }

  #editPlace(
    { place, next, hasNewText, model, before }: PlaceChange,
    keepsPlaces: KeepsPlaces | undefined,
  ): DocumentEdit | undefined {
    const sections = this.#sections;
    const level = place.branches.length;
    return (
      sections &&
      this.#editWindow(sections, {
        place,
        model,
        change: (window) => ({
          next: nextOf(window, next, this.#options),
          known: {
            keepsPlaces: keepsPlaces && ((path) => keepsPlaces(outerPath(window, path, before))),
          },
        }),
        modelLevel: () => (hasNewText ? level : undefined),
        commit: commitWindow,
      })
    );
  }
}

/** A text has more tokens than it may have; what is wrong is not in one of its sections. */
class TooManyTokens extends Error {}

/** What a way through the sections comes to; `undefined` where it fails and the whole text decides. */
function attempt<T>(work: () => T | undefined): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof NotInSections) return undefined;
    throw error;
  }
}
