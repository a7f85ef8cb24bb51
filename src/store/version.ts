/**
 * One version of the user's text and what can be derived from it, derived only when asked for and
 * only once: parsing costs far more than reading, and of a long text even joining it does.
 */

import type { Splice as ByteSplice } from '../format/image-splice.js';
import type { Splice } from '../format/yaml/splice.js';
import { type DocumentEdit, YamlDocument } from '../format/yaml/yaml-document.js';
import type { YamlPath } from '../format/yaml/yaml-path.js';
import type { YamlLimits } from '../format/yaml/yaml-text.js';
import { deepFreeze, type YamlValue } from '../format/yaml/yaml-value.js';

/**
 * A text of the checkpoint, without its seal line. A version that an edit made knows what it was made
 * from, {@link base}, and by which {@link splices}. Several edits make a chain of bases; whoever has
 * published a version tells it to {@link forgetBase}, so that no older text is kept.
 */
export class Version {
  readonly #document: YamlDocument;
  #base: Version | undefined;
  #splices: readonly Splice[] | undefined;
  #state: { readonly value: unknown } | undefined;

  /**
   * @param text or what gives it when it is first asked for
   * @param known a version much like it: sections that both have are not parsed again
   */
  constructor(
    text: string | (() => string) | YamlDocument,
    limits: Partial<YamlLimits>,
    known?: Version,
  ) {
    this.#document =
      text instanceof YamlDocument ? text : YamlDocument.of(text, { limits }, known?.document);
  }

  /** The text; joined at the first use. */
  get text(): string {
    return this.#document.text;
  }

  /** The length of the text in UTF-16 units, without joining it. */
  get length(): number {
    return this.#document.length;
  }

  /** The text with what is known of its sections. */
  get document(): YamlDocument {
    return this.#document;
  }

  /** What this version was edited from; `undefined` where that is not known, or was let go. */
  get base(): Version | undefined {
    return this.#base;
  }

  /**
   * What the edit replaced in the text of {@link base}, so that `applySplices(base.text, splices)` is
   * {@link text}: offsets are UTF-16 code units of the base's text, ascending and not overlapping; at one
   * offset insertions come before a replacement, and are written in their order. `undefined` without a
   * base, or where the text was written anew. Known without joining either text.
   */
  get splices(): readonly Splice[] | undefined {
    return this.#splices;
  }

  /** Lets go of {@link base}, so that it can be freed. */
  forgetBase(): void {
    this.#base = undefined;
    this.#splices = undefined;
  }

  /** The value as it stands in the file. @throws CheckpointError as `parseYaml` does */
  get value(): YamlValue {
    return this.#document.value;
  }

  /** Whether the text is long and nobody has asked for its value: reading it takes time then. */
  get isUnread(): boolean {
    return this.#document.isUnread;
  }

  /** The value as the user's schema sees it; the file's own value where there is no schema. */
  get state(): unknown {
    return this.#state === undefined ? this.value : this.#state.value;
  }

  /** Keeps what the schema made of the value, frozen. */
  setState(value: unknown): void {
    this.#state = { value: deepFreeze(value) };
  }

  /** This version with one place changed; itself where nothing changes. @throws CheckpointError as `setYaml` does */
  set(path: YamlPath, next: YamlValue | undefined): Version {
    return this.#after(this.#document.set(path, next));
  }

  /**
   * This version with several places set one after the other, which gave `next`; none of them removed an
   * item of a list. @throws CheckpointError as `setAllYaml` does
   */
  setAll(paths: readonly YamlPath[], next: YamlValue): Version {
    return this.#after(this.#document.setAll(paths, next));
  }

  /** This version saying another value; itself where it says it already. @throws CheckpointError as `editYaml` does */
  edit(next: YamlValue): Version {
    return this.#after(this.#document.edit(next));
  }

  #after({ document, splices }: DocumentEdit): Version {
    if (document === this.#document) return this;
    const version = new Version(document, {});
    version.#base = this;
    version.#splices = splices;
    return version;
  }
}

/**
 * Splices of a version's text, as {@link Version.splices}, with offsets in bytes of that text in UTF-8, as a
 * log of checkpoints has them. The text is without its seal line.
 */
export function byteSplicesOf(
  { document }: Version,
  splices: readonly Splice[],
): readonly ByteSplice[] {
  // Where each unit takes one byte, as in most texts, there is nothing to count; to know it all is counted.
  const isAscii = splices.length > 2 && document.bytesBefore(document.length) === document.length;
  const bytesBefore = (units: number) => (isAscii ? units : document.bytesBefore(units));
  const texts = encodedAlone(splices.map(({ text }) => text));
  return splices.map(({ start, end }, index) => ({
    start: bytesBefore(start),
    end: bytesBefore(end),
    bytes: texts[index] ?? new Uint8Array(),
  }));
}

/** Texts as UTF-8, encoded by one call where units are bytes. */
function encodedAlone(texts: readonly string[]): Uint8Array[] {
  const encoder = new TextEncoder();
  const joined = texts.join('');
  const bytes = encoder.encode(joined);
  if (bytes.length !== joined.length) return texts.map((text) => encoder.encode(text));
  let end = 0;
  return texts.map((text) => {
    const start = end;
    end += text.length;
    return bytes.subarray(start, end);
  });
}
