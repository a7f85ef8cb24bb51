/** What is made of measured numbers: medians and other ranks, and ratios of things measured in turn. */

/** The value at a part (0 to 1) of the sorted list: the nearest rank; `undefined` of nothing. */
export function rank(list, part) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * part) - 1))];
}

/** The middle of a list; of an even number the lower one. */
export const median = (list) => rank(list, 0.5);

/**
 * How many times `base` something took, given the median of each round of both: the median of the rounds'
 * ratios. What disturbs a round disturbs both, so that it drops out.
 */
export function pairedRatio(rounds, base) {
  const ratios = rounds.flatMap((value, round) => {
    const other = base[round];
    return value === undefined || other === undefined ? [] : [value / other];
  });
  return median(ratios);
}
