/**
 * A YAML text that is edited again and again. A long block text is held in sections: what it says is
 * read section by section when it is needed, and an edit parses and prints only the sections that it
 * touches; its cost follows the change. Every result is byte for byte that of `yaml-edit.ts`, which
 * edits a whole text, and does it here wherever sections are not certain to be enough.
 * Immutable; texts are joined only when asked for. See docs/adr/0019-edits-work-on-sections.md.
 */
import { CheckpointError } from '../../errors.js';
import { utf8Length } from '../utf8.js';
import { setAt } from './path-access.js';
import type { KeepsPlaces } from './section-diff.js';
import { SectionEditor, type Sections, type SectionsEdit } from './section-edit.js';
import { reuseKnown } from './section-reuse.js';
import { scanSections } from './section-scan.js';
import { type Body, bodyValue, bytesBefore, isCut, noteValue, tokensIn } from './section-tree.js';
import { leafValue, NotInSections } from './section-value.js';
import { documentText } from './section-window.js';
import type { Splice } from './splice.js';
import { editYaml, keptPlaces, setAllYaml, setYaml, type YamlEdit } from './yaml-edit.js';
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
    const sections = this.#sections;
    const edit = sections && attempt(() => this.#editor.set(sections, path, next));
    if (edit) return this.#after(edit);
    // What is wrong with a path is said without parsing the whole text.
    if (sections) setAt(this.value, path, next);
    return this.#taken(setYaml(this.#parsed, path, next));
  }

  /** As {@link editYaml}. @throws CheckpointError as that does */
  edit(next: YamlValue): DocumentEdit {
    const edit = this.#editInSections(next);
    return edit ?? this.#taken(editYaml(this.#parsed, next));
  }

  /** As {@link setAllYaml}. @throws CheckpointError as that does */
  setAll(paths: readonly YamlPath[], next: YamlValue): DocumentEdit {
    const edit = this.#editInSections(next, keptPlaces(paths));
    return edit ?? this.#taken(setAllYaml(this.#parsed, paths, next));
  }

  #editInSections(next: YamlValue, keepsPlaces?: KeepsPlaces): DocumentEdit | undefined {
    const sections = this.#sections;
    const edit =
      sections &&
      attempt(() => {
        const { value } = this;
        if (equalValues(value, next)) return { sections, splices: [] };
        return this.#editor.edit(sections, value, next, keepsPlaces);
      });
    return edit && this.#after(edit);
  }

  get #editor(): SectionEditor {
    return new SectionEditor(this.#options, this.#limits);
  }

  #after({ sections, splices }: SectionsEdit): DocumentEdit {
    const isSame = sections === this.#found;
    const document = isSame ? this : new YamlDocument(this.#options, undefined, sections);
    return { document, splices };
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
