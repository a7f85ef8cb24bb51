/**
 * What an event may tell the audit and inspectors: codes, sizes, hashes, numbers, and names of files.
 * A list of what may pass, so that a new field stays out until somebody has thought of it: states,
 * texts of files and messages that may quote them never pass unless they are asked for.
 */
import type { AuditDetails, AuditValue } from '../format/audit-entry.js';

/** Whether messages, which may quote a state or a secret, are told as well. */
export interface Disclosure {
  readonly includeMessages: boolean;
}

const TEXT_MAX = 300;
const ITEMS_MAX = 20;
const DEPTH_MAX = 5;

/** Members whose text is one of this package's own words, a name that the user gave in public, or a hash. */
const openTexts = new Set([
  ...['action', 'cause', 'change', 'code', 'condition', 'durability', 'kind', 'lock', 'operation'],
  ...[
    'outcome',
    'relation',
    'signal',
    'state',
    'status',
    'verdict',
    'case',
    'name',
    'mode',
    'type',
  ],
  ...['digest', 'sha256', 'hash', 'syscall', 'errno'],
  ...['directory', 'editKeptAs', 'file', 'keptAs', 'label', 'target', 'reason'],
]);

/** Members that say why, in words that may quote what was read. */
const messageTexts = new Set(['because', 'lost', 'message', 'path', 'removed', 'warnings']);

/** Members that lead to other actors, or repeat what the entry says already. */
const leftOut = new Set(['type', 'id', 'replyTo', 'context', 'actorId']);

/** Whether the text of a member of that name may be told. */
export function mayTell(name: string, { includeMessages }: Disclosure): boolean {
  return openTexts.has(name) || (includeMessages && messageTexts.has(name));
}

/** What is told of what an embedding machine asks for, which holds states. */
const toldOfRequests = new Set(['label', 'pinned', 'durability']);

/**
 * An event without the content that it may hold: of what an embedding machine asks for and is told, only
 * what kind it is, and how it is to be saved. Other events are returned as they are.
 */
export function withoutContent(event: object): object {
  const type = 'type' in event && typeof event.type === 'string' ? event.type : '';
  if (type === 'notice.due') {
    const { notice } = event as { readonly notice?: { readonly type?: unknown } };
    return { type, kind: notice?.type };
  }
  if (!type.startsWith('checkpoint.')) return event;
  const told = Object.entries(event).filter(([name]) => toldOfRequests.has(name));
  return { type, ...Object.fromEntries(told) };
}

/** The facts of an event, as plain data. */
export function describeEvent(event: object, disclosure: Disclosure): AuditDetails {
  const described = describeObject(withoutContent(event), disclosure, 0, leftOut);
  // Replies wrap what they tell; the wrapping tells nothing.
  const { output, failure, ...rest } = described;
  return { ...rest, ...asDetails(output, 'output'), ...asDetails(failure, 'failure') };
}

function asDetails(value: AuditValue | undefined, name: string): AuditDetails {
  if (value === undefined || value === null) return {};
  return typeof value === 'object' && !Array.isArray(value)
    ? (value as AuditDetails)
    : { [name]: value };
}

function describe(
  value: unknown,
  name: string,
  disclosure: Disclosure,
  depth: number,
): AuditValue | undefined {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'string':
      return describeText(value, name, disclosure);
    case 'object':
      if (value === null) return null;
      if (depth >= DEPTH_MAX) return undefined;
      if (value instanceof Error) return describeError(value, disclosure, depth);
      if (Array.isArray(value)) return describeList(value, name, disclosure, depth);
      return isPlain(value) ? describeObject(value, disclosure, depth + 1) : undefined;
    default:
      return undefined;
  }
}

function describeText(text: string, name: string, disclosure: Disclosure): string | undefined {
  if (!mayTell(name, disclosure)) return undefined;
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`;
}

function describeList(
  list: readonly unknown[],
  name: string,
  disclosure: Disclosure,
  depth: number,
): AuditValue {
  const shown = list
    .slice(0, ITEMS_MAX)
    .map((item) => describe(item, name, disclosure, depth + 1))
    .filter((item) => item !== undefined);
  return list.length <= ITEMS_MAX ? shown : [...shown, { more: list.length - ITEMS_MAX }];
}

function describeObject(
  value: object,
  disclosure: Disclosure,
  depth: number,
  without: ReadonlySet<string> = new Set(['replyTo']),
): { [name: string]: AuditValue } {
  const described: { [name: string]: AuditValue } = {};
  for (const [name, member] of Object.entries(value)) {
    if (without.has(name)) continue;
    const told = describe(member, name, disclosure, depth);
    if (told !== undefined) described[name] = told;
  }
  return described;
}

/** A coded error, whatever class it is of: its code, where, and the system's own code. */
function describeError(error: Error, disclosure: Disclosure, depth: number): AuditValue {
  const { code, details } = error as { readonly code?: unknown; readonly details?: unknown };
  const described = describeObject(
    { code, message: error.message, ...(isPlain(details) && details) },
    disclosure,
    depth + 1,
  );
  const { cause } = error;
  const systemCode = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof systemCode === 'string' && systemCode !== code
    ? { ...described, systemCode }
    : described;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
