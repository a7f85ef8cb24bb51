/**
 * The few assertions that the conformance suites need, so that they run under any test framework or
 * none. Each throws an {@link AssertionFailure} that says what was found and what was expected.
 */

/** What an assertion of a conformance suite throws. */
export class AssertionFailure extends Error {
  /** Always `AssertionFailure`. */
  override readonly name = 'AssertionFailure';
}

/** Stands for any number, in what {@link includes} expects. */
export const anyNumber: unique symbol = Symbol('any number');

/** Both are the same value: compared by content, undefined properties counting as absent. */
export function equal(found: unknown, expected: unknown, what = 'the value'): void {
  if (!isSame(found, expected, false)) fail(found, expected, what);
}

/** The object found has at least these properties. */
export function includes(found: unknown, expected: object, what = 'the value'): void {
  if (!isSame(pick(found), expected, true)) fail(pick(found), expected, what);
}

/** A condition, in words. */
export function isTrue(condition: boolean, what: string): void {
  if (!condition) throw new AssertionFailure(`not so: ${what}`);
}

/** What `act` throws; a failure if it returns. */
export function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new AssertionFailure('nothing was thrown');
}

/** The `code` of what `act` throws, `'ok'` if it returns. */
export function codeOf(act: () => unknown): string {
  try {
    act();
    return 'ok';
  } catch (error) {
    return codeIn(error);
  }
}

/** The `code` of an error, else the error as text. */
export function codeIn(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : String(error);
}

function fail(found: unknown, expected: unknown, what: string): never {
  throw new AssertionFailure(`${what} is ${show(found)}, expected ${show(expected)}`);
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'symbol') return `(${inner.description})`;
    return typeof inner === 'bigint' ? `${inner}n` : inner;
  });
  return text ?? String(value);
}

/** Errors keep `message` and `name` where no enumeration finds them. */
function pick(found: unknown): unknown {
  return found instanceof Error ? { ...found, message: found.message } : found;
}

function isSame(found: unknown, expected: unknown, isPartial: boolean): boolean {
  if (expected === anyNumber) return typeof found === 'number';
  if (Object.is(found, expected)) return true;
  if (!isObject(found) || !isObject(expected)) return false;
  if (Array.isArray(found) !== Array.isArray(expected)) return false;
  const wanted = definedKeys(expected);
  const isComplete = isPartial && !Array.isArray(expected);
  if (!isComplete && definedKeys(found).length !== wanted.length) return false;
  return wanted.every((key) => isSame(found[key], expected[key], isPartial));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function definedKeys(value: Record<string, unknown>): string[] {
  return Object.keys(value).filter((key) => value[key] !== undefined);
}
