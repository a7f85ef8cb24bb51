/**
 * Comparing a document with its next value and planning the smallest edit: which values differ,
 * which entries were added or removed, and which aliases no longer say what they should. The order
 * of map keys alone is no change, because YAML gives it no meaning.
 */
import { editBlock } from './edit-block.js';
import { editFlow } from './edit-flow.js';
import type { EditPlan, EntryChange, Place } from './edit-plan.js';
import { type ListMatch, matchLists } from './match-lists.js';
import { findMoves } from './match-moves.js';
import { replaceNode } from './replace-node.js';
import { formatPath } from './yaml-path.js';
import { type CollectionNode, type Entry, isCollection, type Node } from './yaml-tree.js';
import { equalValues, isList, isMap, type YamlMap, type YamlValue } from './yaml-value.js';

type Path = readonly (string | number)[];

/** Plans the edit of a whole document. */
export function editRoot(plan: EditPlan, next: YamlValue): void {
  const place: Place = { parent: undefined, entry: undefined, inFlow: false };
  editNode(plan, plan.source.root, next, place, []);
  restoreAliases(plan);
}

function editNode(plan: EditPlan, node: Node, next: YamlValue, place: Place, path: Path): void {
  if (Object.is(node.value, next) || equalValues(node.value, next)) return;
  plan.changed.set(node, next);
  if (node.kind === 'alias') {
    const target = plan.changed.get(node.target);
    plan.changedPaths.push(path);
    // The anchor changed in the same way: the alias says the new value by itself.
    if (target === undefined || !equalValues(target, next)) replaceNode(plan, node, next, place);
    return;
  }
  const isRewritten = plan.mode.rewritten?.has(formatPath(path)) === true;
  if (isCollection(node) && !isRewritten && editEntries(plan, node, next, place, path)) return;
  plan.changedPaths.push(path);
  replaceNode(plan, node, next, place);
}

/** Edits a collection entry by entry; false where none would be kept or the kind changes. */
function editEntries(
  plan: EditPlan,
  node: CollectionNode,
  next: YamlValue,
  place: Place,
  path: Path,
): boolean {
  const inFlow = place.inFlow || node.isFlow;
  const keep = (entry: Entry, value: YamlValue, step: string | number): EntryChange => {
    const inner = { parent: node, entry, inFlow };
    const edit = () => editNode(plan, entry.node, value, inner, [...path, step]);
    return { kind: 'keep', entry, edit };
  };
  let changes: EntryChange[] | undefined;
  if (node.kind === 'map' && isMap(next)) changes = mapChanges(node, next, keep);
  if (node.kind === 'list' && isList(next)) changes = listChanges(plan, node, next, keep, path);
  if (!changes?.some(({ kind }) => kind === 'keep')) return false;
  const isSameSize = changes.every(({ kind }) => kind === 'keep');
  if (node.isImplicitPair && !isSameSize) return false;
  recordPaths(plan, node, changes, path);
  if (inFlow) editFlow(plan, node, changes);
  else editBlock(plan, node, changes);
  return true;
}

type Keep = (entry: Entry, value: YamlValue, step: string | number) => EntryChange;

function mapChanges(node: CollectionNode, next: YamlMap, keep: Keep): EntryChange[] {
  const own = (key: string) => (Object.hasOwn(next, key) ? next[key] : undefined);
  // Each new key goes after the key that comes before it in the next value, or to the end.
  const known = new Set(node.entries.map(({ key }) => key));
  const added = new Map<string | undefined, EntryChange[]>();
  let previous: string | undefined;
  for (const key of Object.keys(next)) {
    const value = own(key);
    if (known.has(key)) previous = key;
    else if (value !== undefined) {
      const group = added.get(previous) ?? [];
      group.push({ kind: 'add', key, value });
      added.set(previous, group);
    }
  }
  const changes: EntryChange[] = [];
  for (const entry of node.entries) {
    const key = entry.key ?? '';
    const value = own(key);
    changes.push(value === undefined ? { kind: 'remove', entry } : keep(entry, value, key));
    for (const change of added.get(key) ?? []) changes.push(change);
  }
  return [...changes, ...(added.get(undefined) ?? [])];
}

