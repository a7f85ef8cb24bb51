/**
 * Entries as spans, in the shape of OTLP/JSON (OpenTelemetry protocol 1.x, `ExportTraceServiceRequest`):
 * one trace for each time that the store leaves rest (an open, a round, a close), in it a span for each
 * state that a machine was in. Ids are made of entries' hashes, so that the same audit always gives the
 * same spans. Keeps only what is open.
 */
import type { AuditEntry, AuditValue } from '../format/audit-entry.js';

/** A span as OTLP/JSON has it; times are nanoseconds since 1970 in decimal digits. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** SPAN_KIND_INTERNAL. */
  readonly kind: 1;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  /** STATUS_CODE_OK or STATUS_CODE_ERROR. */
  readonly status: { readonly code: 1 | 2; readonly message?: string };
}

interface OtlpAttribute {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly intValue: string }
    | { readonly boolValue: boolean };
}

interface OpenSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly start: bigint;
  readonly entry: AuditEntry;
}

/** States of machines that go on for ever in which nothing is in flight. */
const atRest: Readonly<Record<string, RegExp>> = {
  checkpoint: /^(ready|halted|closed|refused)$/,
  detector: /memory\.(idle|left)/,
};

/** Takes entries in order; gives the spans that each of them ends. */
export class SpanBuilder {
  #run: { readonly process: string; readonly base: bigint } | undefined;
  /** What each machine that goes on for ever is about: from rest to rest. */
  readonly #operations = new Map<string, OpenSpan>();
  /** The state that each machine is in. */
  readonly #states = new Map<string, OpenSpan>();

  take(entry: AuditEntry): OtlpSpan[] {
    const { machine, from, to, event } = entry;
    if (machine === 'audit') return event === 'audit.opened' ? this.#beginRun(entry) : [];
    // Timers of the failure detector are no work.
    if (from === to || (machine === 'detector' && !to.includes('memory.'))) return [];
    const at = this.#timeOf(entry);
    const ended = this.#end(this.#states, entry, at);
    if (atRest[machine]?.test(to)) return [...ended, ...this.#end(this.#operations, entry, at)];
    const root = this.#states.get('checkpoint') ?? this.#operations.get('checkpoint');
    if (atRest[machine] !== undefined && !this.#operations.has(machine)) {
      const operation = open(entry, at, nameOf(entry), machine === 'checkpoint' ? undefined : root);
      this.#operations.set(machine, { ...operation, spanId: entry.hash.slice(16, 32) });
    }
    if (isFinal(entry)) return ended;
    const parent = this.#operations.get(machine) ?? root;
    this.#states.set(machine, open(entry, at, `${machine} ${to}`, parent));
    return ended;
  }

  #end(spans: Map<string, OpenSpan>, entry: AuditEntry, at: bigint): OtlpSpan[] {
    const span = spans.get(entry.machine);
    spans.delete(entry.machine);
    return span === undefined ? [] : [end(span, at, entry)];
  }

  /** Spans that nothing has ended: the process was killed, or still runs. */
  finish(last: AuditEntry | undefined): OtlpSpan[] {
    if (last === undefined) return [];
    const at = this.#timeOf(last);
    const left = [...this.#states.values(), ...this.#operations.values()];
    this.#states.clear();
    this.#operations.clear();
    return left.map((span) => end(span, at, undefined));
  }

  #beginRun(entry: AuditEntry): OtlpSpan[] {
    // What was open when the run before was cut off ended, at the latest, now.
    const left = this.finish(entry);
    const base = BigInt(Date.parse(entry.time)) * 1_000_000n - BigInt(entry.elapsedUs) * 1000n;
    this.#run = { process: entry.process, base };
    return left;
  }

  #timeOf({ time, elapsedUs }: AuditEntry): bigint {
    if (this.#run === undefined) return BigInt(Date.parse(time)) * 1_000_000n;
    return this.#run.base + BigInt(elapsedUs) * 1000n;
  }
}

function open(
  entry: AuditEntry,
  start: bigint,
  name: string,
  parent: OpenSpan | undefined,
): OpenSpan {
  const traceId = parent?.traceId ?? entry.hash.slice(0, 32);
  return {
    name,
    traceId,
    spanId: entry.hash.slice(32, 48),
    parentSpanId: parent?.spanId,
    start,
    entry,
  };
}

function nameOf({ machine, from, to }: AuditEntry): string {
  if (machine === 'detector') return 'detector round';
  if (from === '') return 'checkpoint open';
  return to === 'leaving' || to === 'closing' ? 'checkpoint close' : 'checkpoint round';
}

/** Final states last no time: no span is made for them. */
function isFinal({ machine, to }: AuditEntry): boolean {
  if (machine === 'write') return ['committed', 'failed', 'halted'].includes(to);
  return machine === 'recovery' && ['ready', 'refused'].includes(to);
}

function end(span: OpenSpan, at: bigint, by: AuditEntry | undefined): OtlpSpan {
  const { name, traceId, spanId, parentSpanId, start, entry } = span;
  const isFailed =
    by === undefined || /\.failed$/.test(by.event) || /^(halted|refused)$/.test(by.to);
  const { code } = by?.details ?? {};
  const message = by === undefined ? 'cut off' : typeof code === 'string' ? code : by.event;
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(at > start ? at : start),
    attributes: attributesOf(entry, by),
    status: isFailed ? { code: 2, message } : { code: 1 },
  };
}

function attributesOf(begun: AuditEntry, ended: AuditEntry | undefined): OtlpAttribute[] {
  const { machine, to, event, sequence, epoch, process, number } = begun;
  const named: [string, AuditValue | undefined][] = [
    ['checkpoint.machine', machine],
    ['checkpoint.state', to],
    ['checkpoint.event', event],
    ['checkpoint.ended_by', ended?.event],
    ['checkpoint.sequence', Math.max(sequence, ended?.sequence ?? 0)],
    ['checkpoint.epoch', epoch],
    ['checkpoint.label', begun.details.label ?? ended?.details.label],
    ['checkpoint.bytes', ended?.details.bytes],
    ['audit.number', number],
    ['process', process],
  ];
  return named.flatMap(([key, value]) => attribute(key, value));
}

function attribute(key: string, value: AuditValue | undefined): OtlpAttribute[] {
  if (typeof value === 'string') return [{ key, value: { stringValue: value } }];
  if (typeof value === 'number') return [{ key, value: { intValue: String(value) } }];
  return typeof value === 'boolean' ? [{ key, value: { boolValue: value } }] : [];
}
