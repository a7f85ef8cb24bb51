/**
 * `checkpoint-wal/otel`: spans of OpenTelemetry for what a store does. Listens to the channels of
 * `src/io/node-tracing.ts`, so that the store itself knows nothing of it; needs `@opentelemetry/api`.
 * Attributes are documented in `docs/observability.md`; they hold no content of a state or a file.
 *
 * @module checkpoint-wal/otel
 */
import {
  type Attributes,
  context,
  type Span,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import {
  type RecoverTrace,
  type RestoreTrace,
  type SaveTrace,
  type SyncTrace,
  type TraceOutcome,
  traceChannels,
} from '../io/node-tracing.js';

/** Options of {@link traceCheckpoints}. */
export interface TraceCheckpointsOptions {
  /** Makes the spans; that of the global provider by default. */
  readonly tracer?: Tracer | undefined;
  /** Whether spans of what failed hold the error's message, which may quote a state; `false` by default. */
  readonly includeMessages?: boolean | undefined;
}

/** Members of payloads that become attributes, under the name `checkpoint_wal.<name>`. */
const attributeNames: Readonly<Record<string, string>> = {
  operation: 'operation',
  directory: 'directory',
  durability: 'durability',
  sequence: 'sequence',
  bytes: 'bytes',
  kind: 'kind',
  file: 'file',
  outcome: 'outcome',
  clean: 'clean',
  decisions: 'decisions',
  dryRun: 'dry_run',
  from: 'from',
};

/**
 * Makes a span of every save, sync, recovery and restore of every store in this program from now on.
 * Each is a child of the span that is active where it begins.
 * @returns stops it; spans that are open then are ended
 */
export function traceCheckpoints(options: TraceCheckpointsOptions = {}): () => void {
  const { tracer = trace.getTracer('checkpoint-wal'), includeMessages = false } = options;
  const open = new Map<object, Span>();

  const end = (payload: TraceOutcome) => {
    const span = open.get(payload);
    if (span === undefined || payload.isOver !== true) return;
    open.delete(payload);
    span.setAttributes(attributesOf(payload));
    span.end();
  };
  const listener = <Payload extends TraceOutcome>(nameOf: (payload: Payload) => string) => ({
    start: (payload: Payload) => {
      const attributes = attributesOf(payload);
      open.set(payload, tracer.startSpan(nameOf(payload), { attributes }, context.active()));
    },
    error: (payload: Payload) => {
      const span = open.get(payload);
      if (span !== undefined) fail(span, payload.error, includeMessages);
    },
    end,
    asyncStart: () => {},
    asyncEnd: end,
  });

  const save = listener<SaveTrace>(({ operation }) => `checkpoint ${operation}`);
  const sync = listener<SyncTrace>(({ kind }) => `checkpoint sync ${kind}`);
  const recover = listener<RecoverTrace>(() => 'checkpoint recover');
  const restore = listener<RestoreTrace>(() => 'checkpoint restore');
  traceChannels.save.subscribe(save);
  traceChannels.sync.subscribe(sync);
  traceChannels.recover.subscribe(recover);
  traceChannels.restore.subscribe(restore);
  return () => {
    traceChannels.save.unsubscribe(save);
    traceChannels.sync.unsubscribe(sync);
    traceChannels.recover.unsubscribe(recover);
    traceChannels.restore.unsubscribe(restore);
    for (const span of open.values()) span.end();
    open.clear();
  };
}

function attributesOf(payload: object): Attributes {
  const attributes: Attributes = {};
  for (const [member, value] of Object.entries(payload)) {
    const name = attributeNames[member];
    if (name === undefined) continue;
    attributes[`checkpoint_wal.${name}`] = Array.isArray(value) ? value.map(labelOf) : value;
  }
  return attributes;
}

function labelOf({ label, action }: { readonly label: string; readonly action: string }): string {
  return `${label}: ${action}`;
}

function fail(span: Span, error: unknown, includeMessages: boolean): void {
  const name = error instanceof Error ? error.name : typeof error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : name;
  const type = String(code);
  const message = includeMessages && error instanceof Error ? { message: error.message } : {};
  span.setAttribute('error.type', type);
  span.recordException({ name, code: type, ...message });
  span.setStatus({ code: SpanStatusCode.ERROR, ...message });
}
