/**
 * JSON as this command line prints it: one document, two spaces, a final newline. Unlike
 * `JSON.stringify` it loses no number of a YAML state; `docs/cli.md` states the rules.
 */

/**
 * One JSON document. Integers beyond the safe range are printed with all their digits; `NaN` and the
 * infinities, which JSON has no number for, as the strings that YAML writes (`".nan"`, `".inf"`,
 * `"-.inf"`). Entries that are `undefined` are left out.
 * @param value plain data: null, booleans, numbers, bigints, strings, lists and maps of them
 */
export function toJson(value: unknown): string {
  return `${print(value, '')}\n`;
}

function print(value: unknown, indent: string): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return printNumber(value);
  if (typeof value !== 'object') return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return block(
      '[',
      ']',
      indent,
      value.map((item) => print(item, inner)),
    );
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const printed = entries.map(([key, item]) => `${JSON.stringify(key)}: ${print(item, inner)}`);
  return block('{', '}', indent, printed);
}

function printNumber(value: number): string {
  if (Number.isNaN(value)) return '".nan"';
  if (!Number.isFinite(value)) return value > 0 ? '".inf"' : '"-.inf"';
  return Object.is(value, -0) ? '-0' : JSON.stringify(value);
}

function block(open: string, close: string, indent: string, parts: readonly string[]): string {
  if (parts.length === 0) return `${open}${close}`;
  const inner = `\n${indent}  `;
  return `${open}${inner}${parts.join(`,${inner}`)}\n${indent}${close}`;
}
