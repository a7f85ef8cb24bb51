/**
 * Numbers as a diagnosis words them: sizes, short times, spans. No decisions.
 */

const SIZES: readonly (readonly [string, number])[] = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
];

/** `1.5 MiB`, `12 bytes`. */
export function bytesText(bytes: number): string {
  for (const [unit, size] of SIZES) {
    if (bytes >= size) return `${round(bytes / size)} ${unit}`;
  }
  return countText(bytes, 'byte');
}

/** `0.25 ms`, `1,200 ms`. */
export function millisecondsText(milliseconds: number): string {
  const isTiny = milliseconds < 0.1;
  return `${isTiny ? String(Number(milliseconds.toPrecision(2))) : round(milliseconds)} ms`;
}

function round(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return Number(value.toFixed(digits)).toLocaleString('en');
}

const SPANS: readonly (readonly [string, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** `3 hours`; of times below a second, `less than a second`. */
export function spanText(spanMs: number): string {
  for (const [unit, unitMs] of SPANS) {
    if (spanMs >= unitMs) return countText(Math.floor(spanMs / unitMs), unit);
  }
  return 'less than a second';
}

/** `1 file`, `2 files`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** `2026-11-23 01:08:19Z`. */
export function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('T', ' ').replace(/\.\d+/, '');
}
