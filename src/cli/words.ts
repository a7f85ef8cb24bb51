/**
 * Small pieces of the sentences that commands print: numbers, times, indented lists. No decisions.
 */

/** `12,345`. The system's own way loads the tables of all languages, which takes longer than a command. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 entry`, `3 entries`; thousands are separated. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

/** `2026-11-23 01:08:19Z (3 minutes ago)`. Times are UTC. */
export function timeAndAge(timeMs: number, nowMs: number): string {
  const time = new Date(timeMs).toISOString().replace('T', ' ').replace(/\.\d+/, '');
  return `${time} (${age(nowMs - timeMs)})`;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** `3 minutes ago`. */
export function age(elapsedMs: number): string {
  if (elapsedMs < 0) return 'in the future: was the clock set back?';
  for (const [unit, unitMs] of UNITS) {
    if (elapsedMs >= unitMs) return `${count(Math.floor(elapsedMs / unitMs), unit)} ago`;
  }
  return 'just now';
}

/** A heading with its lines below it; nothing at all without lines. */
export function section(heading: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `${heading}\n${lines.map((line) => `  - ${line}\n`).join('')}`;
}

/** Lines of `name  value`, the values aligned. */
export function aligned(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('');
}

/** The text, or as much of its beginning as fits, at whole characters. */
export function shortened(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}

/** Text whose control characters can't play tricks on a terminal. */
export function printable(text: string): string {
  return [...text].map((character) => (isControl(character) ? '\u{fffd}' : character)).join('');
}

function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if ((code < 0x20 && code !== 0x0a && code !== 0x09) || (code >= 0x7f && code < 0xa0)) return true;
  // Those that turn the direction of what follows.
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}
