/**
 * The files that come with this package: its manifest, the inspector's page, the pictures. Found by the
 * package's own name, since how deep a module lies differs between the sources and the bundles.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Where a file of this package lies, by its path from the package's root; it need not exist. */
export function packageFile(path: string): URL {
  const manifest = createRequire(import.meta.url).resolve('checkpoint-wal/package.json');
  return new URL(path, pathToFileURL(manifest));
}
