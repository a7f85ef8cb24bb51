/**
 * Which operation meets which fault: small rules that can be put together, print as the code that
 * makes them, and are plain data inside, so that a failing case can carry them. A rule keeps no
 * state; the counters of a run are in the decision function that `start` gives. Faults are in
 * `faults.ts`, reading rules from JSON in `fault-json.ts`.
 */
import { describeFault, type Fault, type FaultCode, isApplicable } from './faults.js';
import { createRandom } from './random.js';
import type { OperationName, RecordedOperation } from './recording-file-system.js';

/** What is about to be done. */
export type FaultOperation = Pick<RecordedOperation, 'operation' | 'path' | 'to'>;

/** The one decision: what goes wrong with this operation, if anything. Asked once for each, in order. */
export type Decide = (operation: FaultOperation) => Fault | undefined;

/** Operations that a rule is about: all of these kinds, on these paths; any where absent. */
export interface Match {
  /** Name of the operation, or of any of several; absent: all. */
  readonly operation?: OperationName | readonly OperationName[];
  /** The exact path, or a pattern in it. Of `rename` and `link` either path may match. */
  readonly path?: string | RegExp;
}

/** A fault, or the code of one that fails before anything is done. */
export type FaultLike = Fault | FaultCode;

/** A path as data. */
export type PathData = string | { readonly matches: string; readonly flags?: string };

/** A {@link Match} as data. */
export interface MatchData {
  /** Names of operations; absent: all. */
  readonly operation?: readonly OperationName[];
  /** Which paths; absent: all. */
  readonly path?: PathData;
}

/** A rule as data; each is made by the function of the same name, which says what it means. */
export type RuleData =
  | {
      readonly rule: 'failNth';
      readonly match: MatchData;
      readonly nth: number;
      readonly fault: Fault;
    }
  | { readonly rule: 'failEvery'; readonly match: MatchData; readonly fault: Fault }
  | {
      readonly rule: 'atRandom';
      readonly seed: number;
      readonly probability: number;
      readonly match: MatchData;
      readonly faults: readonly Fault[];
    }
  | { readonly rule: 'onPath'; readonly path: PathData; readonly of: RuleData }
  | { readonly rule: 'eachPath'; readonly of: RuleData }
  | { readonly rule: 'firstOf'; readonly rules: readonly RuleData[] }
  | { readonly rule: 'until' | 'since'; readonly match: MatchData; readonly of: RuleData }
  | { readonly rule: 'atMost'; readonly times: number; readonly of: RuleData };

/** A rule. */
export interface FaultRule {
  /** A decision function with counters of its own: the same operations get the same faults from each. */
  start(): Decide;
  /** As plain data, also for `JSON.stringify`; `ruleFromJson` reads it back. */
  toJSON(): RuleData;
  /** As the code that makes it. */
  toString(): string;
}

/** The rule that some data stands for. Data from outside goes through `ruleFromJson`. */
export function ruleOf(data: RuleData): FaultRule {
  return { start: () => startRule(data), toJSON: () => data, toString: () => printRule(data) };
}

/** The nth operation (from 1) that matches and that the fault means something for. */
export function failNth(match: Match & { readonly nth?: number }, fault: FaultLike): FaultRule {
  const { nth = 1, ...rest } = match;
  if (!Number.isSafeInteger(nth) || nth < 1) throw new TypeError(`nth counts from 1, not ${nth}`);
  return ruleOf({ rule: 'failNth', match: matchData(rest), nth, fault: faultOf(fault) });
}

/** Every operation that matches and that the fault means something for. */
export function failEvery(match: Match, fault: FaultLike): FaultRule {
  return ruleOf({ rule: 'failEvery', match: matchData(match), fault: faultOf(fault) });
}

/**
 * Each matching operation with `probability` (0 to 1), and which of the faults, by `seed`. One that
 * none of the faults means something for is passed over.
 */
