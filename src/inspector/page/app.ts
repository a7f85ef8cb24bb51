/**
 * The page as a whole: where one is in the run, and all panels showing that moment. Each change asks
 * for one rendering in the next frame, however many changes there are until then.
 */
import type { ChainVerdict, RunMessage, RunModel } from '../run-model.js';
import { ChartPanel } from './chart-panel.js';
import { CheckpointPanel } from './checkpoint-panel.js';
import { DetailsPanel } from './details-panel.js';
import { DiskPanel } from './disk-panel.js';
import { make, makeButton } from './dom.js';
import { EntriesPanel } from './entries-panel.js';
import { makeHelp } from './help-dialog.js';
import { type KeyActions, listenToKeys } from './keys.js';
import { LiveRun } from './live-run.js';
import { MessagesPanel } from './messages-panel.js';
import { MomentLine } from './moment-line.js';
import { Player } from './player.js';
import { Sections } from './sections.js';
import { toggleTheme } from './theme.js';
import { TimelineStrip } from './timeline-strip.js';
import { Transport } from './transport.js';
import { makeVerdicts, SourceBadge } from './verdict-bar.js';
import type { Panel } from './view.js';

/** See the head of this file. */
export class App {
  readonly element: HTMLElement;
  readonly #run: LiveRun;
  readonly #panels: readonly Panel[];
  readonly #entries: EntriesPanel;
  readonly #strip: TimelineStrip;
  readonly #transport: Transport;
  readonly #badge: SourceBadge;
  readonly #player: Player;
  #verdicts: HTMLElement;
  #moment: number;
  #isFollowing: boolean;
  #frame = 0;

