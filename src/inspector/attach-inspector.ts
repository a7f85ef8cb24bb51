/**
 * A live store in the local inspector: its entries and checkpoints, told to a page as they come. Listens
 * only; a store does not wait for its inspector.
 */
import type { AuditEntry } from '../format/audit-entry.js';
import { sha256Hex } from '../format/bytes.js';
import { readDrawings } from './node-drawings.js';
import { type InspectorServer, startInspectorServer } from './node-inspector-server.js';
import { readPage } from './node-page.js';
import { renderPage } from './page-html.js';
import type { CheckpointView, RunModel } from './run-model.js';

/** What is asked of a store. `CheckpointStore` has it. */
export interface InspectedStore {
  /** The text of the checkpoint, without its seal; `undefined` where there is none. */
  readonly text: string | undefined;
  /** The sequence number of the checkpoint; 0 where there is none. */
  readonly sequence: number;
  /** Told of each entry of the audit as it is recorded; returns what ends that. */
  onAuditEntry(listener: (entry: AuditEntry) => void): () => void;
  /** Told of what happens to the store; returns what ends that. */
  subscribe(listener: (event: { readonly type: string }) => void): () => void;
}

/** Options of {@link attachInspector}. */
export interface AttachOptions {
  /** 0, the default, takes any that is free. The host is always 127.0.0.1. */
  readonly port?: number | undefined;
  /** Shown as what is inspected. */
  readonly title?: string | undefined;
  /** Whether the page shows the texts of checkpoints; by default yes, it is served to this machine only. */
  readonly contents?: boolean | undefined;
}

/** An inspector that is attached. */
export interface AttachedInspector {
  /** With a secret token: whoever has it sees the run. */
  readonly url: string;
  /** Stops serving; resolves when the port is free. The store stays open. */
  close(): Promise<void>;
}

/** The newest of each are kept. */
const ENTRIES_MAX = 20_000;
const CHECKPOINTS_MAX = 500;
/** Of texts, all together, in bytes: the newest are kept. */
const TEXTS_MAX = 8 * 1024 * 1024;

/** After these the store's text is another one. */
const newText = new Set(['recovered', 'published', 'restored', 'editedOutside']);

/**
 * Attaches an inspector. It sees what happens from now on, and ends with the store. Rejects with node's
 * error where the port is taken.
 */
export async function attachInspector(
  store: InspectedStore,
  { port, title = 'a live store', contents = true }: AttachOptions = {},
): Promise<AttachedInspector> {
  const machines = readDrawings();
  const entries: AuditEntry[] = [];
  const checkpoints = new Map<number, CheckpointView>();
  const model = (): RunModel => ({
    version: 1,
    title,
    source: 'live',
    machines,
    entries,
    checkpoints: [...checkpoints.values()],
  });
  const server = await startInspectorServer({
    port,
    ...readPage(),
    shell: (query) => renderPage({ query, title }),
    model,
    keepsAlive: false,
  });
  const outbox = new Outbox(server);
  const stopEntries = store.onAuditEntry((entry) => {
    entries.push(entry);
    if (entries.length > ENTRIES_MAX) entries.splice(0, ENTRIES_MAX / 10);
    outbox.add(entry);
  });
  const stopEvents = store.subscribe(({ type }) => {
    if (newText.has(type)) keep();
    if (type !== 'closed') return;
    outbox.flush();
    server.send({ kind: 'ended', message: 'the store was closed' });
    void close();
  });
  keep();

  function keep(): void {
    const { text, sequence } = store;
    if (text === undefined || checkpoints.get(sequence)?.size === text.length) return;
    const bytes = new TextEncoder().encode(text);
    const checkpoint: CheckpointView = {
      sequence,
      size: bytes.length,
      sha256: sha256Hex(bytes),
      ...(contents && bytes.length <= TEXTS_MAX && { text }),
    };
    checkpoints.set(sequence, checkpoint);
    forgetTexts();
    for (const oldest of checkpoints.keys()) {
      if (checkpoints.size <= CHECKPOINTS_MAX) break;
      checkpoints.delete(oldest);
    }
    server.send({ kind: 'checkpoint', checkpoint });
  }

  function forgetTexts(): void {
    let bytesLeft = TEXTS_MAX;
    for (const [number, one] of [...checkpoints].reverse()) {
      if (one.text === undefined) continue;
      bytesLeft -= one.size;
      if (bytesLeft >= 0) continue;
      const { text: _, ...facts } = one;
      checkpoints.set(number, facts);
    }
  }

  async function close(): Promise<void> {
    stopEntries();
    stopEvents();
    await server.close();
  }
  return { url: server.url, close };
}

const BATCH_MS = 50;

/** Entries that are about to be sent, together: a save makes a dozen. */
class Outbox {
  readonly #server: InspectorServer;
  #entries: AuditEntry[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(server: InspectorServer) {
    this.#server = server;
  }

  add(entry: AuditEntry): void {
    this.#entries.push(entry);
    this.#timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#entries.length > 0) this.#server.send({ kind: 'entries', entries: this.#entries });
    this.#entries = [];
  }
}
