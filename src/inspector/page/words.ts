/**
 * Numbers and names as people read them: durations, sizes, hashes, times. Pure.
 */

/** A duration: `420 µs`, `1.52 ms`, `2.40 s`, `3 min 5 s`, `2 h 4 min`. */
export function durationOf(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`;
  const ms = us / 1000;
  if (ms < 1000) return `${threeDigits(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${threeDigits(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A size: `216 B`, `1.20 KB`, `3.40 MB`. */
export function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${threeDigits(bytes / 1000)} KB`;
  return `${threeDigits(bytes / 1_000_000)} MB`;
}

/** The beginning of a hash, enough to tell it from others. */
export function shortHash(hash: string): string {
  return hash.slice(0, 10);
}

/** The time of day of a time in ISO 8601. */
export function timeOfDay(time: string): string {
  return time.slice(11, 23);
}

/** A whole number with its thousands apart. */
export function countOf(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** An event as the list shows it: without what XState puts around names. */
export function eventName(event: string): string {
  if (event === 'xstate.init') return 'starts';
  return event
    .replace(/^xstate\.done\.actor\.(.+)$/, '$1 is done')
    .replace(/^xstate\.error\.actor\.(.+)$/, '$1 has failed')
    .replace(/^xstate\.after\.(\d+)\..*$/, 'after $1 ms');
}

/** Who sent an event. */
export function senderOf({ by, event }: { readonly by: string; readonly event: string }): string {
  if (by !== '') return by;
  const starter = event === 'xstate.init' ? 'the store' : 'the program';
  return event.startsWith('xstate.after') ? 'the clock' : starter;
}

function threeDigits(value: number): string {
  if (value >= 100) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
