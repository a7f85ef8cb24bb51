/**
 * The fenced blocks of the documents, each with the marker that says how it is tried. What the markers
 * mean stands in `CONTRIBUTING.md`; a block without one stands for itself.
 */
import type { Document } from './documents.js';

/** How a block is tried, beyond what its language says. */
export type Marker =
  /** Prepared by, or set into, the example of that name. */
  | { readonly kind: 'with'; readonly name: string }
  /** Goes on where the block before it in the same document ended. */
  | { readonly kind: 'continues' }
  /** Is a part of that test, line for line; only type-checked here. */
  | { readonly kind: 'tested by'; readonly file: string }
  /** Is what the program before it prints, or a part of that. */
  | { readonly kind: 'output' }
  /** Can't be run. */
  | { readonly kind: 'sample'; readonly reason: string };

/** A fenced block. */
export interface Block {
  /** `docs/guard.md:23`: where its fence opens. */
  readonly place: string;
  readonly path: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
  readonly marker: Marker | undefined;
}

/** All blocks of a document, in order. Throws where a fence is not closed or a marker says nothing. */
export function blocksOf({ path, text }: Document): Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  for (let start = 0; start < lines.length; start++) {
    const fence = /^( *)(`{3,}|~{3,})\s*([\w-]*)/.exec(lines[start] ?? '');
    if (fence === null) {
      checkMarker(path, lines, start);
      continue;
    }
    const [, indent = '', ticks = '', language = ''] = fence;
    const end = lines.findIndex((line, at) => at > start && line.trim() === ticks);
    if (end === -1) throw new Error(`${path}:${start + 1}: the fence of this block is not closed`);
    const body = lines.slice(start + 1, end).map((line) => line.slice(indent.length));
    blocks.push({
      place: `${path}:${start + 1}`,
      path,
      line: start + 1,
      language,
      text: `${body.join('\n')}\n`,
      marker: parseMarker(path, start, lines[start - 1]),
    });
    start = end;
  }
  return blocks;
}

const markerLine = /^ *<!-- example: (.*) -->$/;

function checkMarker(path: string, lines: readonly string[], at: number): void {
  if (!/^ *<!--\s*example\b/.test(lines[at] ?? '')) return;
  if (!markerLine.test(lines[at] ?? '') || !/^ *(```|~~~)/.test(lines[at + 1] ?? '')) {
    throw new Error(
      `${path}:${at + 1}: a marker is a line "<!-- example: … -->" directly above its block`,
    );
  }
}

function parseMarker(path: string, fence: number, before: string | undefined): Marker | undefined {
  const [, words] = markerLine.exec(before ?? '') ?? [];
  if (words === undefined) return undefined;
  if (words === 'continues' || words === 'output') return { kind: words };
  const [, name] = /^with ([a-z0-9-]+)$/.exec(words) ?? [];
  if (name !== undefined) return { kind: 'with', name };
  const [, reason] = /^sample: (.{8,})$/.exec(words) ?? [];
  if (reason !== undefined) return { kind: 'sample', reason };
  const [, file] = /^tested by (test\/\S+\.test\.ts)$/.exec(words) ?? [];
  if (file !== undefined) return { kind: 'tested by', file };
  throw new Error(
    `${path}:${fence}: "${words}" is no marker: with NAME, continues, output, tested by FILE, or sample: REASON`,
  );
}
