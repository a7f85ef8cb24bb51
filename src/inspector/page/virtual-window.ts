/**
 * Which rows of a long list are worth having as elements: those in view, and a few around. Rows have
 * one fixed height, so this is arithmetic. Pure.
 */

/** A list as it is looked at, in pixels. */
export interface Viewport {
  readonly scrollTop: number;
  readonly height: number;
  readonly rowHeight: number;
  readonly count: number;
}

/** Rows `first` to `end`, the latter left out. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
}

/** Rows beyond either edge that are kept ready. */
export const OVERSCAN = 6;

/** The rows to show. */
export function rowsInView({ scrollTop, height, rowHeight, count }: Viewport): RowRange {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - OVERSCAN);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + OVERSCAN);
  return { first: Math.min(first, count), end: Math.max(Math.min(first, count), end) };
}

/**
 * Where to scroll so that a row is seen with its neighbours: where one is if it is seen so already, else
 * by as little as needed; or with the row in the middle.
 */
export function scrollFor(view: Viewport, row: number, place: 'nearest' | 'centre'): number {
  const { scrollTop, height, rowHeight, count } = view;
  const top = row * rowHeight;
  const most = Math.max(0, count * rowHeight - height);
  const within = (value: number) => Math.max(0, Math.min(most, value));
  if (place === 'centre') return within(top - (height - rowHeight) / 2);
  const margin = Math.min(2 * rowHeight, Math.max(0, (height - rowHeight) / 2));
  const highest = top - margin;
  const lowest = top + rowHeight + margin - height;
  return within(Math.max(lowest, Math.min(highest, scrollTop)));
}
