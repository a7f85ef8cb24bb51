/**
 * Digests of file contents that are never changed in place, as the simulated disk's durable contents.
 */
import { sha256Hex } from '../format/bytes.js';

const known = new WeakMap<Uint8Array, string>();

/** SHA-256 of `content` in hex, computed once for each array. */
export function digestOf(content: Uint8Array): string {
  let digest = known.get(content);
  if (digest === undefined) {
    digest = sha256Hex(content);
    known.set(content, digest);
  }
  return digest;
}