export function atRandom(
  seed: number,
  probability: number,
  match: Match,
  ...faults: FaultLike[]
): FaultRule {
  if (!(probability >= 0 && probability <= 1)) {
    throw new TypeError(`a probability is from 0 to 1, not ${probability}`);
  }
  if (!Number.isSafeInteger(seed)) throw new TypeError(`a seed is an integer, not ${seed}`);
  if (faults.length === 0) throw new TypeError('atRandom needs a fault to choose');
  const [all, which] = [faults.map(faultOf), matchData(match)];
  return ruleOf({ rule: 'atRandom', seed, probability, match: which, faults: all });
}

/** `rule`, shown only the operations on one path; its counters count only those. */
export function onPath(path: string | RegExp, rule: FaultRule): FaultRule {
  return ruleOf({ rule: 'onPath', path: pathData(path), of: rule.toJSON() });
}

/** `rule` with counters of its own for each path: `eachPath(failNth(…))` fails the nth of every file. */
export function eachPath(rule: FaultRule): FaultRule {
  return ruleOf({ rule: 'eachPath', of: rule.toJSON() });
}

/** The first of the rules that finds a fault. All of them see, and count, every operation. */
export function firstOf(...rules: FaultRule[]): FaultRule {
  return ruleOf({ rule: 'firstOf', rules: rules.map((rule) => rule.toJSON()) });
}

/** `rule` for the operations before the first that matches. */
export function until(match: Match, rule: FaultRule): FaultRule {
  return ruleOf({ rule: 'until', match: matchData(match), of: rule.toJSON() });
}

/** `rule` for the operations after the first that matches. */
export function since(match: Match, rule: FaultRule): FaultRule {
  return ruleOf({ rule: 'since', match: matchData(match), of: rule.toJSON() });
}

/** The first `times` faults of `rule`. */
export function atMost(times: number, rule: FaultRule): FaultRule {
  if (!Number.isSafeInteger(times) || times < 0) throw new TypeError(`not a count: ${times}`);
  return ruleOf({ rule: 'atMost', times, of: rule.toJSON() });
}

function faultOf(fault: FaultLike): Fault {
  return typeof fault === 'string' ? { kind: 'fail', code: fault } : fault;
}

function pathData(path: string | RegExp): PathData {
  if (typeof path === 'string') return path;
  // A global or sticky pattern remembers where it matched last; here each path is looked at afresh.
  const flags = path.flags.replace(/[gy]/g, '');
  return { matches: path.source, ...(flags === '' ? {} : { flags }) };
}

function matchData({ operation, path }: Match): MatchData {
  const operations = typeof operation === 'string' ? [operation] : operation;
  return {
    ...(operations === undefined ? {} : { operation: operations }),
    ...(path === undefined ? {} : { path: pathData(path) }),
  };
}

type Matcher = (operation: FaultOperation) => boolean;

function pathMatcher(path: PathData): Matcher {
  if (typeof path === 'string') return (one) => one.path === path || one.to === path;
  const pattern = new RegExp(path.matches, path.flags);
  return (one) => pattern.test(one.path) || (one.to !== undefined && pattern.test(one.to));
}

function matcher({ operation, path }: MatchData): Matcher {
  const isPath = path === undefined ? () => true : pathMatcher(path);
  return (one) => (operation === undefined || operation.includes(one.operation)) && isPath(one);
}

function startRule(data: RuleData): Decide {
  switch (data.rule) {
    case 'failNth':
      return startNth(data);
    case 'failEvery': {
      const { fault } = data;
      const isMatch = matcher(data.match);
      return (one) => (isMatch(one) && isApplicable(fault, one) ? fault : undefined);
    }
    case 'atRandom':
      return startRandom(data);
    case 'onPath': {
      const isMatch = pathMatcher(data.path);
      const decide = startRule(data.of);
      return (one) => (isMatch(one) ? decide(one) : undefined);
    }
    case 'eachPath':
      return startEachPath(data.of);
    case 'firstOf': {
      const all = data.rules.map(startRule);
      return (one) => all.map((decide) => decide(one)).find((fault) => fault !== undefined);
    }
    case 'until':
    case 'since':
      return startSpan(data);
    case 'atMost': {
      const decide = startRule(data.of);
      let left = data.times;
      return (one) => {
        const fault = decide(one);
        if (fault === undefined || left === 0) return undefined;
        left -= 1;
        return fault;
      };
    }
  }
}

