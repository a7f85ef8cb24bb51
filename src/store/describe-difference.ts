/**
 * The difference between the texts of two checkpoints: which paths, and in a few words. Says something
 * of any two texts, also of ones that are no YAML.
 */
import { CheckpointError, type Problem, toProblem } from '../errors.js';
import { parseYaml, type YamlLimits } from '../format/yaml/yaml-text.js';
import type { YamlValue } from '../format/yaml/yaml-value.js';
import { summaryOf } from './difference-words.js';
import { compareStates, type StateChange } from './state-diff.js';
import { countLines } from './text-diff.js';

/** How two texts differ. */
export interface Difference {
  /** The differing paths; absent where one of the texts does not parse, so that only lines can be told. */
  readonly changes?: readonly StateChange[];
  /** On one line, in a few words; never empty. */
  readonly summary: string;
  /** Why a text does not parse. */
  readonly problem?: Problem & { readonly in: 'from' | 'to' };
}

/** Larger texts are compared by their lines where a summary is all that is asked for. */
const MAX_PARSED_CHARACTERS = 1024 * 1024;

/** How two texts differ. Never throws for what the texts hold. */
export function describeDifference(
  fromText: string,
  toText: string,
  limits: Partial<YamlLimits> = {},
): Difference {
  if (fromText === toText) return { changes: [], summary: 'nothing' };
  const from = parsed(fromText, limits);
  const to = parsed(toText, limits);
  for (const [side, { problem }] of [['to', to] as const, ['from', from] as const]) {
    if (problem === undefined) continue;
    return { summary: linesText(fromText, toText), problem: { ...problem, in: side } };
  }
  const changes = compareStates(from.value ?? null, to.value ?? null);
  const summary = changes.length === 0 ? 'only comments or layout' : summaryOf(changes);
  return { changes, summary };
}

/** The summary of {@link describeDifference}; of large texts, what changed by lines. */
export function summarizeDifference(fromText: string, toText: string): string {
  const isLarge = Math.max(fromText.length, toText.length) > MAX_PARSED_CHARACTERS;
  if (isLarge && fromText !== toText) return linesText(fromText, toText);
  return describeDifference(fromText, toText).summary;
}

function linesText(fromText: string, toText: string): string {
  const { added, removed } = countLines(fromText, toText);
  return `+${added} -${removed} ${added + removed === 1 ? 'line' : 'lines'}`;
}

function parsed(
  text: string,
  limits: Partial<YamlLimits>,
): { readonly value?: YamlValue; readonly problem?: Problem } {
  try {
    return { value: parseYaml(text, { limits }).value };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return { problem: toProblem(error) };
  }
}
