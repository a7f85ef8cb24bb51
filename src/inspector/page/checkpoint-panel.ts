/**
 * The checkpoint at a moment: its text, and what changed against the one before it. Where a text is
 * not to be had, what is known of it.
 */
import type { CheckpointView, DiskFile } from '../run-model.js';
import { make, makeButton, setAttribute, setText } from './dom.js';
import { type DiffLine, diffLines, linesOf, readDiff } from './line-diff.js';
import { frameAt, type Panel, type Run, type View } from './view.js';
import { VirtualList } from './virtual-list.js';
import { countOf, shortHash, sizeOf } from './words.js';

const ROW_HEIGHT = 20;

const SIGNS: Readonly<Record<DiffLine['kind'], string>> = {
  same: ' ',
  added: '+',
  removed: '−',
  gap: '⋯',
};

const SPOKEN: Readonly<Record<DiffLine['kind'], string>> = {
  same: '',
  added: 'added: ',
  removed: 'removed: ',
  gap: '',
};

/** See the head of this file. */
export class CheckpointPanel implements Panel {
  readonly element: HTMLElement;
  readonly #title = make('p', { class: 'checkpoint-title' });
  readonly #facts = make('p', { class: 'note' });
  readonly #list: VirtualList<HTMLElement>;
  readonly #missing = make('p', { class: 'empty' });
  readonly #changes: HTMLButtonElement;
  readonly #text: HTMLButtonElement;
  #wholeText = false;
  #lines: readonly DiffLine[] = [];
  #shown = '';
  #view: View | undefined;

  constructor() {
    this.#list = new VirtualList<HTMLElement>({
      rowHeight: ROW_HEIGHT,
      label: 'Lines of the checkpoint',
      role: 'list',
      make: makeLine,
      fill: (row, index) => fillLine(row, this.#lines[index]),
    });
    this.#changes = makeButton('Changes', 'What changed against the one before', () =>
      this.#choose(false),
    );
    this.#text = makeButton('Text', 'The whole text', () => this.#choose(true));
    const buttons = make('div', { class: 'checkpoint-tools' }, this.#changes, this.#text);
    const words = make('div', { class: 'checkpoint-words' }, this.#title, this.#facts);
    const head = make('div', { class: 'checkpoint-head' }, words, buttons);
    this.element = make('div', { class: 'checkpoint' }, head, this.#list.element, this.#missing);
    this.#choose(false);
  }

  show(view: View): void {
    this.#view = view;
    const sequence = sequenceAt(view);
    const checkpoint = sequence === undefined ? undefined : view.run.checkpoints.get(sequence);
    const before = sequence === undefined ? undefined : checkpointBefore(view.run, sequence);
    const isFile = checkpointFileAt(view)?.volatile !== undefined;
    const key = `${sequence} ${isFile} ${checkpoint?.size} ${before?.sequence} ${this.#wholeText}`;
    if (key === this.#shown) return;
    this.#shown = key;
    const none = isFile ? 'A file without its seal' : 'No checkpoint yet';
    setText(this.#title, sequence === undefined ? none : `Checkpoint #${sequence}`);
    setText(this.#facts, factsOf(checkpoint, before));
    this.#lines = checkpoint === undefined ? [] : linesFor(checkpoint, before, this.#wholeText);
    this.#list.update(this.#lines.length);
    this.#list.element.hidden = this.#lines.length === 0;
    this.#missing.hidden = this.#lines.length > 0;
    const edited = 'It was edited since it was saved, or is damaged; recovery decides which.';
    const isEdited = sequence === undefined && isFile;
    setText(this.#missing, isEdited ? edited : whyEmpty(sequence, checkpoint));
    const change = this.#lines.findIndex(({ kind }) => kind === 'added' || kind === 'removed');
    this.#list.reveal(Math.max(0, change - 3), 'nearest');
  }

  #choose(wholeText: boolean): void {
    this.#wholeText = wholeText;
    setAttribute(this.#changes, 'aria-pressed', String(!wholeText));
    setAttribute(this.#text, 'aria-pressed', String(wholeText));
    if (this.#view !== undefined) this.show(this.#view);
  }
}

/** The sequence number that the checkpoint file shows; `undefined` where there is none, or it is not known. */
function sequenceAt(view: View): number | undefined {
  const file = checkpointFileAt(view);
  return file?.volatile?.sequence ?? file?.durable?.sequence;
}

function checkpointFileAt({ run, index, crash }: View): DiskFile | undefined {
  const files = crash?.image ?? frameAt(run.frames, index)?.files;
  const exact = files?.find(({ kind }) => kind === 'checkpoint');
  return exact ?? run.log.diskAfter(index).checkpoint;
}

/** The checkpoint before: the next lower number that there is. */
function checkpointBefore({ checkpoints }: Run, sequence: number): CheckpointView | undefined {
  let best: CheckpointView | undefined;
  const direct = checkpoints.get(sequence - 1);
  if (direct !== undefined) return direct;
  for (const checkpoint of checkpoints.values()) {
    if (checkpoint.sequence < sequence && checkpoint.sequence > (best?.sequence ?? -1))
      best = checkpoint;
  }
  return best;
}

function linesFor(
  { text, diff }: CheckpointView,
  before: CheckpointView | undefined,
  wholeText: boolean,
): readonly DiffLine[] {
  const whole = (kind: DiffLine['kind']) =>
    linesOf(text ?? '').map((line) => ({ kind, text: line }));
  if (wholeText) return whole('same');
  if (diff !== undefined) return readDiff(diff);
  if (text === undefined) return [];
  if (before?.text !== undefined) return diffLines(before.text, text);
  return whole(before === undefined ? 'added' : 'same');
}

function factsOf(
  checkpoint: CheckpointView | undefined,
  before: CheckpointView | undefined,
): string {
  if (checkpoint === undefined) return '';
  const { label, size, sha256 } = checkpoint;
  return [
    ...(label === undefined ? [] : [`“${label}”`]),
    sizeOf(size),
    ...(sha256 === undefined ? [] : [`sha256 ${shortHash(sha256)}…`]),
    before === undefined ? 'the first one' : `against #${before.sequence}`,
  ].join(' · ');
}

function whyEmpty(sequence: number | undefined, checkpoint: CheckpointView | undefined): string {
  if (sequence === undefined) return 'The first save that is published will show up here.';
  if (checkpoint === undefined) return `Nothing more is known of checkpoint #${countOf(sequence)}.`;
  if (checkpoint.text === undefined) return 'Its text is not kept any more.';
  return 'Its text is the same as before.';
}

function makeLine(): HTMLElement {
  const attributes = { role: 'listitem' };
  return make('div', { class: 'line', attributes }, make('span', { class: 'sign' }), make('span'));
}

function fillLine(row: HTMLElement, line: DiffLine | undefined): void {
  const [sign, text] = row.children;
  if (line === undefined || sign === undefined || text === undefined) return;
  setAttribute(row, 'data-kind', line.kind);
  setText(sign, SIGNS[line.kind]);
  setText(text, line.text);
  setAttribute(row, 'aria-label', `${SPOKEN[line.kind]}${line.text}`);
}
