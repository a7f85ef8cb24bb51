/**
 * Unguessable bytes in small portions: one call of the system's generator costs as much as a small
 * write, so a pool is filled by one and handed out piece by piece, no byte twice.
 */

const POOL_BYTES = 4096;

/** Bytes that must not be guessed, of one pool for all stores: for salts and the names of temporary files. */
export const randomFromPool: (length: number) => Uint8Array = createRandomPool();

/** A pool, which is filled when first asked. */
export function createRandomPool(): (length: number) => Uint8Array {
  let pool: Uint8Array<ArrayBuffer> | undefined;
  let used = POOL_BYTES;
  return (length) => {
    if (length > POOL_BYTES) return crypto.getRandomValues(new Uint8Array(length));
    pool ??= new Uint8Array(POOL_BYTES);
    if (used + length > POOL_BYTES) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    used += length;
    return pool.slice(used - length, used);
  };
}
