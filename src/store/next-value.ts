/**
 * What a change makes of a state: pure, and independent of any text. Ruled by
 * `docs/adr/0014-one-text-for-a-round.md`.
 */
import { copyValue, draftOf } from '../format/yaml/value-draft.js';
import { type CloneOptions, cloneValue, type YamlValue } from '../format/yaml/yaml-value.js';
import type { Change, Draft } from './draft.js';

/** The state after a change. In a new store there is nothing to change. */
export function nextValue(
  base: Draft | undefined,
  change: Exclude<Change, { kind: 'text' | 'set' }>,
): YamlValue {
  switch (change.kind) {
    case 'state':
      return change.value;
    case 'update':
      return apply(base, change.recipe);
  }
}

function apply(base: Draft | undefined, recipe: (draft: unknown) => unknown): YamlValue {
  const before = base?.value;
  if (before === undefined) return resultOf(undefined, recipe, {});
  // Integers that a number can't hold are read as bigint; what the file holds may go back into it.
  const options = { carried: before, before };
  const { draft, heldBy } = draftOf(before);
  try {
    return resultOf(draft, recipe, { ...options, heldBy });
  } catch (error) {
    // `structuredClone` and what sends messages can't take the draft of a long state.
    if (!(error instanceof DOMException && error.name === 'DataCloneError')) throw error;
    return resultOf(copyValue(before), recipe, options);
  }
}

function resultOf(
  draft: YamlValue | undefined,
  recipe: (draft: unknown) => unknown,
  options: CloneOptions,
): YamlValue {
  const returned = recipe(draft);
  // A promise is the one mistake that would otherwise be saved as an empty mapping.
  if (returned instanceof Promise) {
    throw new TypeError('update() takes a recipe that returns at once, not a promise');
  }
  return cloneValue(returned === undefined ? draft : returned, options);
}