function startNth({ match, nth, fault }: Extract<RuleData, { rule: 'failNth' }>): Decide {
  const isMatch = matcher(match);
  let seen = 0;
  return (one) => {
    if (!isMatch(one) || !isApplicable(fault, one)) return undefined;
    seen += 1;
    return seen === nth ? fault : undefined;
  };
}

/** Chances are drawn in this many steps: finer than any probability that a test can tell apart. */
const CHANCE_STEPS = 2 ** 30;

function startRandom(data: Extract<RuleData, { rule: 'atRandom' }>): Decide {
  const { seed, probability, match, faults } = data;
  const isMatch = matcher(match);
  const random = createRandom(seed);
  return (one) => {
    if (!isMatch(one)) return undefined;
    const possible = faults.filter((fault) => isApplicable(fault, one));
    if (possible.length === 0) return undefined;
    const isHit = random.next(CHANCE_STEPS) < probability * CHANCE_STEPS;
    return isHit ? possible[random.next(possible.length)] : undefined;
  };
}

function startEachPath(rule: RuleData): Decide {
  const byPath = new Map<string, Decide>();
  return (one) => {
    let decide = byPath.get(one.path);
    if (decide === undefined) {
      decide = startRule(rule);
      byPath.set(one.path, decide);
    }
    return decide(one);
  };
}

function startSpan(data: Extract<RuleData, { rule: 'until' | 'since' }>): Decide {
  const isMatch = matcher(data.match);
  const decide = startRule(data.of);
  let isPast = false;
  return (one) => {
    const wasPast = isPast;
    isPast ||= isMatch(one);
    const isInside = data.rule === 'until' ? !isPast : wasPast;
    return isInside ? decide(one) : undefined;
  };
}

function printRule(data: RuleData): string {
  switch (data.rule) {
    case 'failNth':
      return `failNth(${printMatch(data.match, [`nth: ${data.nth}`])}, ${describeFault(data.fault)})`;
    case 'failEvery':
      return `failEvery(${printMatch(data.match)}, ${describeFault(data.fault)})`;
    case 'atRandom': {
      const faults = data.faults.map(describeFault).join(', ');
      return `atRandom(${data.seed}, ${data.probability}, ${printMatch(data.match)}, ${faults})`;
    }
    case 'onPath':
      return `onPath(${printPath(data.path)}, ${printRule(data.of)})`;
    case 'eachPath':
      return `eachPath(${printRule(data.of)})`;
    case 'firstOf':
      return `firstOf(${data.rules.map(printRule).join(', ')})`;
    case 'until':
    case 'since':
      return `${data.rule}(${printMatch(data.match)}, ${printRule(data.of)})`;
    case 'atMost':
      return `atMost(${data.times}, ${printRule(data.of)})`;
  }
}

function printPath(path: PathData): string {
  if (typeof path === 'string') return JSON.stringify(path);
  return String(new RegExp(path.matches, path.flags));
}

function printMatch({ operation, path }: MatchData, further: readonly string[] = []): string {
  const [only] = operation ?? [];
  const operations =
    operation?.length === 1 ? `'${only}'` : `[${operation?.map((one) => `'${one}'`).join(', ')}]`;
  const parts = [
    ...(operation === undefined ? [] : [`operation: ${operations}`]),
    ...(path === undefined ? [] : [`path: ${printPath(path)}`]),
    ...further,
  ];
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}
