/**
 * Which parts of which stores belong to durable actors: each to one at a time, and none inside of another's.
 * Who comes after one that is leaving waits until that one's last save has ended.
 */
import { formatPath, type YamlPath } from '../format/yaml/yaml-path.js';

interface Place {
  readonly path: YamlPath;
  leaving: Promise<unknown> | undefined;
}

const taken = new WeakMap<object, Set<Place>>();

/**
 * Takes a place.
 * @returns gives it back, when what is given has settled
 * @throws TypeError where another actor has that place, or a part of it, or one that it is part of
 */
export async function takePlace(
  store: object,
  path: YamlPath,
): Promise<(until: Promise<unknown>) => void> {
  const places = taken.get(store) ?? new Set<Place>();
  taken.set(store, places);
  for (;;) {
    const others = [...places].filter((other) => overlap(other.path, path));
    const staying = others.find(({ leaving }) => leaving === undefined);
    if (staying !== undefined) throw takenBy(staying);
    if (others.length === 0) break;
    await Promise.all(others.map(({ leaving }) => leaving));
  }
  const place: Place = { path, leaving: undefined };
  places.add(place);
  return (until) => {
    const leave = () => places.delete(place);
    place.leaving = until.then(leave, leave);
  };
}

function takenBy({ path }: Place): TypeError {
  const where = path.length === 0 ? 'all of this store' : `${formatPath(path)} in this store`;
  return new TypeError(
    `another durable actor has ${where}: stop that one first, or give each a path of its own`,
  );
}

function overlap(one: YamlPath, other: YamlPath): boolean {
  const length = Math.min(one.length, other.length);
  return one.slice(0, length).every((step, index) => step === other[index]);
}
