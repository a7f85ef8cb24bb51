/**
 * Installs the packages that the benchmark compares with into this folder, on first use. They are not
 * among the package's own dependencies: two of them are native, and one has to be compiled.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** @returns {boolean} whether npm has installed them, now or before */
export function preparePeers(say) {
  if (areInstalled()) return true;
  say(
    'installing the peers into test/bench/peers (once; better-sqlite3 may compile for a minute) …',
  );
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    env: { ...headersBesideNode(), ...process.env },
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) say('npm could not install them; going on with what can be loaded');
  return status === 0;
}

/** Whether npm has installed what the lock file names; a native package that can't be compiled it leaves out. */
function areInstalled() {
  const wanted = versions('package-lock.json');
  const installed = versions('node_modules/.package-lock.json');
  return (
    installed !== undefined &&
    Object.entries(installed).every(([name, version]) => wanted[name] === version)
  );
}

function versions(file) {
  const path = join(folder, file);
  if (!existsSync(path)) return undefined;
  const { packages } = JSON.parse(readFileSync(path, 'utf8'));
  const found = Object.entries(packages).filter(([name]) => name !== '');
  return Object.fromEntries(found.map(([name, { version }]) => [name, version]));
}

/**
 * Compiling wants node's headers, which node-gyp downloads. Where they lie beside node (a distribution's
 * package, nvm, the official archive), it is told to take those.
 */
function headersBesideNode() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include/node/node.h')) ? { npm_config_nodedir: prefix } : {};
}

/** Packages that are compiled, or come compiled for some platforms. */
const nativePackages = ['better-sqlite3', 'lmdb'];

/** Names of the native packages that can't be loaded here. */
export async function missingPackages() {
  const missing = [];
  for (const name of nativePackages) {
    try {
      await import(name);
    } catch {
      missing.push(name);
    }
  }
  return missing;
}