function listChanges(
  plan: EditPlan,
  node: CollectionNode,
  next: YamlValue[],
  keep: Keep,
  path: Path,
): EntryChange[] {
  const before = node.entries.map((entry) => entry.node.value);
  const known = plan.mode.keepsPlaces?.(path)
    ? sameMatches(before.length, next.length)
    : knownMatches(plan.mode.changedPath, path, before.length, next.length);
  const matches = known ?? matchLists(before, next);
  const moves = known ? new Map<number, number>() : findMoves(before, next, matches);
  const changes: EntryChange[] = [];
  for (const match of matches) {
    const entry = node.entries[match.before ?? -1];
    const step = match.after ?? -1;
    const value = next[step];
    if (entry && value !== undefined) changes.push(keep(entry, value, step));
    else if (entry) changes.push({ kind: 'remove', entry });
    else if (value !== undefined) {
      const source = node.entries[moves.get(step) ?? -1];
      const kept = source && keep(source, value, step);
      const from = kept?.kind === 'keep' ? { entry: kept.entry, edit: kept.edit } : undefined;
      changes.push({ kind: 'add', key: undefined, value, from });
    }
  }
  return changes;
}

/** Every item where it was, and new ones behind them. */
function sameMatches(before: number, after: number): ListMatch[] {
  return Array.from({ length: Math.max(before, after) }, (_, index) => ({
    before: index < before ? index : undefined,
    after: index < after ? index : undefined,
  }));
}

/** What became of a list's items where the one place that changed is known and leads through it. */
function knownMatches(
  changed: Path | undefined,
  path: Path,
  before: number,
  after: number,
): ListMatch[] | undefined {
  const step = Number(changed?.[path.length]);
  const isOnPath = path.every((part, index) => String(part) === String(changed?.[index]));
  if (!Number.isInteger(step) || !isOnPath) return undefined;
  const isRemoved = after === before - 1;
  if (!isRemoved && after !== before && !(after === before + 1 && step === before)) {
    return undefined;
  }
  return Array.from({ length: Math.max(before, after) }, (_, index) => ({
    before: index < before ? index : undefined,
    after: isRemoved && index === step ? undefined : index - (isRemoved && index > step ? 1 : 0),
  }));
}

/** Notes what was added (where it is now) and removed (where it was). */
function recordPaths(
  plan: EditPlan,
  node: CollectionNode,
  changes: readonly EntryChange[],
  path: Path,
): void {
  let index = 0;
  for (const change of changes) {
    if (change.kind === 'add') plan.changedPaths.push([...path, change.key ?? index]);
    if (change.kind === 'remove') {
      plan.changedPaths.push([...path, change.entry.key ?? node.entries.indexOf(change.entry)]);
    } else index += 1;
  }
}

/**
 * Aliases that would say something else now, because their anchor was changed, removed or rewritten
 * without it, get a copy of their own value instead.
 */
function restoreAliases(plan: EditPlan): void {
  const { source } = plan;
  if (source.aliases.length === 0) return;
  const removed = plan.splices.filter(({ start, end }) => end > start);
  const isGone = (offset: number) =>
    removed.some(({ start, end }) => start <= offset && offset < end);
  const places = placesOf(source.root);
  for (const alias of source.aliases) {
    if (alias.kind !== 'alias' || isGone(alias.start)) continue;
    const { target } = alias;
    const key = places.keys.get(alias);
    if (key !== undefined) {
      const isKept = !isGone(target.anchor?.start ?? target.start) && !plan.changed.has(target);
      if (!isKept) plan.replace(alias.start, alias.end, plan.printer.keyText(key));
      continue;
    }
    const wanted = plan.newValueOf(alias);
    const says = plan.newValueOf(target);
    if (!isGone(target.anchor?.start ?? target.start) && equalValues(says, wanted)) continue;
    const place = places.values.get(alias);
    if (place) replaceNode(plan, alias, wanted, place);
  }
}

/** Where every alias of a document stands, and what the ones say that are keys. */
function placesOf(root: Node) {
  const values = new Map<Node, Place>();
  const keys = new Map<Node, string>();
  const visit = (node: Node, place: Place) => {
    if (node.kind === 'alias') values.set(node, place);
    if (!isCollection(node)) return;
    const inFlow = place.inFlow || node.isFlow;
    for (const entry of node.entries) {
      if (entry.keyNode?.kind === 'alias') keys.set(entry.keyNode, entry.key ?? '');
      visit(entry.node, { parent: node, entry, inFlow });
    }
  };
  visit(root, { parent: undefined, entry: undefined, inFlow: false });
  return { values, keys };
}
