/**
 * Edits of a text in sections: each is made in a window on the sections that it touches, and where that
 * is not enough in a window on what these are a part of. `undefined` where the whole text has to be
 * edited. Which places an edit touches is said by `section-place.ts` (a path) and `section-diff.ts` (a
 * value); what a window is, by `section-window.ts`. See docs/adr/0019-edits-work-on-sections.md.
 */
import { utf8Length } from '../utf8.js';
import { getAt, setAt } from './path-access.js';
import { type RecentTrees, withRecent } from './recent-trees.js';
import {
  type ChangedPlaces,
  changedPlaces,
  type KeepsPlaces,
  type PlaceChange,
} from './section-diff.js';
import { type FoundPlace, findPlace } from './section-place.js';
import type { Body } from './section-tree.js';
import { styleOfSections } from './section-value.js';
import {
  bodiesAt,
  type Committed,
  commitAppended,
  commitWindow,
  innerPath,
  type Model,
  nextOf,
  openWindow,
  outerPath,
  type Place,
  textModel,
  type Window,
} from './section-window.js';
import type { Splice } from './splice.js';
import { editAt, type KnownChange } from './yaml-edit.js';
import type { YamlPath } from './yaml-path.js';
import type { PrintStyle } from './yaml-print.js';
import {
  countTokens,
  type ParseYamlOptions,
  parseYaml,
  type YamlLimits,
  type YamlText,
} from './yaml-text.js';
import type { YamlValue } from './yaml-value.js';

/** A text in sections, and what is known of it. */
export interface Sections {
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

/** An edit: the sections after it, the same ones where nothing changes, and what it replaced. */
export interface SectionsEdit {
  readonly sections: Sections;
  /** Ascending, in UTF-16 units of the text before. */
  readonly splices: readonly Splice[];
  /** See `YamlEdit`. */
  readonly isCautious?: boolean;
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
  /** The index of a part to be in the window in any case. */
  readonly model?: number | undefined;
  /** The text before an edit of several places: its habits and models are those to follow. */
  readonly base: Sections;
  /** The habits of its text. */
  readonly style: () => PrintStyle;
  readonly commit: (
    window: Window,
    splices: readonly Splice[],
    edited: YamlText,
  ) => Committed | undefined;
}

/** How often an edit is tried in larger sections before the whole text is edited. */
const MAX_TRIES = 4;

/**
 * Edits sections. @throws CheckpointError or NotInSections where a section turns out to be something
 * else than its lines look like: the whole text says then what is wrong, if anything is.
 */
export class SectionEditor {
  readonly #options: ParseYamlOptions;
  readonly #limits: YamlLimits;

  constructor(options: ParseYamlOptions, limits: YamlLimits) {
    this.#options = options;
    this.#limits = limits;
  }

  /** As `setYaml`, or `undefined`. */
  set(sections: Sections, path: YamlPath, next: YamlValue | undefined): SectionsEdit | undefined {
    for (let most = path.length; most >= 0; ) {
      const found = findPlace(sections.root, path, next === undefined, most);
      const edit = found && this.#setAtPlace(sections, found, path, next);
      if (edit || !found) return edit;
      // It reaches beyond the sections: what they are a part of may be enough.
      most = found.level - 1;
    }
    return undefined;
  }

  #setAtPlace(
    sections: Sections,
    { place, level, before, isList, isNew, isBehindBranch }: FoundPlace,
    path: YamlPath,
    next: YamlValue | undefined,
  ): SectionsEdit | undefined {
    return this.#editWindow(sections, {
      place,
      base: sections,
      style: this.#styleOf(sections),
      change: (window, value) => {
        const inner = innerPath(window, path, level, before);
        return { next: setAt(value, inner, next), known: { changedPath: inner } };
      },
      modelLevel: (window, value) => {
        if (typeof next !== 'string' || path.length !== level + 1) return undefined;
        const inner = innerPath(window, path, level, before);
        const follows = isNew ? !isList : typeof getAt(value, inner) !== 'string';
        return follows ? level : undefined;
      },
      commit: isBehindBranch
        ? (window, splices) => commitAppended(window, level, splices)
        : commitWindow,
    });
  }

  /** As `editYaml`, or as `setAllYaml` where places are known to be kept; or `undefined`. */
  edit(
    sections: Sections,
    value: YamlValue,
    next: YamlValue,
    keepsPlaces: KeepsPlaces = () => false,
  ): SectionsEdit | undefined {
    const closed = new Set<Body>();
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const found = changedPlaces(sections.root, value, next, { keepsPlaces, closed });
      const edit = found && this.#editPlaces(sections, found);
      if (!edit || 'sections' in edit) return edit;
      // It reaches beyond the sections: what they are a part of may be enough.
      const { branches } = edit.failed;
      const body = bodiesAt(sections.root, branches).at(-1);
      if (!body || branches.length === 0) return undefined;
      closed.add(body);
    }
    return undefined;
  }

  #editPlaces(
    before: Sections,
    { changes, keepsPlaces }: ChangedPlaces,
  ): SectionsEdit | { readonly failed: Place } | undefined {
    let sections = before;
    const base = { base: before, style: this.#styleOf(before) };
    const splices: (readonly Splice[])[] = [];
    // From the last to the first, so that what is still to be changed stays where it is.
    for (const change of changes) {
      const edit = this.#editPlace(sections, base, change, keepsPlaces);
      if (!edit) return { failed: change.place };
      // One way to write holds for all that is new in an edit.
      if (edit.isCautious && changes.length > 1) return undefined;
      sections = edit.sections;
      splices.push(edit.splices);
    }
    return { sections, splices: splices.reverse().flat() };
  }

  #editPlace(
    sections: Sections,
    base: Pick<WindowEdit, 'base' | 'style'>,
    { place, next, hasNewText, model, before }: PlaceChange,
    keepsPlaces: KeepsPlaces,
  ): SectionsEdit | undefined {
    const level = place.branches.length;
    return this.#editWindow(sections, {
      ...base,
      place,
      model,
      change: (window) => ({
        next: nextOf(window, next, this.#options),
        known: { keepsPlaces: (path) => keepsPlaces(outerPath(window, path, before)) },
      }),
      modelLevel: () => (hasNewText ? level : undefined),
      commit: commitWindow,
    });
  }

  #styleOf({ root, preamble }: Sections): () => PrintStyle {
    let found: PrintStyle | undefined;
    return () => {
      found ??= styleOfSections(root, preamble.length, this.#options);
      return found;
    };
  }

  #editWindow(sections: Sections, edit: WindowEdit): SectionsEdit | undefined {
    const options = this.#options;
    const { preamble, root, isRead } = sections;
    const always = modelOf(edit);
    let window = openWindow(root, edit.place, always);
    let source = this.#read(sections, window.text);
    const level = edit.modelLevel(window, source.value);
    const model =
      level === undefined ? undefined : textModel(edit.base.root, window, level, source, options);
    if (model && always && model.index !== always.index) return undefined;
    if (model && !always) {
      window = openWindow(root, edit.place, model);
      source = this.#read(sections, window.text);
    }
    const { next, known } = edit.change(window, source.value);
    const edited = editAt(source, next, known, edit.style);
    sections.recent = withRecent(sections.recent, source);
    if (edited.splices?.length === 0) return { sections, splices: [] };
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
    return { sections: after, splices, isCautious: edited.isCautious };
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
}

function modelOf({ place, model, base }: WindowEdit): Model | undefined {
  const { branches } = place;
  const part = model === undefined ? undefined : bodiesAt(base.root, branches).at(-1)?.parts[model];
  return part && { level: branches.length, index: model ?? 0, part };
}
