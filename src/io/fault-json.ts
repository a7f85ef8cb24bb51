/**
 * Reads rules from data that somebody else may have written: a case file, a scenario. Everything is
 * checked, so that a slip of the pen can't become a rule that silently never hits. The shapes are in
 * `fault-rules.ts` and `faults.ts`.
 */
import {
  type FaultRule,
  type MatchData,
  type PathData,
  type RuleData,
  ruleOf,
} from './fault-rules.js';
import { type Fault, type FaultCode, faultCodes } from './faults.js';
import type { OperationName } from './recording-file-system.js';

/** A rule from what its `toJSON` gave. @throws `TypeError` that names the place and what is wrong there */
export function ruleFromJson(json: unknown): FaultRule {
  return ruleOf(readRule(new Place(json, 'rule')));
}

/** A fault from data. @throws `TypeError` that names the place and what is wrong there */
export function faultFromJson(json: unknown): Fault {
  return readFault(new Place(json, 'fault'));
}

const operationNames = [
  'open',
  'rename',
  'link',
  'unlink',
  'makeDirectory',
  'removeDirectory',
  'list',
  'stat',
  'statLink',
  'realPath',
  'readLink',
  'syncDirectory',
  'lock',
  'lockHolder',
  'read',
  'write',
  'size',
  'handleStat',
  'truncate',
  'setMode',
  'setOwner',
  'sync',
  'close',
  'isHeld',
  'release',
] as const satisfies readonly OperationName[];

/** Deeper than any rule that a person writes; keeps foreign data from exhausting the stack. */
const DEPTH_MAX = 100;

/** A value and where in the data it stands. */
class Place {
  readonly #value: unknown;
  readonly #at: string;
  readonly #depth: number;

  constructor(value: unknown, at: string, depth = 0) {
    this.#value = value;
    this.#at = at;
    this.#depth = depth;
    if (depth > DEPTH_MAX) throw this.wrong(`nested at most ${DEPTH_MAX} deep`);
  }