  constructor(model: RunModel) {
    const isLive = model.source === 'live';
    this.#run = new LiveRun(model);
    this.#isFollowing = isLive;
    this.#moment = this.#firstShown(model);
    const select = (moment: number) => this.#go(moment);
    const chart = new ChartPanel(model.machines);
    const line = new MomentLine((machine, path) => chart.describe(machine, path));
    const actions = this.#actions(chart);
    this.#entries = new EntriesPanel(select);
    this.#strip = new TimelineStrip(select);
    this.#transport = new Transport(
      { ...actions, setPace: (pace) => this.#player.setPace(pace) },
      isLive,
    );
    this.#badge = new SourceBadge(model.source);
    this.#verdicts = makeVerdicts(model);
    this.#player = new Player(
      () => this.#playOn(),
      (isPlaying) => this.#transport.setPlaying(isPlaying),
    );
    const [messages, disk, checkpoint, details] = [
      new MessagesPanel(select),
      new DiskPanel(),
      new CheckpointPanel(),
      new DetailsPanel(),
    ];
    this.#sections = new Sections([
      { id: 'entries', title: 'Entries', panel: this.#entries },
      { id: 'chart', title: 'States', panel: chart },
      { id: 'messages', title: 'Messages', panel: messages },
      { id: 'disk', title: 'Disk', panel: disk },
      { id: 'checkpoint', title: 'Checkpoint', panel: checkpoint },
      { id: 'details', title: 'Details', panel: details },
    ]);
    this.#panels = [
      ...[this.#strip, this.#transport, line, this.#entries, chart, messages, disk],
      ...[checkpoint, details],
    ];
    const timeline = make(
      'div',
      { class: 'timeline' },
      this.#transport.element,
      this.#strip.element,
    );
    const help = makeHelp();
    this.#openHelp = () => help.showModal();
    this.element = make(
      'div',
      { class: 'app' },
      this.#header(model),
      this.#verdicts,
      timeline,
      line.element,
      this.#sections.element,
      help,
    );
    listenToKeys(actions);
    // Colours on the canvas do not change by themselves.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
      this.#strip.redraw(),
    );
    this.#schedule();
  }

  readonly #sections: Sections;
  readonly #openHelp: () => void;

  /** What verifying has come to by now takes the place of what it came to before. */
  #showChain(chain: ChainVerdict): void {
    const fresh = makeVerdicts({ chain });
    this.#verdicts.replaceWith(fresh);
    this.#verdicts = fresh;
  }

  /** Whether what comes before a message was missed. */
  hasMissed(message: RunMessage): boolean {
    return this.#run.hasMissed(message);
  }

  /** Takes in what the server tells of a live run. */
  take(message: RunMessage): void {
    this.#run.take(message);
    if (message.kind === 'chain') this.#showChain(message.chain);
    if (message.kind === 'ended') this.#badge.say(`ended: ${message.message}`, 'ended');
    if (this.#isFollowing) this.#moment = this.#last;
    this.#schedule();
  }

  /** Says whether the server still answers. */
  setConnected(isConnected: boolean): void {
    if (this.#run.ended !== undefined) return;
    if (isConnected) this.#badge.say('live', 'live');
    else this.#badge.say('connection lost', 'lost');
  }

  get #last(): number {
    return this.#run.moments.count - 1;
  }

  /** A live run is followed; a case is shown from its crash on; an audit from its end. */
  #firstShown({ source }: RunModel): number {
    const crash = this.#run.moments.crashes[0];
    return source === 'case' && crash !== undefined ? crash : this.#last;
  }

  #actions(chart: ChartPanel): KeyActions {
    const change = (act: () => void) => () => {
      this.#player.pause();
      act();
    };
    return {
      step: (moments) => this.#go(this.#moment + moments),
      stepListed: (rows) => this.#go(this.#entries.next(this.#moment, rows)),
      page: () => this.#entries.page,
      first: change(() => this.#go(0)),
      last: change(() => {
        this.#go(this.#last);
        this.#follow(this.#run.source === 'live');
      }),
      togglePlay: () => this.#togglePlay(),
      search: () => {
        this.#sections.open(0);
        this.#entries.focusSearch();
      },
      togglePin: () => chart.togglePin(),
      toggleWhole: () => chart.toggleWhole(),
      toggleTheme: () => this.#toggleTheme(),
      help: () => this.#openHelp(),
      open: (section) => this.#sections.open(section),
    };
  }

  #header({ title }: RunModel): HTMLElement {
    const name = make('span', { class: 'product', text: 'checkpoint-wal' });
    const head = make('h1', { text: title });
    head.title = title;
    const theme = makeButton('◐', 'Light or dark (t)', () => this.#toggleTheme());
    const help = makeButton('?', 'Help (?)', () => this.#openHelp());
    return make('header', { class: 'header' }, name, head, this.#badge.element, theme, help);
  }

  #toggleTheme(): void {
    toggleTheme();
    this.#strip.redraw();
  }

  #go(moment: number): void {
    this.#follow(false);
    this.#moment = Math.max(Math.min(0, this.#last), Math.min(this.#last, moment));
    this.#schedule();
  }

  #follow(isFollowing: boolean): void {
    this.#isFollowing = isFollowing;
    this.#transport.setFollowing(isFollowing);
  }

  #togglePlay(): void {
    if (this.#player.isPlaying) {
      this.#player.pause();
      return;
    }
    if (this.#moment >= this.#last) this.#go(0);
    this.#player.play();
  }

  #playOn(): boolean {
    if (this.#moment < this.#last) this.#go(this.#moment + 1);
    return this.#moment < this.#last;
  }

  #schedule(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#show();
    });
  }

  #show(): void {
    const run = this.#run;
    const { entry: index, crash } = run.moments.at(this.#moment);
    const view = {
      run,
      moment: this.#moment,
      index,
      entry: crash === undefined ? run.log.entries[index] : undefined,
      crash: crash === undefined ? undefined : run.crashes[crash],
    };
    this.#transport.setFollowing(this.#isFollowing);
    for (const panel of this.#panels) panel.show(view);
  }
}
