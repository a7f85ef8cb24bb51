/**
 * Spans of OpenTelemetry, as an exporter of the real SDK gets them.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failNth } from '../../../src/io/fault-rules.js';
import { FaultyFileSystem } from '../../../src/io/faulty-file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { isTraced, traceChannels } from '../../../src/io/node-tracing.js';
import { traceCheckpoints } from '../../../src/otel/index.js';
import { openCheckpointStore } from '../../../src/store.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

const CANARY = 'canary-19c2';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('test');

let stop: () => void = () => {};
beforeEach(() => exporter.reset());
afterEach(() => {
  stop();
  context.disable();
  trace.disable();
});

const spans = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name);

/** The context that follows promises, as a program with OpenTelemetry has it. */
function followContexts(): void {
  const storage = new AsyncLocalStorage<Context>();
  context.setGlobalContextManager({
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, act, that, ...parameters) =>
      storage.run(active, () => act.apply(that as never, parameters)),
    bind: (_active, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
}

describe('traceCheckpoints()', () => {
  it('makes a span of every save, sync, recovery and restore, with attributes', async () => {
    stop = traceCheckpoints({ tracer });
    const directory = freshFolder();
    const store = await openCheckpointStore({ directory });
    await store.set('status', CANARY, { label: CANARY });
    await store.set('status', 2, { durability: 'logged' });
    await store.restore({ label: CANARY });
    await store.close();
    expect(spans('checkpoint recover')[0]?.attributes).toMatchObject({
      'checkpoint_wal.directory': directory,
      'checkpoint_wal.outcome': 'ready',
      'checkpoint_wal.clean': true,
      'checkpoint_wal.sequence': 0,
      'checkpoint_wal.decisions': expect.arrayContaining([expect.stringMatching(/^[\w-]+: \w+$/)]),
    });
    expect(spans('checkpoint set').map(({ attributes }) => attributes)).toEqual([
      {
        'checkpoint_wal.operation': 'set',
        'checkpoint_wal.directory': directory,
        'checkpoint_wal.durability': 'committed',
        'checkpoint_wal.sequence': 1,
        'checkpoint_wal.bytes': expect.any(Number),
      },
      expect.objectContaining({
        'checkpoint_wal.durability': 'logged',
        'checkpoint_wal.sequence': 2,
      }),
    ]);
    expect(spans('checkpoint restore')[0]?.attributes).toMatchObject({
      'checkpoint_wal.dry_run': false,
      'checkpoint_wal.from': 1,
      'checkpoint_wal.sequence': 3,
    });
    expect(spans('checkpoint sync directory').length).toBeGreaterThan(3);
    expect(spans('checkpoint sync file')[0]?.attributes['checkpoint_wal.file']).toContain(
      directory,
    );
    const told = exporter
      .getFinishedSpans()
      .map(({ name, attributes, events }) => [name, attributes, events]);
    expect(JSON.stringify(told)).not.toContain(CANARY);
  });

  it('makes them children of the span that is active where the call is made', async () => {
    followContexts();
    stop = traceCheckpoints({ tracer });
    const store = await openCheckpointStore({ directory: freshFolder() });
    const parent = tracer.startSpan('step of a plan');
    await context.with(trace.setSpan(context.active(), parent), () => store.set('a', 1));
    parent.end();
    await store.set('a', 2);
    await store.close();
    const [inside, outside] = spans('checkpoint set');
    expect(inside?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(inside?.spanContext().traceId).toBe(parent.spanContext().traceId);
    expect(outside?.parentSpanContext).toBeUndefined();
  });

  it('marks what failed by its code, without the message unless that is asked for', async () => {
    for (const includeMessages of [false, true]) {
      exporter.reset();
      stop = traceCheckpoints({ tracer, includeMessages });
      const fileSystem = new MemoryFileSystem();
      const store = await openCheckpointStore({ directory: '/s', fileSystem });
      await expect(store.saveText(`a: [${CANARY}\nb: }`)).rejects.toThrow();
      await store.close();
      stop();
      const [span] = spans('checkpoint saveText');
      expect(span?.status.code).toBe(SpanStatusCode.ERROR);
      expect(span?.attributes['error.type']).toBe('INVALID_YAML');
      expect(span?.events[0]?.attributes).toMatchObject({ 'exception.type': 'INVALID_YAML' });
      expect('exception.message' in (span?.events[0]?.attributes ?? {})).toBe(includeMessages);
      expect(span?.status.message !== undefined).toBe(includeMessages);
    }
  });

  it('ends the spans of syncs that are done, or fail, at once', async () => {
    stop = traceCheckpoints({ tracer });
    const fileSystem = new FaultyFileSystem(
      new MemoryFileSystem(),
      failNth({ operation: 'sync', path: /wal$/ }, 'EIO'),
    );
    const store = await openCheckpointStore({ directory: '/s', fileSystem });
    await store.set('a', 1);
    await store.close();
    const files = spans('checkpoint sync file');
    expect(files.map(({ attributes }) => attributes['error.type']).filter(Boolean)).toEqual([
      'EIO',
    ]);
    expect(files.length).toBeGreaterThan(2);
  });

  it('uses the tracer of the global provider by default', async () => {
    trace.setGlobalTracerProvider(provider);
    stop = traceCheckpoints();
    await (
      await openCheckpointStore({ directory: '/s', fileSystem: new MemoryFileSystem() })
    ).close();
    expect(spans('checkpoint recover')[0]?.instrumentationScope.name).toBe('checkpoint-wal');
  });

  it('stops when told so, ends what is open, and costs nothing from then on', async () => {
    stop = traceCheckpoints({ tracer });
    const store = await openCheckpointStore({ directory: freshFolder() });
    const saving = store.set('a', 1);
    stop();
    expect(spans('checkpoint set')).toHaveLength(1);
    await saving;
    const count = exporter.getFinishedSpans().length;
    await store.set('a', 2);
    await store.close();
    expect(exporter.getFinishedSpans()).toHaveLength(count);
    expect(Object.values(traceChannels).some((channel) => isTraced(channel as never))).toBe(false);
    stop();
  });
});