  wrong(expected: string): TypeError {
    const found = JSON.stringify(this.#value)?.slice(0, 80) ?? String(this.#value);
    return new TypeError(`${this.#at} must be ${expected}, not ${found}`);
  }

  /** The object here, which may have these keys and no others. */
  keys(allowed: readonly string[]): void {
    for (const key of Object.keys(this.#object())) {
      if (!allowed.includes(key)) {
        throw new TypeError(
          `${this.#at} has no ${JSON.stringify(key)}, only ${allowed.join(', ')}`,
        );
      }
    }
  }

  get(key: string): Place {
    const object = this.#object();
    const value = Object.hasOwn(object, key) ? object[key] : undefined;
    return new Place(value, `${this.#at}.${key}`, this.#depth + 1);
  }

  get isAbsent(): boolean {
    return this.#value === undefined;
  }

  get isText(): boolean {
    return typeof this.#value === 'string';
  }

  text(): string {
    if (typeof this.#value !== 'string') throw this.wrong('a text');
    return this.#value;
  }

  oneOf<T extends string>(allowed: readonly T[]): T {
    const found = allowed.find((one) => one === this.#value);
    if (found === undefined) throw this.wrong(`one of ${allowed.join(', ')}`);
    return found;
  }

  number(expected: string, isRight: (value: number) => boolean): number {
    if (typeof this.#value !== 'number' || !isRight(this.#value)) throw this.wrong(expected);
    return this.#value;
  }

  count(min: number): number {
    const isRight = (value: number) => Number.isSafeInteger(value) && value >= min;
    return this.number(`an integer from ${min}`, isRight);
  }

  integer(): number {
    return this.number('an integer', Number.isSafeInteger);
  }

  list(): Place[] {
    if (!Array.isArray(this.#value)) throw this.wrong('a list');
    return this.#value.map(
      (one: unknown, index) => new Place(one, `${this.#at}[${index}]`, this.#depth + 1),
    );
  }

  #object(): Record<string, unknown> {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.wrong('an object');
    }
    return value as Record<string, unknown>;
  }
}

const ruleNames = [
  'failNth',
  'failEvery',
  'atRandom',
  'onPath',
  'eachPath',
  'firstOf',
  'until',
  'since',
  'atMost',
] as const satisfies readonly RuleData['rule'][];

function readRule(at: Place): RuleData {
  const rule = at.get('rule').oneOf(ruleNames);
  switch (rule) {
    case 'failNth': {
      at.keys(['rule', 'match', 'nth', 'fault']);
      const [match, fault] = [readMatch(at.get('match')), readFault(at.get('fault'))];
      return { rule, match, nth: at.get('nth').count(1), fault };
    }
    case 'failEvery':
      at.keys(['rule', 'match', 'fault']);
      return { rule, match: readMatch(at.get('match')), fault: readFault(at.get('fault')) };
    case 'atRandom':
      return readRandom(at);
    case 'onPath':
      at.keys(['rule', 'path', 'of']);
      return { rule, path: readPath(at.get('path')), of: readRule(at.get('of')) };
    case 'eachPath':
      at.keys(['rule', 'of']);
      return { rule, of: readRule(at.get('of')) };
    case 'firstOf':
      at.keys(['rule', 'rules']);
      return { rule, rules: at.get('rules').list().map(readRule) };
    case 'until':
    case 'since':
      at.keys(['rule', 'match', 'of']);
      return { rule, match: readMatch(at.get('match')), of: readRule(at.get('of')) };
    case 'atMost':
      at.keys(['rule', 'times', 'of']);
      return { rule, times: at.get('times').count(0), of: readRule(at.get('of')) };
  }
}

function readRandom(at: Place): RuleData {
  at.keys(['rule', 'seed', 'probability', 'match', 'faults']);
  const isChance = (value: number) => value >= 0 && value <= 1;
  const faults = at.get('faults').list().map(readFault);
  if (faults.length === 0) throw at.get('faults').wrong('a list with a fault in it');
  return {
    rule: 'atRandom',
    seed: at.get('seed').integer(),
    probability: at.get('probability').number('from 0 to 1', isChance),
    match: readMatch(at.get('match')),
    faults,
  };
}

function readMatch(at: Place): MatchData {
  at.keys(['operation', 'path']);
  const [operation, path] = [at.get('operation'), at.get('path')];
  return {
    ...(operation.isAbsent
      ? {}
      : { operation: operation.list().map((one) => one.oneOf(operationNames)) }),
    ...(path.isAbsent ? {} : { path: readPath(path) }),
  };
}

function readPath(at: Place): PathData {
  if (at.isText) return at.text();
  at.keys(['matches', 'flags']);
  const matches = at.get('matches').text();
  const flags = at.get('flags').isAbsent ? undefined : at.get('flags').text();
  if (flags !== undefined && !/^[dimsuv]*$/.test(flags))
    throw at.get('flags').wrong('of d i m s u v');
  try {
    new RegExp(matches, flags);
  } catch {
    throw at.wrong('a regular expression');
  }
  return { matches, ...(flags === undefined ? {} : { flags }) };
}

const faultKinds = [
  'fail',
  'doneThenFail',
  'short',
  'dropPages',
  'lie',
  'delay',
  'flipBit',
  'misdirect',
  'loseLock',
] as const satisfies readonly Fault['kind'][];

function readFault(at: Place): Fault {
  const kind = at.get('kind').oneOf(faultKinds);
  switch (kind) {
    case 'fail':
    case 'doneThenFail':
    case 'dropPages':
      at.keys(['kind', 'code']);
      return { kind, code: at.get('code').oneOf<FaultCode>(faultCodes) };
    case 'short':
      at.keys(['kind', 'amount']);
      return { kind, amount: at.get('amount').oneOf(['half', 'one', 'none']) };
    case 'delay': {
      at.keys(['kind', 'delayMs', 'done']);
      const isTime = (value: number) => Number.isFinite(value) && value >= 0;
      const delayMs = at.get('delayMs').number('a time of 0 ms or more', isTime);
      return { kind, delayMs, done: at.get('done').oneOf(['first', 'last']) };
    }
    case 'flipBit': {
      at.keys(['kind', 'offset', 'bit']);
      const isBit = (value: number) => Number.isInteger(value) && value >= 0 && value <= 7;
      const bit = at.get('bit').number('a bit from 0 to 7', isBit);
      return { kind, offset: at.get('offset').count(0), bit };
    }
    case 'misdirect': {
      at.keys(['kind', 'from', 'shift']);
      const from = at.get('from');
      const shift = at.get('shift').integer();
      return { kind, ...(from.isAbsent ? {} : { from: from.text() }), shift };
    }
    case 'lie':
    case 'loseLock':
      at.keys(['kind']);
      return { kind };
  }
}
